/** pcap and pcapng, written from TypeScript; the engine writes the same octets when it traces a whole capture. */
import { OptionError } from '../errors.js'
import type { TraceDumper, TraceDumperOptions, TraceOutput } from './dumper.js'
import type { TraceFrame } from './packet.js'

/** Longest packet that readers believe. */
const SNAPLEN = 262_144

/** Classic pcap: header, then a record per frame. */
export class PcapDumper implements TraceDumper {
  readonly #output: TraceOutput
  readonly #options: TraceDumperOptions

  constructor(output: TraceOutput, options: TraceDumperOptions) {
    this.#output = output
    this.#options = options
    const magic = options.nanosecond ? 0xa1b2_3c4d : 0xa1b2_c3d4
    output.write(numbers(options, [[magic, 4], [2, 2], [4, 2], [0, 4], [0, 4], [SNAPLEN, 4], [options.protocol, 4]]))
  }

  dump(frame: TraceFrame): void {
    const { packet, length } = octetsOf(frame)
    const { seconds, nanoseconds } = timeOf(frame, this.#options.nanosecond)
    const rest = this.#options.nanosecond ? nanoseconds : Math.floor(nanoseconds / 1000)
    const fits = seconds >= 0 && seconds <= 0xffff_ffff
    const time = fits ? [seconds, rest] : [seconds < 0 ? 0 : 0xffff_ffff, 0]
    const header = numbers(this.#options, [[time[0]!, 4], [time[1]!, 4], [packet.length, 4], [length, 4]])
    this.#output.write(Buffer.concat([header, packet]))
  }
}

/** pcapng: a section with one interface, then an enhanced packet block per frame. */
export class PcapngDumper implements TraceDumper {
  readonly #output: TraceOutput
  readonly #options: TraceDumperOptions

  constructor(output: TraceOutput, options: TraceDumperOptions) {
    this.#output = output
    this.#options = options
    const section: Field[] = [[0x0a0d_0d0a, 4], [28, 4], [0x1a2b_3c4d, 4], [1, 2], [0, 2], [0xffff_ffff, 4], [0xffff_ffff, 4], [28, 4]]
    const link: Field[] = [[1, 4], [32, 4], [options.protocol, 2], [0, 2], [SNAPLEN, 4], [9, 2], [1, 2], [options.nanosecond ? 9 : 6, 1]]
    output.write(Buffer.concat([numbers(options, [...section, ...link]), Buffer.alloc(7), numbers(options, [[32, 4]])]))
  }

  dump(frame: TraceFrame): void {
    const { packet, length } = octetsOf(frame)
    const { seconds, nanoseconds } = timeOf(frame, this.#options.nanosecond)
    const ns = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
    const ticks = ns < 0n ? 0n : ns / (this.#options.nanosecond ? 1n : 1000n)
    const padding = -packet.length & 3
    const size = 32 + packet.length + padding
    const [high, low] = [Number((ticks >> 32n) & 0xffff_ffffn), Number(ticks & 0xffff_ffffn)]
    const header = numbers(this.#options, [[6, 4], [size, 4], [0, 4], [high, 4], [low, 4], [packet.length, 4], [length, 4]])
    this.#output.write(Buffer.concat([header, packet, Buffer.alloc(padding), numbers(this.#options, [[size, 4]])]))
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
