/**
 * gzip (RFC 1952) around a raw inflate: headers, checksums and several members are done here, so that what was inflated
 * before broken data still comes out. Mirrors `core::capture::compress::gzip`.
 *
 * The inflate must say where a member's data ended, which `DecompressionStream` doesn't, so it is pako's.
 */
import type { ZStream } from 'pako'
import { damagedError, truncatedError } from '../error.js'
import { crc32 } from './crc32.js'
import type { Inflate } from '../host.js'
import { Filled, type Input } from './input.js'

/** Octets read from the input at once. */
const BUFFER_LEN = 128 << 10

// RFC 1952 section 2.3.1: the flags.
const HEADER_CRC = 1 << 1
const EXTRA = 1 << 2
const NAME = 1 << 3
const COMMENT = 1 << 4
const RESERVED = 0b1110_0000

// zlib's manual: what a call of inflate is told and answers.
const Z_NO_FLUSH = 0
const Z_OK = 0
const Z_STREAM_END = 1
const Z_BUF_ERROR = -5

/** Least octets of a header, and octets of a trailer. */
const HEADER_LEN = 10
const TRAILER_LEN = 8
/** Most octets of a header that are kept: names and comments have no bound of their own. */
const MAX_HEADER_LEN = 1 << 20

const State = { Header: 0, Body: 1, Trailer: 2, Padding: 3, End: 4 } as const

/** Decodes gzip members, one after another. */
export class GzipInput implements Input {
  readonly #inner: Input
  /** What was read and not used yet: from `#start` to `#end`. */
  #buffer: Uint8Array
  #start = 0
  #end: number
  /** Octets of input before the buffer's start. */
  #before = 0
  #ended = false
  #state: number = State.Header
  readonly #inflate: Inflate
  readonly #stream: ZStream
  /** Of the member's octets. */
  #crc = 0
  #length = 0
  /** Inflating failed after it had given octets. */
  #failed: Error | undefined

