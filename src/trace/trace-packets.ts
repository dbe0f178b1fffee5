/** `tracePackets`: a capture's TCP packets, one after another, as flow tracing takes them. */
import { BatchView, parseLayout, type Layout } from '../batch/view.js'
import type { CaptureInfo } from '../capture-info.js'
import type { Engine } from '../engine.js'
import { bindOuter } from '../flow.js'
import { Drive, type DriveOptions, type Slot } from '../iterate.js'
import { abortSignal, checkDecode, checkEngine, checkFilter, checkReading, flag, knownNames, READ_OPTION_NAMES, type ReadOptions } from '../options.js'
import { packetColumns } from '../flow/hooked-records.js'
import { NO_KEY, Upper, type PacketColumns } from '../packet/columns.js'
import { PacketViews } from '../packet/views.js'
import { platform } from '../platform.js'
import { secondsOf } from '../record.js'
import { sourceList, sourceName, type CaptureSource } from '../source.js'
import type { ObserveStats } from '../stats.js'
import { traceFrame } from './frame.js'
import type { TracePacket } from './packet.js'

const TCP = 6

/** How packets are read. */
export type TracePacketsOptions = ReadOptions

/**
 * Reads captures and gives each TCP packet as {@link TraceFlow} takes it, in capture order. What a packet holds is
 * copied: it may be kept.
 *
 * A datagram that came in fragments is the packet that completes it.
 *
 * @throws {@link OptionError} for an option that can't be used; the loop throws {@link CaptureError} after the last packet
 * where a capture couldn't be read in full
 *
 * @example
 * for await (const packet of tracePackets('capture.pcap')) console.log(packet.index, packet.src, packet.dstport)
 */
export function tracePackets(
  source: CaptureSource | readonly CaptureSource[],
  options: TracePacketsOptions = {},
): AsyncGenerator<TracePacket, undefined> {
  knownNames(options, READ_OPTION_NAMES)
  const sources = sourceList(source)
  const drive = { sources, ...checkReading(options, sources.length), signal: abortSignal(options.signal), onError: options.onError }
  return each(new PacketRun(options, drive, sources.length > 1 ? sources.map(sourceName) : null))
}

async function* each(run: PacketRun): AsyncGenerator<TracePacket, undefined> {
  for await (const packets of run.batches()) yield* packets
}

/** One batch of packets, and what lies around them. */
interface PacketSlot extends Slot {
  readonly block: Uint8Array
  readonly columns: FrameColumns
}

interface FrameColumns extends PacketColumns {
  readonly frame: ArrayLike<number>
  readonly frame_captured: ArrayLike<number>
  readonly frame_len: ArrayLike<number>
  readonly link: ArrayLike<number>
  readonly snaplen: ArrayLike<number>
}

/** A run over captures, batch by batch. */
export class PacketRun {
  readonly #drive: Drive<PacketSlot>
  readonly #slots: readonly [PacketSlot, PacketSlot]
  readonly #views = new PacketViews()
  readonly #tellsEncap: boolean
  readonly #captures: readonly string[] | null
  #slot: PacketSlot
  /** Packets with TCP given so far. */
  packets = 0
  /** Fragments that came before the one that completed their datagram, which is given alone. */
  fragments = 0
  /** Packets of flows without TCP. */
  others = 0
  #walked = 0
  /** Keys of the batches that were walked: nobody needs them. */
  #unused: Uint32Array[] = []

  constructor(options: ReadOptions, drive: DriveOptions, captures: readonly string[] | null) {
    this.#captures = captures
    this.#tellsEncap = !flag('ignoreEncap', options.ignoreEncap, false)
    const engine = platform().engines(checkEngine(options.engine)).packets({
      aggregate: false,
      frames: true,
      decode: checkDecode(options),
      ...checkFilter(options.filter),
    })
    this.#slots = this.#makeSlots(engine)
    this.#slot = this.#slots[0]
    this.#drive = new Drive(engine, drive)
  }

