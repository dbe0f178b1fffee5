/** One pass over all packets: what is in the captures, traffic over time, and who sends most. */
import { BatchView, parseLayout, type Layout } from '../batch/view.js'
import type { CaptureInfo } from '../capture-info.js'
import { packetColumns } from '../flow/hooked-records.js'
import { Drive, type Slot } from '../iterate.js'
import { checkDecode, checkEngine, checkFilter, checkReading, type ReadOptions } from '../options.js'
import { NO_KEY, type PacketColumns } from '../packet/columns.js'
import { platform } from '../platform.js'
import type { CaptureSource } from '../source.js'
import type { ObserveStats } from '../stats.js'
import { TimeBins } from './bins.js'
import type { Share, TalkerFacts } from './shapes.js'
import { AddressSums } from './talkers.js'

/** Addresses that are listed. */
const LISTED = 100

/** What the pass found. */
export interface Overview {
  readonly captures: readonly CaptureInfo[]
  readonly protocols: Share[]
  readonly talkers: TalkerFacts[]
  readonly talkersApproximate: boolean
  readonly addresses: number
  readonly startMs: number
  readonly binMs: number
  /** Octets in each bin, of TCP, UDP and other IP packets; then packets. */
  readonly columns: readonly Float64Array[]
}

interface PacketSlot extends Slot {
  readonly block: Uint8Array
  readonly columns: PacketColumns
}

/** Called with each batch: counters so far. */
export type OnBatch = (stats: { inputBytes: number; packets: number }) => void

/** Reads the captures. What can't be read in full goes to nobody: the pass over connections tells of it. */
export async function gatherOverview(
  sources: readonly CaptureSource[],
  options: ReadOptions,
  onBatch: OnBatch,
): Promise<Overview> {
  // One flow key for all packets: nobody asks for flows.
  const engine = platform().engines(checkEngine(options.engine)).packets({
    aggregate: true,
    decode: checkDecode(options),
    ...checkFilter(options.filter),
  })
  let walked = 0
  const layout = parseLayout(engine.layout())
  const length = engine.blockLength()
  const slot = () => packetSlot(layout, length, () => Uint32Array.of(walked))
  const slots = [slot(), slot()] as const
  const { merge, follow } = checkReading(options, sources.length)
  const drive = new Drive<PacketSlot>(engine, { sources, merge, follow, signal: options.signal, onError: () => {} })
  const sums = new Sums()
  let last = slots[0]
  for await (const { slot: filled, rows } of drive.batches(slots)) {
    sums.walk(filled.columns, rows)
    walked += 1
    last = filled
    onBatch(filled.view.stats() as unknown as ObserveStats)
  }
  const stats = last.view.stats() as unknown as ObserveStats
  return { captures: drive.captures, ...sums.finish(), protocols: [...sums.shares(), ...withoutIp(stats)] }
}

function packetSlot(layout: Layout, length: number, givenBack: () => Uint32Array): PacketSlot {
  const view = new BatchView(layout)
  const block = new Uint8Array(length)
  platform().pin(block.buffer)
  platform().pin(view.bytes.buffer)
  return { view, block, columns: packetColumns(view, block), givenBack }
}

const PROTOCOLS = ['IPv4', 'IPv6', 'TCP', 'UDP', 'ICMP', 'ICMPv6', 'other IP'] as const
const TCP = 6
const UDP = 17
const PLACES: Readonly<Record<number, number>> = { [TCP]: 2, [UDP]: 3, 1: 4, 58: 5 }

/** What is added up, packet by packet. */
class Sums {
  readonly #bins = new TimeBins(4, 1000, 1200)
  readonly #addresses = new AddressSums()
  readonly #packets = new Float64Array(PROTOCOLS.length)
  readonly #octets = new Float64Array(PROTOCOLS.length)

  walk(columns: PacketColumns, rows: number): void {
    for (let row = 0; row < rows; row++) {
      // A row that only moves the clock.
      if (columns.key[row] === NO_KEY) continue
      this.#packet(columns, row)
    }
  }

  #packet(columns: PacketColumns, row: number): void {
    const meta = columns.meta[row]!
    const [packets, octets, ip] = [columns.packets[row]!, columns.octets[row]!, columns.ip[row]!]
    const [isV6, proto] = [(meta & 0x80) !== 0, (meta >>> 8) & 0xff]
    this.#count(isV6 ? 1 : 0, packets, octets)
    this.#count(PLACES[proto] ?? 6, packets, octets)
    const at = this.#bins.at(columns.second[row]! * 1e6 + columns.nanosecond[row]! / 1000)
    const { sums } = this.#bins
    sums[at + (proto === TCP ? 0 : proto === UDP ? 1 : 2)]! += octets
    sums[at + 3]! += packets
    if (isV6) {
      this.#addresses.add6(columns.block, ip + 8, 0, packets, octets)
      this.#addresses.add6(columns.block, ip + 24, 2, packets, octets)
    } else {
      this.#addresses.add4(columns.block, ip + 12, 0, packets, octets)
      this.#addresses.add4(columns.block, ip + 16, 2, packets, octets)
    }
  }

  #count(protocol: number, packets: number, octets: number): void {
    this.#packets[protocol]! += packets
    this.#octets[protocol]! += octets
  }

  shares(): Share[] {
    return PROTOCOLS.map((name, i) => ({ name, packets: this.#packets[i]!, octets: this.#octets[i]! })).filter(
      share => share.packets > 0,
    )
  }

  finish(): Omit<Overview, 'captures' | 'protocols'> {
    const { startMs, binMs, columns } = this.#bins.finish()
    const addresses = this.#addresses
    return {
      startMs,
      binMs,
      columns,
      addresses: addresses.size,
      talkers: addresses.top(LISTED),
      talkersApproximate: addresses.approximate,
    }
  }
}

/** Packets without IP, and those that can't be read, by reason. */
function withoutIp(stats: ObserveStats): Share[] {
  const reasons: [string, number][] = [
    ['no IP', stats.nonIp],
    ['unknown link type', stats.unknownLink],
    ['cut in a header', stats.cut],
    ['broken header', stats.broken],
    ['incomplete datagrams', stats.incomplete + stats.fragmentTimeouts + stats.fragmentEvictions],
  ]
  return reasons.filter(([, packets]) => packets > 0).map(([name, packets]) => ({ name, packets, octets: null }))
}
