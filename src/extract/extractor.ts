/** `TCPStreamExtractor`: captures in, TCP streams out: kept for asking, or handed to writers while the reading goes on. */
import type { CaptureInfo } from '../capture-info.js'
import type { Gap } from '../connection.js'
import { OptionError, StateError, type FlowError, type WriterError } from '../errors.js'
import { isLive } from '../live-source.js'
import { PacketFeed, type FedPacket } from '../packet-feed.js'
import { platform } from '../platform.js'
import { needPayload, sourceList, sourceName, type CaptureSource } from '../source.js'
import { NO_STATS, type Direction, type StreamStats } from '../stream-events.js'
import { listFeed } from './list-feed.js'
import { checkExtract, type CheckedExtract, type ExtractOptions } from './options.js'
import { PacketEvents } from './packet-events.js'
import type { StreamInfo } from './part.js'
import { Tracker } from './tracker.js'
import { WriterQueue } from './writer-queue.js'

/** What both sides of a stream sent, in order; octets that are missing are left out and listed. */
export interface ClientServerStreams {
  readonly client: Uint8Array
  readonly server: Uint8Array
  /** Offsets from the first octet after the SYN, and octets. */
  readonly gaps: { readonly client: readonly Gap[]; readonly server: readonly Gap[] }
  /** False: octets were left out because of `maxKeptBytes`. */
  readonly complete: boolean
}

/** One line of a summary. */
export interface StreamSummary extends StreamInfo {
  /** Its octets are kept, all of them so far. */
  readonly complete: boolean
}

/** A packet that was stepped over. */
export interface ExtractedPacket {
  /** The stream that it belongs to, as it stands with this packet. */
  readonly stream: StreamInfo
  /** Number of the packet in its capture, from 1. */
  readonly packet: number
  /** Time, nanoseconds since the Unix epoch. */
  readonly timestampNs: bigint
  readonly direction: Direction
  /** Control bits, `TCP_FIN` to `TCP_CWR`, and 256 (AE). */
  readonly flags: number
  readonly seq: number
  readonly ack: number
  /** Octets of payload on the wire. */
  readonly payloadLength: number
}

/** Counters of a run. Nothing is left out silently. */
export interface ExtractStats extends StreamStats {
  /** Streams begun. */
  streams: number
  /** Streams that are open now. */
  openStreams: number
  /** Streams that ended because they were stale. */
  staleStreams: number
  /** Parts handed to the writers. */
  parts: number
  /** Parts among them that were cut before their stream's end. */
  cutParts: number
  /** Octets of memory of what the writers have not got yet. */
  pendingBytes: number
  /** Octets of parts that wait for the writers, and 1 KiB for each part. */
  queuedBytes: number
  /** Octets kept for `getStreams`, and 1 KiB for each stream. */
  keptBytes: number
  /** Octets that were not kept because of `maxKeptBytes`. */
  unkeptBytes: number
  /** Streams that were not kept at all. */
  unkeptStreams: number
  /** Frames of fragments that belong to no stream: without TCP, or never whole. */
  unclaimedFragments: number
  /** Failures of writers. */
  writerErrors: number
}

/** The results of a connection, by port: what the client sent under its port, what the server sent under its. */
export type PortStreams = Record<number, Uint8Array>

/**
 * Extracts TCP streams from captures, in order of sequence numbers.
 *
 * @example
 * const streams = await new TCPStreamExtractor('capture.pcap').getStreams()
 * for (const [key, sides] of Object.entries(streams)) console.log(key, Object.keys(sides))
 *
 * @example
 * // Captures larger than memory: streams go to files while they are read
 * await new TCPStreamExtractor('big.pcap', { outputDir: 'streams' }).run()
 */
export class TCPStreamExtractor {
  readonly #checked: CheckedExtract
  readonly #events: PacketEvents
  readonly #tracker: Tracker
  readonly #queue: WriterQueue
  readonly #feed: PacketFeed | undefined
  /** Input may come slowly: stale streams are also found by the clock. */
  readonly #isLive: boolean
  #opening: Promise<void> | undefined
  #state: 'reading' | 'ended' | 'failed' = 'reading'
  #running: Promise<ExtractStats> | undefined
  #isStepping = false
  #firstError: FlowError | undefined
  #stopError: WriterError | undefined
  #writerErrors = 0

