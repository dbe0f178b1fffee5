// Starts and kills a server that speaks CouchDB's protocol, and asks it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { root } from './places.js'

/** A document as it is stored. */
export interface Stored {
  _id: string
  _attachments?: Record<string, { data: string }>
  [name: string]: unknown
}

/** One server over a folder. */
export class CouchServer {
  readonly #folder: string
  #process: ChildProcess | undefined
  #port = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The server's URL; the same after a new start. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const program = join(root, '__test__', 'support', 'couch-server.mjs')
    const child = spawn(process.execPath, [program, this.#folder, String(this.#port)], { cwd: this.#folder, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = child
    const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
    this.#port = Number(line)
  }

  /** Tells the system to end it. */
  strike(): void {
    this.#process?.kill('SIGKILL')
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }

  /** All documents of a database, with their attachments, in order of ids. */
  async documents(database: string): Promise<Stored[]> {
    const answer = await fetch(`${this.url}/${database}/_all_docs?include_docs=true&attachments=true`)
    const { rows } = (await answer.json()) as { rows: { doc: Stored }[] }
    return rows.map(({ doc }) => doc)
  }
}
