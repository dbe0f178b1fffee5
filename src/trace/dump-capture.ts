/** pcap and pcapng, written from TypeScript; the engine writes the same octets when it traces a whole capture. */
import { OptionError } from '../errors.js'
import type { TraceDumper, TraceDumperOptions, TraceOutput } from './dumper.js'
import type { TraceFrame } from './packet.js'

/** Snapshot length of a classic pcap without one: the longest packet that readers believe. */
const NO_SNAPLEN = 262_144

/** What writes captures counts frames whose time the format can't hold. */
abstract class CaptureDumper {
  badTimes = 0
  protected readonly output: TraceOutput
  protected readonly options: TraceDumperOptions

  constructor(output: TraceOutput, options: TraceDumperOptions) {
    this.output = output
    this.options = options
  }
}

/** The frames of a dumper whose time its format can't hold: another one stands there. */
export const badTimesOf = (dumper: TraceDumper): number => (dumper instanceof CaptureDumper ? dumper.badTimes : 0)

/** Classic pcap: header, then a record per frame. The header comes with the first frame, whose snapshot length it has. */
export class PcapDumper extends CaptureDumper implements TraceDumper {
  #isFirst = true

  dump(frame: TraceFrame): void {
    const { packet, length } = octetsOf(frame)
    const { seconds, nanoseconds } = timeOf(frame, this.options.nanosecond)
    const rest = this.options.nanosecond ? nanoseconds : Math.floor(nanoseconds / 1000)
    const fits = seconds >= 0 && seconds <= 0xffff_ffff
    if (!fits) this.badTimes += 1
    const time = fits ? [seconds, rest] : [seconds < 0 ? 0 : 0xffff_ffff, 0]
    const header = numbers(this.options, [[time[0]!, 4], [time[1]!, 4], [packet.length, 4], [length, 4]])
    const head = this.#isFirst ? [this.#head(frame)] : []
    this.#isFirst = false
    this.output.write(Buffer.concat([...head, header, packet]))
  }

  #head({ link_type = this.options.protocol, snaplen = 0 }: TraceFrame): Buffer {
    const magic = this.options.nanosecond ? 0xa1b2_3c4d : 0xa1b2_c3d4
    return numbers(this.options, [[magic, 4], [2, 2], [4, 2], [0, 4], [0, 4], [snaplen || NO_SNAPLEN, 4], [link_type, 4]])
  }
}

/** pcapng: a section, then an interface for each link type and snapshot length, and an enhanced packet block per frame. */
export class PcapngDumper extends CaptureDumper implements TraceDumper {
  readonly #interfaces: string[] = []

  dump(frame: TraceFrame): void {
    const { packet, length } = octetsOf(frame)
    const { seconds, nanoseconds } = timeOf(frame, this.options.nanosecond)
    const ns = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
    if (ns < 0n) this.badTimes += 1
    const ticks = ns < 0n ? 0n : ns / (this.options.nanosecond ? 1n : 1000n)
    const padding = -packet.length & 3
    const size = 32 + packet.length + padding
    const [high, low] = [Number((ticks >> 32n) & 0xffff_ffffn), Number(ticks & 0xffff_ffffn)]
    const [head, number] = this.#interface(frame)
    const header = numbers(this.options, [[6, 4], [size, 4], [number, 4], [high, 4], [low, 4], [packet.length, 4], [length, 4]])
    this.output.write(Buffer.concat([head, header, packet, Buffer.alloc(padding), numbers(this.options, [[size, 4]])]))
  }

  /** The frame's interface, and what must stand before its first packet. */
  #interface({ link_type = this.options.protocol, snaplen = 0 }: TraceFrame): [head: Buffer, number: number] {
    const known = this.#interfaces.indexOf(`${link_type} ${snaplen}`)
    if (known >= 0) return [Buffer.alloc(0), known]
    const number = this.#interfaces.push(`${link_type} ${snaplen}`) - 1
    const section: Field[] = [[0x0a0d_0d0a, 4], [28, 4], [0x1a2b_3c4d, 4], [1, 2], [0, 2], [0xffff_ffff, 4], [0xffff_ffff, 4], [28, 4]]
    const resolution = this.options.nanosecond ? 9 : 6
    const link: Field[] = [[1, 4], [32, 4], [link_type, 2], [0, 2], [snaplen, 4], [9, 2], [1, 2], [resolution, 1], [0, 1], [0, 2], [0, 4], [32, 4]]
    return [numbers(this.options, number === 0 ? [...section, ...link] : link), number]
  }
}

type Field = readonly [value: number, octets: 1 | 2 | 4]

function numbers({ byteorder }: TraceDumperOptions, fields: readonly Field[]): Buffer {
  const out = Buffer.alloc(fields.reduce((sum, [, octets]) => sum + octets, 0))
  let at = 0
  for (const [value, octets] of fields)
    at = byteorder === 'big' ? out.writeUIntBE(value, at, octets) : out.writeUIntLE(value, at, octets)
  return out
}

function octetsOf(frame: TraceFrame): { packet: Uint8Array; length: number } {
  const { packet, len, frame_info } = frame
  if (!(packet instanceof Uint8Array)) throw new OptionError('packet.frame.packet: expected the octets of the frame')
  return { packet, length: Math.max(packet.length, len ?? frame_info?.orig_len ?? 0) }
}

/** Whole seconds, and nanoseconds after them. */
function timeOf(frame: TraceFrame, nanosecond: boolean): { seconds: number; nanoseconds: number } {
  const { time_epoch, frame_info } = frame
  if (time_epoch === undefined) {
    if (frame_info === undefined) throw new OptionError('packet.frame: expected a time: time_epoch, or frame_info')
    return { seconds: frame_info.ts_sec, nanoseconds: frame_info.ts_usec * (nanosecond ? 1 : 1000) }
  }
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?\d*$/.exec(time_epoch) ?? []
  if (whole === undefined) throw new OptionError(`packet.frame.time_epoch: expected decimal seconds, not '${time_epoch}'`)
  const [seconds, nanoseconds] = [Number(whole), Number(fraction.padEnd(9, '0'))]
  if (sign === '' || seconds + nanoseconds === 0) return { seconds, nanoseconds }
  return nanoseconds === 0 ? { seconds: -seconds, nanoseconds } : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds }
}