  /** Counters so far. */
  get stats(): ObserveStats {
    return this.#slot.view.stats() as unknown as ObserveStats
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return this.#drive.captures
  }

  /** Ends a wait for more, and opens no further capture. */
  finish(): void {
    this.#drive.finish()
  }

  /** The packets of each batch, which must be walked before the next batch is asked for. */
  async *batches(): AsyncGenerator<Iterable<TracePacket>, undefined> {
    for await (const { slot, rows } of this.#drive.batches(this.#slots)) {
      this.#slot = slot
      yield this.#packets(slot.columns, rows)
      this.#walked += 1
      this.#unused.push(Uint32Array.from({ length: rows }, (_, row) => slot.columns.key[row]!))
    }
  }

  *#packets(columns: FrameColumns, rows: number): Generator<TracePacket, undefined> {
    this.#views.place.enter(columns)
    for (let row = 0; row < rows; row++) {
      const meta = columns.meta[row]!
      if (((meta >>> 8) & 0xff) !== TCP) {
        if (columns.key[row] !== NO_KEY) this.others += 1
        continue
      }
      this.#views.place.move(row, meta)
      this.packets += 1
      this.fragments += columns.packets[row]! - 1
      yield this.#packet(columns, row, meta)
    }
  }

  #packet(columns: FrameColumns, row: number, meta: number): TracePacket {
    const { ip, tcp } = this.#views
    const isSound = ((meta >>> 2) & 7) === Upper.Tcp
    const flags = isSound ? tcp.flags : 0
    const at = columns.frame[row]!
    const [index, ns, link] = [columns.number[row]!, columns.ts_ns[row]!, columns.link[row]!]
    const octets = columns.block.slice(at, at + columns.frame_captured[row]!)
    const [snaplen, length] = [columns.snaplen[row]!, columns.frame_len[row]!]
    const frame = traceFrame({ number: index, ns, link, snaplen, length, octets }, ip, isSound ? tcp : null)
    return {
      protocol: link,
      index,
      frame,
      syn: (flags & 2) !== 0,
      fin: (flags & 1) !== 0,
      src: ip.source,
      dst: ip.destination,
      srcport: tcp.srcPort,
      dstport: tcp.dstPort,
      timestamp: secondsOf(ns),
      ack: (flags & 16) !== 0,
      rst: (flags & 4) !== 0,
      ...(isSound ? { seq: tcp.seq } : {}),
      ...(this.#captures === null ? {} : { capture: this.#captures[columns.capture[row]!]! }),
      ...(this.#tellsEncap ? columns.outer(row) : {}),
    }
  }

  #makeSlots(engine: Engine): [PacketSlot, PacketSlot] {
    const layout = parseLayout(engine.layout())
    const length = engine.blockLength()
    return [this.#makeSlot(layout, length), this.#makeSlot(layout, length)]
  }

  #makeSlot(layout: Layout, length: number): PacketSlot {
    const view = new BatchView(layout)
    const block = new Uint8Array(length)
    platform().pin(block.buffer)
    platform().pin(view.bytes.buffer)
    return { view, block, columns: frameColumns(view, block), givenBack: () => this.#giveBack() }
  }

  /** How many batches were walked, and the keys in them. */
  #giveBack(): Uint32Array {
    const length = this.#unused.reduce((sum, keys) => sum + keys.length, 1)
    const out = new Uint32Array(length)
    out[0] = this.#walked
    let at = 1
    for (const keys of this.#unused) {
      out.set(keys, at)
      at += keys.length
    }
    this.#unused = []
    return out
  }
}

function frameColumns(view: BatchView, block: Uint8Array): FrameColumns {
  return {
    ...packetColumns(view, block),
    frame: view.numbers('frame'),
    frame_captured: view.numbers('frame_captured'),
    frame_len: view.numbers('frame_len'),
    link: view.numbers('link'),
    snaplen: view.numbers('snaplen'),
    outer: bindOuter(view),
  }
}
