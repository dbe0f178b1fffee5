/**
 * Captures whose parts need each other: flows, fragments and ICMP errors over the limits of parts, pauses that end flows
 * only by other flows' packets, times that run backwards, one flow that is nearly all.
 */
import { fragments } from './fragmented.js'
import { icmpError, pcap, tcpFrame, udpFrame } from './frames.js'

const SECOND = 1_000_000_000n
const [FIN, SYN, PSH, ACK] = [1, 2, 8, 16]

type Timed = readonly [bigint, Uint8Array]

/** A connection of `ports`, with `count` segments of payload, one every `step` nanoseconds. */
function connection(ports: [number, number], start: bigint, count: number, step: bigint, size = 400): Timed[] {
  const back: [number, number] = [ports[1], ports[0]]
  const [client, server] = [1000 * ports[0], 7000 * ports[0]]
  const frames: Timed[] = [
    [start, tcpFrame({ ports, seq: client, flags: SYN })],
    [start + 1000n, tcpFrame({ ports: back, reversed: true, seq: server, ack: client + 1, flags: SYN | ACK })],
  ]
  for (let i = 0; i < count; i++) {
    const payload = Uint8Array.from({ length: size }, (_, at) => at * 7 + i + ports[0])
    const seq = client + 1 + i * size
    frames.push([start + 2000n + step * BigInt(i), tcpFrame({ ports, seq, ack: server + 1, flags: ACK | PSH, payload })])
    frames.push([start + 3000n + step * BigInt(i), tcpFrame({ ports: back, reversed: true, seq: server + 1, ack: seq + size, flags: ACK })])
  }
  const end = start + 4000n + step * BigInt(count)
  frames.push([end, tcpFrame({ ports, seq: client + 1 + count * size, ack: server + 1, flags: FIN | ACK })])
  frames.push([end + 1n, tcpFrame({ ports: back, reversed: true, seq: server + 1, ack: client + 2 + count * size, flags: FIN | ACK })])
  return frames
}

const inOrder = (frames: readonly Timed[]): Timed[] => frames.toSorted((a, b) => Number(a[0] - b[0]))

/** Fragments of a frame, one every `step` nanoseconds from `start`. */
const fragmented = (frame: Uint8Array, id: number, start: bigint, step: bigint): Timed[] =>
  fragments(withId(frame, id), 104).map((part, i) => [start + step * BigInt(i), part])

function withId(frame: Uint8Array, id: number): Uint8Array {
  const out = frame.slice()
  new DataView(out.buffer).setUint16(18, id)
  return out
}

/** Every third data segment of some connections comes in fragments, far from each other. */
function overParts(): Timed[] {
  const frames: Timed[] = []
  for (let i = 0; i < 12; i++) {
    const whole = connection([2000 + i, 80], SECOND * BigInt(i), 12, SECOND / 2n)
    whole.forEach(([time, frame], at) =>
      frames.push(...(at % 3 === 2 && frame.length > 200 ? fragmented(frame, 100 * i + at, time, SECOND / 9n) : [[time, frame] as const])),
    )
  }
  const lost = fragmented(udpFrame({ payload: new Uint8Array(900) }), 9999, SECOND, SECOND).slice(1)
  return inOrder([...frames, ...lost])
}

/** Flows that end idle because others go on, pauses of hours, and ports that come back. */
function pauses(): Timed[] {
  const frames: Timed[] = []
  const hour = 3600n * SECOND
  for (const start of [0n, hour / 2n, 2n * hour, 2n * hour + 40n * SECOND, 9n * hour, 12n * hour])
    for (let i = 0; i < 6; i++) frames.push(...connection([3000 + i, 443], start + SECOND * BigInt(i), 1 + i, 4n * SECOND).slice(0, i % 2 === 0 ? -2 : undefined))
  for (let minute = 0n; minute < 200n; minute += 7n) frames.push([minute * 60n * SECOND, udpFrame({})])
  return inOrder(frames)
}

/** Errors that quote flows of both directions. */
function quotes(): Timed[] {
  const frames = [4000, 4001, 4002, 4003].flatMap((port, i) => connection([port, 25], SECOND * BigInt(i), 8, SECOND))
  const errors = frames.filter((_, i) => i % 5 === 3).map(([time, frame]): Timed => [time + 500n, icmpError(frame, 3, 1)])
  return inOrder([...frames, ...errors])
}

/** Packets up to seconds too late in the file. */
function backwards(): Timed[] {
  const frames = Array.from({ length: 20 }, (_, i) => connection([5000 + i, 80], SECOND * BigInt(3 * i), 6, 2n * SECOND)).flat()
  return inOrder(frames).map(([time, frame], i): Timed => [i % 11 === 5 ? time - 2n * SECOND - 1n : time, frame])
}

function elephant(): Timed[] {
  const mice = Array.from({ length: 40 }, (_, i) => connection([6001 + i, 80], SECOND * BigInt(i), 2, SECOND)).flat()
  return inOrder([...mice, ...connection([6000, 80], 0n, 3000, SECOND / 60n, 1200)])
}

/** A payload of records that look true, up to the very end. */
function nested(): Timed[] {
  const inner = pcap(connection([7000, 80], 0n, 3, SECOND, 40)).subarray(24)
  const frames = connection([7001, 80], 0n, 40, SECOND)
  return frames.map(([time, frame], i): Timed => [time, frame.length > 200 ? tcpFrame({ ports: [7001, 80], seq: 7_001_001 + i * 2000, flags: ACK | PSH, payload: inner }) : frame])
}

/** All of them. */
export function jobFixtures(): { name: string; octets: Uint8Array }[] {
  const all = { 'fragments over parts': overParts(), 'pauses of hours': pauses(), 'quoted flows': quotes(), 'times that run backwards': backwards(), 'an elephant': elephant(), 'captures in payloads': nested() }
  const start = 1_700_000_000n * SECOND
  return Object.entries(all).map(([name, frames]) => ({ name, octets: pcap(frames.map(([time, frame]) => [start + time, frame])) }))
}
