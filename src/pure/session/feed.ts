/**
 * Packets from one capture after another: opens inputs, fills blocks, keeps the error of a capture that failed. Mirrors
 * `core::session::feed`.
 */
import { OptionError } from '../../errors.js'
import { DecodingInput, FailedInput } from '../capture/decoding-input.js'
import { Filled, QueueInput, type Input } from '../capture/input.js'
import { MergedContainer, MergeInput, MergeMember } from '../capture/merge.js'
import type { Packet } from '../capture/packet.js'
import { BlockReader } from '../capture/reader.js'
import { CaptureLog } from '../capture/report.js'
import { inCapture } from '../error.js'
import type { Filter } from '../filter/filter.js'
import type { Host } from '../host.js'
import type { Source } from './session.js'
import type { Stats } from './stats.js'

/** What filling a block came to. */
export const FeedFilled = {
  /** There are octets to walk. */
  Ready: 0,
  /** More must be pushed first. */
  NeedInput: 1,
  /** The capture is at its end, or failed: see {@link Feed.failed}. */
  End: 2,
  /** Octets are on their way: see {@link Feed.ready}. */
  Waiting: 3,
} as const

/** The capture being read. */
export class Feed {
  /** Where reports of captures that are at their end come to lie. */
  readonly captures = new CaptureLog()
  /** Number of the capture that the latest packet is from, counted from 0. */
  capture = 0
  readonly #host: Host
  readonly #filter: Filter | null
  #pending: Source | null = null
  #input: Input | null = null
  #reader = new BlockReader()
  #name = ''
  /** Why the capture failed; of merged ones several may. */
  #errors: Error[] = []
  /** Number of the next capture, and of the first of those being merged. */
  #nextCapture = 0
  #firstMerged = 0
  /** Where captures are merged. */
  #merge: MergeInput | null = null
  #merged: MergedContainer | null = null
  /** Octets read from captures before this one. */
  #bytesBefore = 0
  #filtered = 0

  /** A feed without a capture; it gives the packets that `filter` chooses. */
  constructor(host: Host, filter: Filter | null) {
    this.#host = host
    this.#filter = filter
  }

  /** Begins with a capture. What was left of the one before is dropped. */
  open(source: Source, name: string): void {
    this.#endCapture()
    this.#errors = []
    this.#name = name
    this.capture = this.#nextCapture
    this.#nextCapture += source.kind === 'merged' ? source.members.length : 1
    this.#pending = source
  }

  /** Why the capture being read failed, once. Of merged captures several may have: ask until there is nothing more. */
  takeError(): Error | undefined {
    return this.#errors.shift()
  }

  /** The capture failed. */
  failed(): boolean {
    return this.#errors.length > 0
  }

  /** Which merged capture needs octets; 0 where nothing is merged. */
  wanted(): number {
    return this.#merge?.wanted ?? 0
  }

  /** Settled when what {@link FeedFilled.Waiting} stood for is there. */
  ready(): Promise<void> {
    return this.#input?.ready() ?? Promise.resolve()
  }

  /** Sets `packet` to the next one in `block`. False: the block is walked to its end, fill another (or the same) one. */
  next(block: Uint8Array, packet: Packet): boolean {
    try {
      for (;;) {
        if (!this.#reader.next(block, packet)) break
        if (this.#merged !== null) this.capture = this.#firstMerged + this.#merged.origin(block, packet)
        if (this.#filter === null || this.#filter.matches(packet, block)) return true
        this.#filtered += 1
      }
    } catch (error) {
      this.#fail(error)
      return false
    }
    this.#reader.release(block)
    return false
  }

  /** Leaves `block` before its end: what wasn't walked comes first in the block that is filled next. */
  leave(block: Uint8Array): void {
    this.#reader.leave(block)
  }

  /** Fills the caller's `block`, once {@link Feed.next} said that the last one is done: one of {@link FeedFilled}. */
  fill(block: Uint8Array): number {
    let filled: number
    try {
      this.#start()
      filled = this.#input === null ? Filled.End : this.#reader.fill(block, this.#input)
    } catch (error) {
      this.#fail(error)
      return FeedFilled.End
    }
    if (filled > 0) return FeedFilled.Ready
    if (filled === Filled.NeedInput) return FeedFilled.NeedInput
    if (filled === Filled.Waiting) return FeedFilled.Waiting
    return this.#end()
  }

  #end(): number {
    try {
      if (this.#input !== null) this.#reader.finish()
    } catch (error) {
      this.#fail(error)
    }
    this.#endCapture()
    return FeedFilled.End
  }

  /** Opens what is waiting to be opened. */
  #start(): void {
    const source = this.#pending
    if (source === null) return
    this.#pending = null
    if (source.kind !== 'merged') {
      this.#input = this.#openOne(source)
      return
    }
    const members = source.members.map(({ source: one, name }) => new MergeMember(this.#openMember(one), name))
    this.#firstMerged = this.capture
    this.#merge = new MergeInput(members, this.capture, this.captures)
    this.#merged = new MergedContainer()
    this.#reader = new BlockReader(this.#merged)
    this.#input = this.#merge
  }

  /** One that can't be opened is as one that failed later. */
  #openMember(source: Source): Input {
    try {
      return this.#openOne(source)
    } catch (error) {
      return new FailedInput(error)
    }
  }

  #openOne(source: Source): Input {
    if (source.kind === 'merged') throw new OptionError("option merge: captures that are merged can't be merged again")
    const inner = source.kind === 'path' ? this.#host.openFile(source.path) : new QueueInput(source.queue)
    return new DecodingInput(inner, this.#host)
  }

  /** Writes how far the input is. */
  count(stats: Stats): void {
    stats.filtered = this.#filtered
    stats.inputBytes = this.#bytesBefore + (this.#input?.position() ?? 0)
  }

  #fail(error: unknown): void {
    const name = this.#name
    this.#endCapture()
    this.#errors.push(inCapture(error, name))
  }

  /** Lets go of the capture and reports it; merged ones report themselves. */
  #endCapture(): void {
    const [input, reader, merge] = [this.#input, this.#reader, this.#merge]
    this.#reader = new BlockReader()
    this.#input = null
    this.#merge = null
    this.#merged = null
    if (input === null) return
    const inputBytes = input.position()
    this.#bytesBefore += inputBytes
    const compression = input.compression()
    input.close()
    if (merge !== null) {
      this.#errors.push(...merge.errors)
      return
    }
    const { totals, info } = reader
    this.captures.add({ capture: this.capture, name: this.#name, compression, inputBytes, totals, info })
  }

  /** Lets go of files. */
  close(): void {
    this.#pending = null
    this.#endCapture()
  }
}
