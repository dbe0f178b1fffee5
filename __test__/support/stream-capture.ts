// Generates captures of TCP connections as a bad capture point sees them: segments lost, late, twice, overlapping, with
// other octets the second time. The same seed gives the same capture.
import { pcap, tcpFrame, type TcpFields } from './frames.js'
import { Random } from './random.js'

export const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16] as const

/** How bad it is: each happens to one segment in so many; 0 = never. */
export interface Trouble {
  connections?: number
  /** Octets of each side, at most. */
  octets?: number
  loss?: number
  duplicate?: number
  overlap?: number
  conflict?: number
  /** Segments change places with one at most so far behind. */
  reorder?: number
  /** Sequence numbers begin just below 2^32. */
  wrap?: boolean
}

type Step = Partial<TcpFields>

/** Frames by time: 10 µs apart, so that no patience and no idle time runs out. */
export function framesOf(steps: readonly Step[], startNs = 1_000_000_000_000n): [bigint, Uint8Array][] {
  return steps.map((step, i) => [startNs + BigInt(i) * 10_000n, tcpFrame({ window: 65_535, ...step })])
}

/** A capture with trouble. */
export function troubledCapture(seed: number, trouble: Trouble): Uint8Array {
  const random = new Random(seed)
  const queues = Array.from({ length: trouble.connections ?? 3 }, (_, i) => connection(random, 1000 + i, trouble))
  const steps: Step[] = []
  while (queues.some(queue => queue.length > 0)) {
    const step = queues[random.below(queues.length)]!.shift()
    if (step) steps.push(step)
  }
  return pcap(framesOf(steps))
}

/** The segments of one connection, as the capture has them. */
function connection(random: Random, port: number, trouble: Trouble): Step[] {
  const isns = [0, 0].map(() => (trouble.wrap ? 2 ** 32 - 1 - random.below(200) : random.below(2 ** 31) * 2)) as [number, number]
  const ends = [0, 0].map(() => random.below(trouble.octets ?? 4000)) as [number, number]
  const data = ends.map(length => random.octets(length)) as [Uint8Array, Uint8Array]
  const build = (way: 0 | 1, flags: number, offset: number, payload?: Uint8Array): Step => ({
    ports: way === 0 ? [port, 80] : [80, port],
    reversed: way === 1,
    seq: (isns[way] + offset) >>> 0,
    ack: (isns[1 - way]! + 1) >>> 0,
    flags,
    ...(payload ? { payload } : {}),
  })
  const middle = [0 as const, 1 as const].flatMap(way => segments(random, way, data[way]!, trouble, build))
  shuffle(random, middle, trouble.reorder ?? 0)
  const fins = [build(0, FIN | ACK, 1 + ends[0]), build(1, FIN | ACK, 1 + ends[1])]
  return [build(0, SYN, 0), build(1, SYN | ACK, 0), build(0, ACK, 1), ...middle, ...fins]
}

function segments(
  random: Random,
  way: 0 | 1,
  data: Uint8Array,
  trouble: Trouble,
  build: (way: 0 | 1, flags: number, offset: number, payload?: Uint8Array) => Step,
): Step[] {
  const steps: Step[] = []
  const happens = (rate: number | undefined) => rate !== undefined && rate > 0 && random.once(rate)
  const push = (from: number, to: number, octets = data) =>
    steps.push(build(way, PSH | ACK, 1 + from, octets.slice(from, to)))
  for (let at = 0; at < data.length; ) {
    // One octet alone may be a keep-alive or a probe: none here.
    const left = data.length - at
    let end = Math.min(data.length, at + 2 + random.below(300))
    if (data.length - end === 1) end = left > 3 ? end - 1 : data.length
    if (!happens(trouble.loss)) push(at, end)
    if (happens(trouble.duplicate)) push(at, end)
    if (happens(trouble.overlap)) {
      const from = Math.max(0, at - random.below(200))
      const to = Math.min(data.length, end + random.below(200))
      push(from, to, happens(trouble.conflict) ? data.map(octet => (random.once(7) ? octet ^ 0xff : octet)) : data)
    }
    at = end
  }
  return steps
}

function shuffle(random: Random, steps: Step[], reach: number): void {
  if (reach === 0) return
  for (let i = 0; i < steps.length; i++) {
    const other = Math.min(steps.length - 1, i + random.below(reach + 1))
    ;[steps[i], steps[other]] = [steps[other]!, steps[i]!]
  }
}
