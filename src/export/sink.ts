/** Where an export goes: a file, standard output, or any writable stream. Writing waits for who reads. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'

/** Takes octets. */
export interface Sink {
  /** Writes; the promise is there to be waited for only when who reads is slow. */
  write(octets: string | Uint8Array): Promise<void> | undefined
  /** Waits until all is out; a file is closed. */
  end(): Promise<void>
}

/** Opens a path (`-`: standard output) or takes a stream, which stays open. */
export function openSink(to: string | Writable): Sink {
  if (typeof to !== 'string') return new StreamSink(to, false)
  return to === '-' ? new StreamSink(process.stdout, false) : new StreamSink(createWriteStream(to), true)
}

class StreamSink implements Sink {
  readonly #stream: Writable
  readonly #own: boolean
  readonly #failed: Promise<never>

  constructor(stream: Writable, own: boolean) {
    this.#stream = stream
    this.#own = own
    this.#failed = new Promise<never>((_, reject) => stream.once('error', reject))
    this.#failed.catch(() => {})
  }

  write(octets: string | Uint8Array): Promise<void> | undefined {
    if (octets.length === 0 || this.#stream.write(octets)) return undefined
    return this.#drained()
  }

  async #drained(): Promise<void> {
    await Promise.race([once(this.#stream, 'drain'), this.#failed])
  }

  async end(): Promise<void> {
    if (!this.#own) return this.#flush()
    this.#stream.end()
    const { finished } = process.getBuiltinModule('node:stream/promises')
    await Promise.race([finished(this.#stream), this.#failed])
  }

  /** An empty write is called back when all before it is out, or with the error that stopped it. */
  #flush(): Promise<void> {
    return new Promise((resolve, reject) => this.#stream.write('', error => (error ? reject(error) : resolve())))
  }
}