  /** @param head what was read of `inner` already */
  constructor(inner: Input, head: Uint8Array, inflate: Inflate) {
    this.#inner = inner
    this.#inflate = inflate
    this.#stream = new inflate.ZStream()
    this.#buffer = new Uint8Array(Math.max(BUFFER_LEN, head.length))
    this.#buffer.set(head)
    this.#end = head.length
    // Negative: no header of zlib's own.
    inflate.zlibInflateInit2(this.#stream, -15)
  }

  fill(out: Uint8Array, at: number): number {
    if (this.#failed !== undefined) throw this.#failed
    for (;;) {
      const step = this.#step(out, at)
      if (step > 0) return step
      if (this.#state === State.End) return Filled.End
      if (step === 0) continue
      if (this.#ended) throw this.#cut()
      const filled = this.#refill()
      if (filled === Filled.End) this.#ended = true
      else if (filled < 0) return filled
    }
  }

  /** Octets that came out; 0 where something was done; -1 where more must be there first. */
  #step(out: Uint8Array, at: number): number {
    switch (this.#state) {
      case State.Header:
        return this.#header()
      case State.Body:
        return this.#body(out, at)
      case State.Trailer:
        return this.#trailer()
      case State.Padding:
        return this.#padding()
      default:
        return 0
    }
  }

  /** Reads more behind what is unread. */
  #refill(): number {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end)
      this.#before += this.#start
      this.#end -= this.#start
      this.#start = 0
    }
    if (this.#end === this.#buffer.length) {
      // Only a header's texts get here.
      const larger = new Uint8Array(this.#buffer.length * 2)
      larger.set(this.#buffer)
      this.#buffer = larger
    }
    const filled = this.#inner.fill(this.#buffer, this.#end)
    if (filled > 0) this.#end += filled
    return filled
  }

  /** Section 2.3: fixed fields, then those that the flags announce. */
  #header(): number {
    const [buffer, start, end] = [this.#buffer, this.#start, this.#end]
    if (end - start < HEADER_LEN) return -1
    if (buffer[start] !== 0x1f || buffer[start + 1] !== 0x8b || buffer[start + 2] !== 8)
      throw this.#broken('something else follows its end', HEADER_LEN)
    const flags = buffer[start + 3]!
    if ((flags & RESERVED) !== 0) throw this.#broken('unknown flags in a header', HEADER_LEN)
    let at = start + HEADER_LEN
    if ((flags & EXTRA) !== 0) {
      if (at + 2 > end) return -1
      at += 2 + (buffer[at]! | (buffer[at + 1]! << 8))
    }
    for (const text of [NAME, COMMENT]) {
      if ((flags & text) === 0) continue
      const nul = at < end ? buffer.indexOf(0, at) : -1
      if (nul < 0 || nul >= end) {
        if (end - start > MAX_HEADER_LEN) throw this.#broken('a header is too long', end - start)
        return -1
      }
      at = nul + 1
    }
    if ((flags & HEADER_CRC) !== 0) {
      if (at + 2 > end) return -1
      const expected = crc32(0, buffer, start, at) & 0xffff
      if ((buffer[at]! | (buffer[at + 1]! << 8)) !== expected)
        throw this.#broken("a header's checksum is wrong", at + 2 - start)
      at += 2
    }
    if (at > end) return -1
    this.#start = at
    this.#crc = 0
    this.#length = 0
    this.#inflate.zlibInflateReset(this.#stream)
    this.#state = State.Body
    return 0
  }

  #body(out: Uint8Array, at: number): number {
    if (this.#start === this.#end) return -1
    const stream = this.#stream
    stream.input = this.#buffer
    stream.next_in = this.#start
    stream.avail_in = this.#end - this.#start
    stream.output = out as Uint8Array<ArrayBuffer>
    stream.next_out = at
    stream.avail_out = out.length - at
    const status = this.#inflate.zlibInflate(stream, Z_NO_FLUSH)
    const written = stream.next_out - at
    this.#start = stream.next_in
    this.#crc = crc32(this.#crc, out, at, at + written)
    this.#length = (this.#length + written) >>> 0
    if (status === Z_STREAM_END) this.#state = State.Trailer
    // No progress was possible.
    else if (status === Z_BUF_ERROR) return -1
    else if (status !== Z_OK) return this.#stopped(written)
    return written
  }

  /** The data is broken; what came out before it counts. */
  #stopped(written: number): number {
    const failure = this.#broken('deflate decompression error', 0)
    if (written === 0) throw failure
    this.#failed = failure
    return written
  }

  /** Checksum and length. */
  #trailer(): number {
    if (this.#end - this.#start < TRAILER_LEN) return -1
    if (this.#u32(this.#start) !== this.#crc) throw this.#broken('the checksum is wrong', 4)
    if (this.#u32(this.#start + 4) !== this.#length) throw this.#broken('the length at its end is wrong', TRAILER_LEN)
    this.#start += TRAILER_LEN
    this.#state = State.Padding
    return 0
  }

  /** Another member, or the end. Zeros after the last member are padding. */
  #padding(): number {
    while (this.#start < this.#end && this.#buffer[this.#start] === 0) this.#start += 1
    if (this.#start < this.#end) this.#state = State.Header
    else if (this.#ended) this.#state = State.End
    else return -1
    return 0
  }

  #u32(at: number): number {
    const buffer = this.#buffer
    return ((buffer[at + 3]! << 24) | (buffer[at + 2]! << 16) | (buffer[at + 1]! << 8) | buffer[at]!) >>> 0
  }

  #broken(reason: string, taken: number): Error {
    const offset = this.#before + this.#start + taken
    return damagedError(offset, `the gzip data is damaged: ${reason} (offset in the compressed file)`)
  }

  #cut(): Error {
    return truncatedError('the gzip data', this.#before + this.#end, 1, 0)
  }

  position(): number {
    return this.#inner.position()
  }

  compression(): 'gzip' {
    return 'gzip'
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): void {
    this.#inner.close()
  }
}
