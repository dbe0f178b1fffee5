// Builds captures packet by packet, for tests that say what is in them.
import { LINK, onEthernet, pcap } from '../../scripts/captures/containers.mjs'
import { PROTOCOL, ip, tcp, udp } from '../../scripts/captures/packets.mjs'

/** A packet that a test describes: who, when, what. */
export interface Sketch {
  /** Seconds since the Unix epoch; parts of a microsecond are dropped. */
  at: number
  src: string
  dst: string
  ports?: [number, number]
  /** TCP flags; without them it is UDP, or with `protocol` anything else. */
  flags?: number
  protocol?: number
  payload?: Buffer
}

/** The IP packet of a sketch. */
export function ipPacket({ src, dst, ports, flags, protocol, payload = Buffer.from('data') }: Sketch): Buffer {
  if (ports === undefined) return ip({ src, dst, protocol: protocol ?? 89 }, payload)
  if (flags === undefined) return ip({ src, dst, protocol: PROTOCOL.udp }, udp({ src, dst, ports, payload }))
  const segment = tcp({ src, dst, ports, seq: 1, ack: 1, flags, window: 1000, payload: Buffer.alloc(0) })
  return ip({ src, dst, protocol: PROTOCOL.tcp }, segment)
}

/** Nanoseconds of a time in seconds, in whole microseconds. */
export const nanoseconds = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6)) * 1000n

/** A capture of the packets, in the order given. */
export function captureOf(sketches: readonly Sketch[]): Buffer {
  const frames = sketches.map(sketch => {
    const [ns, packet] = [nanoseconds(sketch.at), ipPacket(sketch)]
    return { ns, data: onEthernet({ ns, packet, src: sketch.src, dst: sketch.dst }) }
  })
  return pcap(frames, { linkType: LINK.ethernet })
}
