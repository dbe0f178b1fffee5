// Generates capture files of every format around frames, and damages them. The same seed gives the same file.
import { gzipSync } from 'node:zlib'
import type { Random } from './random.js'
import { ipPackets, LINK_TYPES, linkFrame, pick } from './wild-frames.js'

/** A frame and what its record says. */
interface Captured {
  second: number
  nanosecond: number
  link: number
  octets: Uint8Array
  wireLength: number
}

/** A capture of one of the formats, with packets of any kind; perhaps damaged, perhaps compressed. */
export function wildFile(random: Random, packets = 60): Uint8Array {
  const links = random.once(2) ? [1] : [pick(random, LINK_TYPES), pick(random, LINK_TYPES)]
  const list = captured(random, links, packets)
  const plain = random.once(2) ? pcapFile(random, list, links[0]!) : pcapngFile(random, list)
  const file = random.once(5) ? damaged(random, plain) : plain
  if (!random.once(6)) return file
  const half = random.below(file.length)
  const members = random.once(3) ? [file.subarray(0, half), file.subarray(half)] : [file]
  const packed = Buffer.concat(members.map(member => gzipSync(member)))
  // The tail of compressed data: a checksum that is wrong, or data that is cut or followed by something.
  if (random.once(5)) packed[packed.length - 1 - random.below(8)]! ^= 1
  if (random.once(5)) return packed.subarray(0, packed.length - random.below(packed.length))
  return random.once(5) ? Buffer.concat([packed, Buffer.alloc(random.below(4)), Buffer.from(random.once(2) ? 'x' : '')]) : packed
}

/** Frames in the order of a capture; times mostly go on. */
function captured(random: Random, links: readonly number[], packets: number): Captured[] {
  const list: Captured[] = []
  let time = 1_767_607_200_000_000_000n + BigInt(random.below(1_000_000_000))
  while (list.length < packets)
    for (const packet of ipPackets(random)) {
      time += BigInt(random.once(9) ? pick(random, [1e9, 4e9, 31e9, -2e9, 70e9]) : random.below(3_000_000))
      const link = pick(random, links)
      const whole = linkFrame(random, link, packet)
      const octets = Uint8Array.from(random.once(9) ? whole.slice(0, random.below(whole.length + 1)) : whole)
      const wireLength = random.once(40) ? random.below(whole.length) : whole.length
      list.push({ second: Number(time / 1_000_000_000n), nanosecond: Number(time % 1_000_000_000n), link, octets, wireLength })
    }
  return list
}

/** Some octets are flipped, and the file ends early. */
function damaged(random: Random, file: Uint8Array): Uint8Array {
  const out = file.slice(0, random.once(2) ? file.length : random.below(file.length + 1))
  for (let i = random.below(4); i > 0 && out.length > 0; i--) out[random.below(out.length)]! ^= 1 << random.below(8)
  return out
}

/** Writes numbers in one byte order. */
class Writer {
  readonly parts: Uint8Array[] = []
  readonly #little: boolean

  constructor(little: boolean) {
    this.#little = little
  }

  u16(...values: number[]): this {
    for (const value of values) this.#put(2, view => view.setUint16(0, value & 0xffff, this.#little))
    return this
  }

  u32(...values: number[]): this {
    for (const value of values) this.#put(4, view => view.setUint32(0, value >>> 0, this.#little))
    return this
  }

  u64(value: bigint): this {
    return this.#put(8, view => view.setBigUint64(0, value, this.#little))
  }

  octets(value: Uint8Array | string, padded = true): this {
    const octets = typeof value === 'string' ? Buffer.from(value) : value
    this.parts.push(octets, new Uint8Array(padded ? -octets.length & 3 : 0))
    return this
  }

  whole(): Uint8Array {
    return Buffer.concat(this.parts)
  }

  #put(length: number, write: (view: DataView) => void): this {
    const part = new Uint8Array(length)
    write(new DataView(part.buffer))
    this.parts.push(part)
    return this
  }
}

function pcapFile(random: Random, list: readonly Captured[], link: number): Uint8Array {
  const [magic, unit, isModified] = pick(random, [[0xa1b2c3d4, 1000, false], [0xa1b23c4d, 1, false], [0xa1b2cd34, 1000, true]] as const)
  const out = new Writer(random.once(2)).u32(magic).u16(...pick(random, [[2, 4], [2, 4], [2, 4], [2, 3], [2, 5], [1, 0]]))
  out.u32(0, 0, random.once(9) ? 0xffff_ffff : 262_144, link | (random.once(6) ? 0x2400_0000 : 0) | (random.once(9) ? 0x10_0000 : 0))
  for (const { second, nanosecond, octets, wireLength } of list) {
    out.u32(second, Math.floor(nanosecond / unit) + (random.once(90) ? 2_000_000 : 0), octets.length, wireLength)
    if (isModified) out.u32(0, 0)
    out.octets(octets, false)
  }
  return out.whole()
}

