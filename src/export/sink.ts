/** Where an export goes: a file, standard output, or any writable stream. Writing waits for who reads. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { OutputError } from '../errors.js'

/** Takes octets. */
export interface Sink {
  /** Writes; the promise is there to be waited for only when who reads is slow. */
  write(octets: string | Uint8Array): Promise<void> | undefined
  /** Waits until all is out; a file is closed. */
  end(): Promise<void>
}

/** Opens a path (`-`: standard output) or takes a stream, which stays open. */
export function openSink(to: string | Writable): Sink {
  if (typeof to !== 'string') return new StreamSink(to)
  return to === '-' ? new StreamSink(process.stdout) : new StreamSink(createWriteStream(to), to)
}

class StreamSink implements Sink {
  readonly #stream: Writable
  /** Of a file of ours. */
  readonly #path: string | undefined
  readonly #failed: Promise<never>

  constructor(stream: Writable, path?: string) {
    this.#stream = stream
    this.#path = path
    this.#failed = new Promise<never>((_, reject) => stream.once('error', error => reject(this.#told(error))))
    this.#failed.catch(() => {})
  }

  /** What went wrong with a stream of somebody else's is theirs to tell. */
  #told(error: Error): Error {
    return this.#path === undefined ? error : new OutputError(`${this.#path}: cannot write: ${error.message}`, { cause: error })
  }

  write(octets: string | Uint8Array): Promise<void> | undefined {
    if (octets.length === 0 || this.#stream.write(octets)) return undefined
    return this.#drained()
  }

  async #drained(): Promise<void> {
    // `failed` is told first: it listens longer.
    await Promise.race([this.#failed, once(this.#stream, 'drain')])
  }

  async end(): Promise<void> {
    if (this.#path === undefined) return this.#flush()
    this.#stream.end()
    const { finished } = process.getBuiltinModule('node:stream/promises')
    await Promise.race([this.#failed, finished(this.#stream)])
  }

  /** An empty write is called back when all before it is out, or with the error that stopped it. */
  #flush(): Promise<void> {
    return new Promise((resolve, reject) => this.#stream.write('', error => (error ? reject(error) : resolve())))
  }
}