  /**
   * @param source what is read; without one, and without a `packetList`, packets are pushed
   * @throws {@link OptionError} for options that can't be used
   */
  constructor(source?: CaptureSource | readonly CaptureSource[] | null, options: ExtractOptions = {}) {
    const { packetList } = options
    const given = source ?? null
    if (given !== null && packetList !== undefined)
      throw new OptionError('packetList: packets are read instead of a source, not with one')
    this.#feed = given === null && packetList === undefined ? new PacketFeed() : undefined
    const sources = sourceList(given ?? (packetList === undefined ? this.#feed! : listFeed(packetList)))
    needPayload(sources)
    const checked = checkExtract(options, sources.length)
    this.#checked = checked
    this.#isLive = packetList === undefined && (checked.reading.follow || sources.some(isSlow))
    this.#queue = new WriterQueue(checked.writers, {
      maxQueuedBytes: checked.maxQueuedBytes,
      onError: error => this.#writerFailed(error),
    })
    const engine = platform().engines(checked.engine).streams(checked.streams)
    const captures = sources.length > 1 ? sources.map(sourceName) : null
    this.#tracker = new Tracker(
      {
        ...checked,
        packets: checked.writers.length > 0,
        captures,
        unwant: (slot, id) => engine.unwant(slot, id),
      },
      this.#queue,
    )
    this.#events = new PacketEvents(engine, checked.streams.bare, captures, {
      sources,
      ...checked.reading,
      signal: checked.signal,
      onError: checked.onError,
    })
  }

  /** Counters of the run so far. */
  get stats(): ExtractStats {
    const tracker = this.#tracker
    return {
      ...NO_STATS,
      ...this.#events.stats,
      streams: tracker.opened,
      openStreams: tracker.openStreams,
      staleStreams: tracker.stale,
      parts: tracker.parts,
      cutParts: tracker.cuts,
      pendingBytes: tracker.pendingBytes,
      queuedBytes: this.#queue.queuedBytes,
      keptBytes: tracker.kept.octets,
      unkeptBytes: tracker.kept.unkeptBytes,
      unkeptStreams: tracker.kept.unkeptStreams,
      unclaimedFragments: tracker.unclaimedFragments,
      writerErrors: this.#writerErrors,
    }
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return this.#events.captures
  }

  /**
   * Reads everything that is left and hands it to the writers. May be asked again: the answer is the same.
   *
   * @throws {@link CaptureError} where a capture can't be read in full, {@link WriterError} where a writer failed: see
   * `onError` and `onWriterError`
   */
  run(): Promise<ExtractStats> {
    if (this.#isStepping) throw new StateError('ERR_BUSY', 'run was called while next is under way')
    return (this.#running ??= this.#run())
  }

  /**
   * Reads one packet with TCP, and all that it brings: parts that are due go to the writers.
   *
   * @returns the packet; undefined at the end of the input, when the writers are done
   */
  async next(): Promise<ExtractedPacket | undefined> {
    if (this.#running && this.#state === 'reading') throw new StateError('ERR_BUSY', 'next was called while run is under way')
    if (this.#isStepping) throw new StateError('ERR_BUSY', 'next was called before the answer to the one before')
    if (this.#state !== 'reading') return undefined
    this.#isStepping = true
    try {
      return await this.#guard(() => this.#step())
    } finally {
      this.#isStepping = false
    }
  }

  /**
   * Gives a packet to an extractor without a source.
   *
   * @returns false: too much waits to be read and the packet was not taken; see {@link TCPStreamExtractor.drained}
   * @throws {@link StateError} where there is a source, or after `end`
   */
  push(packet: FedPacket): boolean {
    if (!this.#feed) throw new StateError('ERR_CLOSED', 'push: this extractor reads a source; leave it out to push packets')
    return this.#feed.push(packet)
  }

  /** Resolves when a `push` that was refused may be repeated. */
  drained(): Promise<void> {
    return this.#feed?.drained() ?? Promise.resolve()
  }

  /** No more packets will be pushed. */
  end(): void {
    this.#feed?.end()
  }

  /**
   * What the sides of each connection sent: `'SRC:SPORT ==> DST:DPORT'` → octets by port. A second connection on the
   * same ports has ` #2` behind its key, and so on. Where both ports are equal, the octets of the client stand before
   * those of the server.
   *
   * @throws {@link StateError} where streams go to writers and are not kept
   */
  async getStreams(): Promise<Record<string, PortStreams>> {
    const entries = Object.entries(await this.getClientServerStreams())
    const kept = this.#tracker.kept.streams
    return Object.fromEntries(
      entries.map(([key, { client, server }], i) => {
        const { clientPort, serverPort } = kept[i]!.info
        const equal = clientPort === serverPort
        return [key, equal ? { [clientPort]: Buffer.concat([client, server]) } : { [clientPort]: client, [serverPort]: server }]
      }),
    )
  }

  /** The same, by side instead of by port, with what is missing. Keys are those of `getStreams`. */
  async getClientServerStreams(): Promise<Record<string, ClientServerStreams>> {
    await this.#readForAnswer()
    const seen = new Map<string, number>()
    const out: Record<string, ClientServerStreams> = {}
    for (const { info, chunks, gaps, complete } of this.#tracker.kept.streams) {
      const count = (seen.get(info.key) ?? 0) + 1
      seen.set(info.key, count)
      out[count === 1 ? info.key : `${info.key} #${count}`] = {
        client: join(chunks[0]),
        server: join(chunks[1]),
        gaps: { client: gaps[0], server: gaps[1] },
        complete,
      }
    }
    return out
  }

  /** What is known of each stream: of those that are kept, or where none are kept, of those that are open. */
  async summary(): Promise<StreamSummary[]> {
    if (!this.#checked.keep) {
      if (this.#checked.processPackets && !this.#running) await this.run()
      return Array.from(this.#tracker.openInfos(), info => ({ ...info, complete: false }))
    }
    await this.#readForAnswer()
    return this.#tracker.kept.streams.map(({ info, complete }) => ({ ...info, complete }))
  }

  /** Ends a wait for more input and opens no further capture; what was read is written, and `run` comes to its end. */
  finish(): void {
    this.#feed?.end()
    this.#events.finish()
  }

  /** Stops reading and lets go of files and threads. What the writers have got is written. */
  async stop(): Promise<void> {
    if (this.#state === 'reading') this.#state = 'ended'
    await this.#events.stop()
    await this.#running?.catch(() => {})
    await this.#queue.close()
  }

  async #readForAnswer(): Promise<void> {
    if (!this.#checked.keep)
      throw new StateError('ERR_CLOSED', 'streams go to the writers and are not kept; the option keep does both')
    if (this.#checked.processPackets) await this.run()
    this.#tracker.refreshKept()
    const { unkeptBytes, unkeptStreams } = this.#tracker.kept
    if (unkeptBytes + unkeptStreams > 0)
      process.emitWarning(`${unkeptBytes} octets and ${unkeptStreams} streams more than maxKeptBytes allows were left out`)
  }

  async #run(): Promise<ExtractStats> {
    await this.#guard(async () => {
      await this.#open()
      do {
        this.#events.walk(this.#tracker)
        await this.#makeRoom()
      } while (this.#state === 'reading' && (this.#events.isAhead || (await this.#pull())))
      await this.#finishWriters()
    })
    return this.stats
  }

  async #step(): Promise<ExtractedPacket | undefined> {
    await this.#open()
    while (!this.#events.walk(this.#tracker, true))
      if (!(await this.#pull())) {
        await this.#finishWriters()
        return undefined
      }
    await this.#makeRoom()
    return this.#packet()
  }

  #packet(): ExtractedPacket | undefined {
    const { lastFacts } = this.#tracker
    if (!lastFacts) return undefined
    const { second, nanosecond, number, way, flags, seq, ack, payloadLength } = lastFacts
    const timestampNs = BigInt(second) * 1_000_000_000n + BigInt(nanosecond)
    const direction = way === 0 ? 'fwd' : 'rev'
    return { stream: this.#tracker.lastInfo(), packet: number, timestampNs, direction, flags, seq, ack, payloadLength }
  }

  /** Opens the writers, once. */
  #open(): Promise<void> {
    return (this.#opening ??= this.#queue.open())
  }

  /** Waits for a batch; where the input is live and nothing comes for the stale time, all open streams are stale. */
  async #pull(): Promise<boolean> {
    if (!this.#isLive) return this.#events.pull()
    const wait = Math.min(this.#checked.staleTimeout * 1000, 2 ** 31 - 1)
    const timer = setTimeout(() => this.#tracker.endAll(), wait)
    timer.unref()
    try {
      return await this.#events.pull()
    } finally {
      clearTimeout(timer)
    }
  }

  async #makeRoom(): Promise<void> {
    await this.#queue.room()
    if (this.#stopError) throw this.#stopError
  }

  /** The end of the input: writers write what they gathered. */
  async #finishWriters(): Promise<void> {
    this.#state = 'ended'
    await this.#queue.close()
    const error = this.#stopError ?? this.#firstError
    if (error) throw error
  }

  /** What fails ends the run: nothing is left open. */
  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#state = 'failed'
      await this.#events.stop().catch(() => {})
      await this.#queue.close()
      throw this.#stopError ?? error
    }
  }

  #writerFailed(error: WriterError): void {
    this.#writerErrors += 1
    const { onWriterError, onError } = this.#checked
    if (onWriterError === 'stop') {
      this.#stopError ??= error
      this.#queue.halt()
      this.#events.finish()
    } else if (onError) onError(error)
    else this.#firstError ??= error
  }
}

/** What isn't a file may stay silent. */
function isSlow(source: CaptureSource): boolean {
  if (isLive(source)) return true
  return !(typeof source === 'string' && source !== '-') && !(source instanceof URL) && !(source instanceof Uint8Array)
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}