/** Blocks with a section of either order, interfaces of the link types used, and everything else between. */
function pcapngFile(random: Random, list: readonly Captured[]): Uint8Array {
  const parts: Uint8Array[] = []
  let [at, section] = [0, 0]
  while (at < list.length || section === 0) {
    const writer = new Section(random)
    const end = random.once(3) ? at + random.below(40) : list.length
    for (; at < end && at < list.length; at++) writer.packet(list[at]!)
    parts.push(writer.finish())
    section += 1
  }
  return Buffer.concat(parts)
}

class Section {
  readonly #random: Random
  readonly #little: boolean
  readonly #parts: Uint8Array[] = []
  /** Interfaces by link type: number and resolution. */
  readonly #interfaces = new Map<number, { number: number; resolution: number; snaplen: number }>()

  constructor(random: Random) {
    this.#random = random
    this.#little = random.once(2)
    const options = this.#options([[1, 'a comment'], [2, 'a machine'], [3, 'a system'], [4, 'a program\0and more'], [77, '?']])
    this.#block(0x0a0d_0d0a, out => out.u32(0x1a2b_3c4d).u16(1, 0).u64(2n ** 64n - 1n).octets(options))
  }

  packet(one: Captured): void {
    const random = this.#random
    if (random.once(12)) this.#extra()
    const { number, resolution, snaplen } = this.#interface(one.link)
    const ns = BigInt(one.second) * 1_000_000_000n + BigInt(one.nanosecond)
    const ticks = resolution >= 0x80 ? (ns << BigInt(resolution & 0x7f)) / 1_000_000_000n : scaled(ns, resolution)
    const high = Number(ticks >> 32n)
    const low = Number(ticks & 0xffff_ffffn)
    const { octets, wireLength } = one
    const how = random.below(20)
    // A simple packet's length follows from the snapshot length of the first interface.
    if (how === 0 && number === 0 && snaplen === 0 && octets.length === wireLength)
      return this.#block(3, out => out.u32(wireLength).octets(octets))
    if (how === 1)
      return this.#block(2, out => out.u16(number, pick(random, [0, 3, 0xffff])).u32(high, low, octets.length, wireLength).octets(octets))
    const drops = this.#number(4, 5n)
    const options = random.once(8) ? Buffer.concat([this.#options([[1, 'on a packet']]), ...(random.once(2) ? [drops] : [])]) : new Uint8Array(0)
    this.#block(6, out => out.u32(number, high, low, octets.length, wireLength).octets(octets).octets(options))
  }

  finish(): Uint8Array {
    if (this.#random.once(2)) this.#extra()
    return Buffer.concat(this.#parts)
  }

  #interface(link: number): { number: number; resolution: number; snaplen: number } {
    const random = this.#random
    const known = this.#interfaces.get(link)
    if (known !== undefined) return known
    const resolution = pick(random, [6, 6, 9, 9, 3, 0, 12, 0x94, 0xa0])
    const one = { number: this.#interfaces.size, resolution, snaplen: random.once(2) ? 0 : 65_535 }
    this.#interfaces.set(link, one)
    const options = [this.#options([[2, 'eth0'], [3, 'an interface'], [11, '\0tcp']]), this.#option(9, Uint8Array.of(resolution))]
    if (random.once(4)) options.push(this.#number(8, 10_000_000_000n), this.#option(13, Uint8Array.of(4)))
    if (random.once(6)) options.push(this.#number(14, random.once(2) ? 3600n : 2n ** 64n - 60n))
    this.#block(1, out => out.u16(link, 0).u32(one.snaplen).octets(Buffer.concat(options)))
    return one
  }

  /** A block that carries no packet. */
  #extra(): void {
    const random = this.#random
    if (random.once(2) && this.#interfaces.size > 0) {
      const counters = Buffer.concat([4, 5, 6, 7, 8].filter(() => random.once(2)).map(code => this.#number(code, BigInt(random.below(1e6)))))
      this.#block(5, out => out.u32(random.below(this.#interfaces.size), 0, 0).octets(counters))
    } else this.#block(pick(random, [4, 9, 10, 0x0bad, 0x4000_0bad, 4711]), out => out.octets(random.octets(random.below(80))))
  }

  #block(type: number, write: (out: Writer) => unknown): void {
    const body = new Writer(this.#little)
    write(body)
    const octets = body.whole()
    const length = octets.length + 12
    this.#parts.push(new Writer(this.#little).u32(type, length).octets(octets).u32(length).whole())
  }

  #options(list: readonly (readonly [number, string])[]): Uint8Array {
    const chosen = list.filter(() => this.#random.once(2)).map(([code, text]) => this.#option(code, Buffer.from(text)))
    if (this.#random.once(30)) chosen.push(new Writer(this.#little).u16(1, 999).whole())
    return Buffer.concat(chosen)
  }

  #option(code: number, value: Uint8Array): Uint8Array {
    return new Writer(this.#little).u16(code, value.length).octets(value).whole()
  }

  #number(code: number, value: bigint): Uint8Array {
    return this.#option(code, new Writer(this.#little).u64(value).whole())
  }
}

const scaled = (ns: bigint, resolution: number): bigint =>
  resolution <= 9 ? ns / 10n ** BigInt(9 - resolution) : ns * 10n ** BigInt(resolution - 9)
