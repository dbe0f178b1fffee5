/**
 * Takes one layer of compression off an input, found by the first octets; plain data passes through as it is. Mirrors
 * `core::capture::compress`. Formats besides gzip are the host's to decode, where it can.
 */
import { formatError } from '../error.js'
import type { Host } from '../host.js'
import { compressionOf, MAGIC_LEN, mayBegin, type Compression } from './compression.js'
import { GzipInput } from './gzip.js'
import { Filled, type Input } from './input.js'

/** An input without its compression, if it has any. */
export class DecodingInput implements Input {
  readonly #host: Host
  /** What octets come from now. */
  #inner: Input
  /** The first octets, as long as they don't tell what the data is; then what is still to be given of them. */
  #head = new Uint8Array(0)
  #sniffing = true
  #compression: Compression | null = null

  /** Decodes what `inner` delivers, if it is compressed. */
  constructor(inner: Input, host: Host) {
    this.#inner = inner
    this.#host = host
  }

  fill(out: Uint8Array, at: number): number {
    if (this.#sniffing) return this.#sniff(out, at)
    if (this.#head.length > 0) return this.#giveHead(out, at)
    return this.#inner.fill(out, at)
  }

  /** Reads first octets until they tell what the data is. Plain data that came in one piece stays in `out`. */
  #sniff(out: Uint8Array, at: number): number {
    for (;;) {
      const filled = this.#inner.fill(out, at)
      if (filled < 0) return filled
      const fresh = out.subarray(at, at + filled)
      const undecided = filled > 0 && this.#head.length + filled < MAGIC_LEN
      if (this.#head.length === 0 && !undecided) return this.#decide(fresh, out, at)
      this.#head = joined(this.#head, fresh)
      if (!(undecided && compressionOf(this.#head) === null && mayBegin(this.#head))) return this.#decide(null, out, at)
    }
  }

  /** The first octets lie in `out` as `fresh`, or else in the head. */
  #decide(fresh: Uint8Array | null, out: Uint8Array, at: number): number {
    this.#sniffing = false
    const compression = compressionOf(fresh ?? this.#head)
    if (compression === null) return fresh === null ? this.fill(out, at) : fresh.length
    this.#compression = compression
    const head = fresh?.slice() ?? this.#head
    this.#head = new Uint8Array(0)
    this.#inner = this.#decoder(compression, head)
    return this.#inner.fill(out, at)
  }

  #decoder(compression: Compression, head: Uint8Array): Input {
    if (compression === 'gzip') return new GzipInput(this.#inner, head, this.#host.inflate())
    const decoder = this.#host.decoder(compression, this.#inner, head)
    if (decoder !== null) return decoder
    throw formatError(0, `${compression} data: the js engine can't decode it here; the native engine can`)
  }

  /** Gives what was read while sniffing. */
  #giveHead(out: Uint8Array, at: number): number {
    const part = this.#head.subarray(0, out.length - at)
    out.set(part, at)
    this.#head = this.#head.subarray(part.length)
    return part.length
  }

  position(): number {
    return this.#inner.position()
  }

  compression(): Compression | null {
    return this.#compression
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): void {
    this.#inner.close()
  }
}

/** Inputs end where they have nothing: with octets of a head waiting, that isn't the end yet. */
function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

/** An input that can't be read: what was found out when it was opened comes when it is asked. */
export class FailedInput implements Input {
  #error: unknown

  constructor(error: unknown) {
    this.#error = error
  }

  fill(): number {
    const error = this.#error
    if (error === undefined) return Filled.End
    this.#error = undefined
    throw error
  }

  position(): number {
    return 0
  }

  compression(): null {
    return null
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {}
}
