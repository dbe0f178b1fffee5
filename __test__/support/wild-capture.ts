// Generates captures that no host would make: segments of a few connections with sequence numbers, acknowledgements,
// flags, windows and times picked so that every rule of reassembly meets its exceptions. The same seed gives the same
// capture. There is no right answer here: it is for two engines that must say the same.
import { pcap, tcpFrame, type TcpFields } from './frames.js'
import { Random } from './random.js'
import { ACK, FIN, PSH, RST, SYN } from './stream-capture.js'

const URG = 32

/** How wild it is. */
export interface Wildness {
  /** Packets. */
  packets?: number
  /** Ports that clients use: few ports are used again soon. */
  ports?: number
  /** Longest payload. */
  payload?: number
  /** Octets are flipped, and the end is cut off. */
  damage?: boolean
}

/** One direction as its host sees it. */
class Host {
  isn: number
  /** Offset of the next octet to be sent, from the SYN on. */
  next = 0
  /** What the octets are made of: the same offset has the same octet, unless it lies. */
  readonly key: number

  constructor(random: Random) {
    this.isn = random.once(3) ? 2 ** 32 - 1 - random.below(300) : random.below(2 ** 32)
    this.key = random.below(251)
  }

  octet(offset: number): number {
    return (this.key + offset * 31) & 0xff
  }
}

/** A capture. */
export function wildCapture(seed: number, wildness: Wildness = {}): Uint8Array {
  const random = new Random(seed)
  const { packets = 120, ports = 3, payload = 60 } = wildness
  const hosts = Array.from({ length: ports }, () => [new Host(random), new Host(random)] as const)
  let time = 1_000_000_000_000_000_000n + BigInt(random.below(1_000_000_000))
  const frames = Array.from({ length: packets }, (): [bigint, Uint8Array] => {
    time += step(random)
    const port = random.below(ports)
    const way = random.below(2) as 0 | 1
    const pair = hosts[port]!
    const fields = segment(random, pair[way], pair[1 - way]!, payload)
    const ends: [number, number] = way === 0 ? [1000 + port, 80] : [80, 1000 + port]
    const common = { ports: ends, reversed: way === 1, v6: port % 3 === 2, ...fields }
    return [time, tcpFrame(random.once(25) ? { ...common, snap: 54 + random.below(70) } : common)]
  })
  const capture = pcap(frames)
  return wildness.damage === true ? damaged(random, capture) : capture
}

/** Mostly microseconds; sometimes as long as a patience, a linger or an idle time, or backwards. */
function step(random: Random): bigint {
  if (!random.once(12)) return 10_000n
  const steps = [400_000_000n, 1_999_999_999n, 2_000_000_000n, 61_000_000_000n, 121_000_000_000n, -5_000_000_000n]
  const rare = [3_600_000_000_000n, 3_600_000_000_001n, 7_300_000_000_000n, -3_700_000_000_000n, 86_400_000_000_000n]
  return random.once(8) ? rare[random.below(rare.length)]! : steps[random.below(steps.length)]!
}

function segment(random: Random, own: Host, peer: Host, longest: number): Partial<TcpFields> {
  const fields = picked(random, own, longest)
  const fromPeer = random.once(4) ? random.below(peer.next + 40) : peer.next
  const ack = random.once(60) ? random.below(2 ** 32) : (peer.isn + 1 + Math.max(0, fromPeer - 1)) >>> 0
  const window = random.once(8) ? 0 : random.below(65_536)
  const isFirst = (fields.flags! & SYN) !== 0 && random.once(2)
  return { ack, window, ...fields, flags: isFirst ? fields.flags! : fields.flags! | (random.once(20) ? 0 : ACK) }
}

/** What a segment is: its place, flags and payload. */
function picked(random: Random, own: Host, longest: number): Partial<TcpFields> {
  const at = (offset: number) => (own.isn + offset) >>> 0
  const what = random.below(100)
  if (own.next === 0 || what < 3) {
    // A SYN: the same again, or one that uses the ports again.
    if (own.next > 0 && random.once(2)) Object.assign(own, { isn: random.below(2 ** 32), next: 0 })
    own.next = Math.max(1, own.next)
    const options = random.once(2) ? Uint8Array.of(2, 4, 5, 180, 4, 2, 1, 3, 3, random.below(16), 1, 1) : undefined
    const data = random.once(6) ? octets(random, own, 1, random.below(longest)) : undefined
    return { seq: at(0), flags: SYN, ...(options && { options }), ...(data && { payload: data }) }
  }
  if (what < 5) return { seq: at(own.next + random.below(3) * 70_000), flags: RST }
  if (what < 8) return { seq: at(own.next), flags: FIN | PSH, payload: octets(random, own, own.next, random.below(9)) }
  if (what < 12) return { seq: at(own.next - 1), flags: 0, payload: octets(random, own, own.next - 1, random.below(2)) }
  if (what < 16) return { seq: at(own.next), flags: 0 }
  if (what < 19) return { seq: at(own.next + 2 ** 30 + random.below(2 ** 31)), flags: PSH, payload: octets(random, own, 7, 5) }
  if (what < 20) own.next += 2 ** 30 + random.below(2 ** 31)
  if (what < 26) own.next += random.below(200)
  const back = what < 46 ? random.below(Math.min(own.next, 150) + 1) : 0
  const from = own.next - back
  const length = what < 30 ? 1 : 1 + random.below(longest)
  const ahead = what >= 90 ? random.below(120) : 0
  if (ahead === 0) own.next = Math.max(own.next, from + length)
  const flags = what === 50 ? PSH | URG : PSH
  return { seq: at(from + ahead), flags, urgent: flags & URG ? 3 : 0, payload: octets(random, own, from + ahead, length) }
}

/** Octets of a host's stream; sometimes a few of them are others. */
function octets(random: Random, own: Host, from: number, length: number): Uint8Array {
  const lies = random.once(3)
  return Uint8Array.from({ length }, (_, i) => own.octet(from + i) ^ (lies && random.once(6) ? 0x55 : 0))
}

/** Some octets are flipped, and the capture ends early. */
function damaged(random: Random, capture: Uint8Array): Uint8Array {
  const out = capture.slice(0, random.once(2) ? capture.length : 24 + random.below(capture.length - 24))
  for (let i = random.below(4); i > 0; i--) out[24 + random.below(out.length - 24)]! ^= 1 << random.below(8)
  return out
}
