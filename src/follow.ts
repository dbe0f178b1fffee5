/** A file that grows: read to its end, and on as more is written to it. */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { CaptureError } from './errors.js'
import type { ChunkReader } from './source.js'

/** Milliseconds between two looks at a file that had nothing new. */
const PATIENCE = 200

/** Octets read at once. */
const CHUNK_LENGTH = 1 << 18

/**
 * Reads a regular file as `tail -f` does. It ends when it is stopped.
 *
 * @throws {@link CaptureError} from `next`, when what was there is read and the file was replaced, removed or truncated
 */
export function followFile(path: string): ChunkReader {
  return new Follower(path)
}

class Follower implements ChunkReader {
  readonly #path: string
  // Who asks for the next chunk is done with this one.
  readonly #buffer = new Uint8Array(CHUNK_LENGTH)
  #handle: FileHandle | undefined
  #position = 0
  #stopped = false
  #wake: (() => void) | undefined

  constructor(path: string) {
    this.#path = path
  }

  async next(): Promise<Uint8Array | null> {
    let lost: string | undefined
    while (!this.#stopped) {
      this.#handle ??= await open(this.#path)
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, CHUNK_LENGTH, this.#position)
      this.#position += bytesRead
      if (bytesRead > 0) return this.#buffer.subarray(0, bytesRead)
      if (lost !== undefined) throw new CaptureError('ERR_CAPTURE_IO', `${this.#path}: the file was ${lost} while it was followed`)
      lost = await this.#lost(this.#handle)
      // What was written before that still counts: it is looked for once more.
      if (lost === undefined) await this.#rest()
    }
    this.#close()
    return null
  }

  stop(): void {
    this.#stopped = true
    this.#wake?.()
    this.#close()
  }

  /** What became of the file, where nothing can be appended to it any more. */
  async #lost(handle: FileHandle): Promise<string | undefined> {
    const [here, there] = await Promise.all([handle.stat({ bigint: true }), stat(this.#path, { bigint: true }).catch(() => null)])
    if (there === null) return 'removed'
    if (here.ino !== there.ino || here.dev !== there.dev) return 'replaced'
    return here.size < this.#position ? 'truncated' : undefined
  }

  async #rest(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      this.#wake = resolve
      timer = setTimeout(resolve, PATIENCE)
    })
    clearTimeout(timer)
  }

  #close(): void {
    this.#handle?.close().catch(() => {})
    this.#handle = undefined
  }
}
