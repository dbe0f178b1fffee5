/** Builds frames and captures octet by octet, without any of the code under test. */

/** What a TCP frame is made of. */
export interface TcpFields {
  ports: [number, number]
  /** Addresses change places. */
  reversed: boolean
  v6: boolean
  seq: number
  ack: number
  flags: number
  ae: boolean
  /** The three reserved bits before it. */
  reserved: number
  window: number
  checksum: number
  urgent: number
  options: Uint8Array
  payload: Uint8Array
  tos: number
  ttl: number
  id: number
  df: boolean
  /** Octets of the frame that are captured. */
  snap: number
}

const u16 = (value: number): number[] => [value >>> 8, value & 0xff]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]

/** An Ethernet frame with a TCP segment of 10.0.0.1:1000 → 10.0.0.2:80, or of fd00::1 → fd00::2. */
export function tcpFrame(fields: Partial<TcpFields>): Uint8Array {
  const { ports = [1000, 80], seq = 0, ack = 0, flags = 0, window = 0, checksum = 0, urgent = 0 } = fields
  const { options = new Uint8Array(0), payload = new Uint8Array(0), snap } = fields
  const offset = ((20 + options.length) / 4) << 4
  const segment = [
    ...u16(ports[0]), ...u16(ports[1]), ...u32(seq), ...u32(ack), offset | ((fields.reserved ?? 0) << 1) | Number(fields.ae === true), flags,
    ...u16(window), ...u16(checksum), ...u16(urgent), ...options, ...payload,
  ]
  return Uint8Array.from(ipFrame(6, segment, fields)).subarray(0, snap)
}

/** An Ethernet frame with a UDP datagram of 10.0.0.1:1000 → 10.0.0.2:53. */
export function udpFrame({ payload = new Uint8Array(0) }: { payload?: Uint8Array }): Uint8Array {
  return Uint8Array.from(ipFrame(17, [...u16(1000), ...u16(53), ...u16(8 + payload.length), 0, 0, ...payload], {}))
}

/** An ICMP message from 10.0.0.9 to 10.0.0.1 that quotes the IP packet of a frame. */
export function icmpError(frame: Uint8Array, type: number, code = 0): Uint8Array {
  const message = [type, code, 0, 0, 0, 0, 0, 0, ...frame.subarray(14)]
  const out = Uint8Array.from(ipFrame(1, message, {}))
  out.set([10, 0, 0, 9, 10, 0, 0, 1], 26)
  return out
}

function ipFrame(protocol: number, upper: readonly number[], fields: Partial<TcpFields>): number[] {
  const { tos = 0, ttl = 64, id = 0, df = false, v6 = false, reversed = false } = fields
  const ends = reversed ? [2, 1] : [1, 2]
  if (v6) {
    const addresses = ends.flatMap(end => [0xfd, ...Array.from({ length: 14 }, () => 0), end])
    return [...ETHERNET, 0x86, 0xdd, 0x60, 0, 0, 0, ...u16(upper.length), protocol, ttl, ...addresses, ...upper]
  }
  const addresses = ends.flatMap(end => [10, 0, 0, end])
  const header = [0x45, tos, ...u16(20 + upper.length), ...u16(id), df ? 0x40 : 0, 0, ttl, protocol, 0, 0, ...addresses]
  return [...ETHERNET, 8, 0, ...header, ...upper]
}

const ETHERNET = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]

/** A classic pcap file, little-endian, with nanoseconds: times since the epoch and frames. */
export function pcap(frames: readonly (readonly [bigint, Uint8Array])[]): Uint8Array {
  const total = frames.reduce((sum, [, frame]) => sum + 16 + frame.length, 24)
  const out = new Uint8Array(total)
  const view = new DataView(out.buffer)
  ;[0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1].forEach((word, i) => view.setUint32(i * 4, word, true))
  let at = 24
  for (const [time, frame] of frames) {
    const words = [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n), frame.length, frame.length]
    words.forEach((word, i) => view.setUint32(at + i * 4, word, true))
    out.set(frame, at + 16)
    at += 16 + frame.length
  }
  return out
}

/** The packets of such a capture. */
export function packetsOf(capture: Uint8Array): { timestampNs: bigint; data: Uint8Array }[] {
  const [view, packets] = [new DataView(capture.buffer, capture.byteOffset), [] as { timestampNs: bigint; data: Uint8Array }[]]
  for (let at = 24; at < capture.length; at += 16 + view.getUint32(at + 8, true)) {
    const timestampNs = BigInt(view.getUint32(at, true)) * 1_000_000_000n + BigInt(view.getUint32(at + 4, true))
    packets.push({ timestampNs, data: capture.subarray(at + 16, at + 16 + view.getUint32(at + 8, true)) })
  }
  return packets
}
