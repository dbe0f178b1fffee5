// Generates frames of every link type and encapsulation that is decoded, with headers that are mostly right. The same
// seed gives the same frames. There is no right answer here: it is for two engines that must say the same.
import type { Random } from './random.js'

const u16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)]
const le16 = (value: number): number[] => u16(value).toReversed()
const le32 = (value: number): number[] => u32(value).toReversed()
const zeros = (length: number): number[] => Array.from({ length }, () => 0)

/** One of several. */
export const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!

const noise = (random: Random, length: number): number[] => Array.from({ length }, () => random.below(256))

/** The Internet checksum (RFC 1071), word by word. */
function checksum(octets: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Two hosts of one IP version. */
interface Ends {
  readonly v6: boolean
  readonly src: number[]
  readonly dst: number[]
}

function ends(random: Random): Ends {
  const v6 = random.once(3)
  const address = (): number[] =>
    v6 ? [...pick(random, [[0x20, 0x02], [0xfd, 0]]), ...zeros(13), random.below(3)] : [10, 0, 0, random.below(3)]
  return { v6, src: address(), dst: address() }
}

/** A number that is now and then another one. */
const nearly = (random: Random, value: number): number => (random.once(40) ? random.below(65_536) : value)

/** IP packets: one, or the fragments of one. */
export function ipPackets(random: Random, depth = 0): number[][] {
  const who = ends(random)
  const [protocol, upper] = upperLayer(random, who, depth)
  if (random.once(12) && upper.length > 24) return fragments(random, who, protocol, upper)
  return [who.v6 ? ipv6(random, who, protocol, upper) : ipv4(random, who, protocol, upper, {})]
}

interface Part {
  id?: number
  /** In octets. */
  offset?: number
  more?: boolean
}

function ipv4(random: Random, { src, dst }: Ends, protocol: number, payload: readonly number[], part: Part): number[] {
  const options = random.once(15) ? [...pick(random, [[131, 4, 4, 0], [7, 4, 4, 0], [1, 1, 1, 0]])] : []
  const [proto, upper] = random.once(30) ? [51, [...authentication(random, protocol), ...payload]] : [protocol, payload]
  const { id = random.below(4), offset = 0, more = false } = part
  const headerLength = 20 + options.length
  const total = random.once(40) ? 0 : nearly(random, headerLength + upper.length)
  const word = (more ? 0x2000 : 0) | (random.once(200) ? 0x4000 : 0) | (offset >>> 3)
  const first = random.once(200) ? random.below(256) : 0x40 | (headerLength / 4)
  const head = [first, random.once(6) ? random.below(256) : 0, ...u16(total), ...u16(id), ...u16(word), 64, proto]
  const sum = random.once(6) ? 7 : checksum([...head, 0, 0, ...src, ...dst, ...options])
  return [...head, ...u16(sum), ...src, ...dst, ...options, ...upper]
}

function ipv6(random: Random, who: Ends, protocol: number, payload: readonly number[], part?: Part): number[] {
  let [next, body] = [protocol, [...payload]]
  if (part !== undefined) {
    body = [next, 0, ...u16((part.offset ?? 0) | (part.more === true ? 1 : 0)), ...u32(part.id ?? 0), ...body]
    next = 44
  }
  for (let i = random.once(4) ? 1 + random.below(3) : 0; i > 0; i--) {
    const kind = pick(random, [0, 43, 44, 51, 60])
    if (kind === 51) body = [...authentication(random, next), ...body]
    else if (kind === 44) body = [next, 0, 0, 0, ...u32(9), ...body]
    else {
      const units = random.below(2)
      body = [next, random.once(20) ? 200 : units, ...noise(random, 6 + units * 8), ...body]
    }
    next = kind
  }
  const length = random.once(40) ? 0 : nearly(random, body.length)
  const traffic = random.below(256)
  return [0x60 | (traffic >> 4), (traffic & 15) << 4, 0, 0, ...u16(length), next, 64, ...who.src, ...who.dst, ...body]
}

const authentication = (random: Random, next: number): number[] => {
  const units = random.below(4)
  return [next, units, ...noise(random, (units + 2) * 4 - 2)]
}

/** Fragments of one datagram: some missing, twice, overlapping, or out of order. */
function fragments(random: Random, who: Ends, protocol: number, upper: readonly number[]): number[][] {
  const id = random.below(3)
  const parts: number[][] = []
  for (let at = 0; at < upper.length; ) {
    const length = Math.min(upper.length - at, 8 * (1 + random.below(6)))
    const shift = random.once(12) ? 8 * random.below(3) : 0
    const offset = Math.max(0, at - shift)
    const more = at + length < upper.length
    const octets = upper.slice(random.once(8) ? at : offset, at + length)
    const part = { id, offset, more: random.once(60) ? !more : more }
    const make = () => (who.v6 ? ipv6(random, who, protocol, octets, part) : ipv4(random, who, protocol, octets, part))
    if (!random.once(15) || parts.length === 0) parts.push(make())
    if (random.once(15)) parts.push(make())
    at += length
  }
  return random.once(3) ? parts.toSorted(() => random.below(3) - 1) : parts
}

function upperLayer(random: Random, who: Ends, depth: number): [protocol: number, octets: number[]] {
  const what = random.below(depth < 3 ? 100 : 60)
  if (what < 38) return [6, transport(random, who, 6, tcp(random))]
  if (what < 50) return [17, transport(random, who, 17, udp(random, noise(random, random.below(60))))]
  if (what < 58) return icmp(random, who, depth)
  if (what < 60) return pick(random, [[132, noise(random, 12)], [89, noise(random, 30)], [6, noise(random, random.below(24))], [17, noise(random, 3)]])
  return tunnel(random, who, depth)
}

const port = (random: Random): number => pick(random, [80, 53, 1024, 40_000 + random.below(3)])

function tcp(random: Random): number[] {
  const options = random.once(2)
    ? [...pick(random, [[2, 4, 5, 180], [3, 3, 7, 0], [8, 10, ...noise(random, 10)], [34, 2, 1, 1], [254, 6, 0xf9, 0x89, 1, 2, 0, 0], [1, 0, 9, 9], [5, 0, 1, 1], [4, 2, 9, 40]])]
    : []
  const offset = random.once(40) ? random.below(16) : (20 + options.length) / 4
  const flags = pick(random, [2, 18, 16, 24, 17, 4, 20, 0xc2, 0x52, random.below(256)])
  const sequence = [...u32(pick(random, [0, 1000, 2 ** 32 - 5]) + random.below(50)), ...u32(random.below(3000))]
  const head = [...u16(port(random)), ...u16(port(random)), ...sequence, (offset << 4) | random.below(2), flags]
  return [...head, ...u16(random.below(65_536)), 0, 0, ...u16(random.once(20) ? 3 : 0), ...options, ...noise(random, random.below(50))]
}

function udp(random: Random, payload: readonly number[], ports = [port(random), port(random)]): number[] {
  const length = random.once(20) ? 0 : nearly(random, 8 + payload.length)
  return [...u16(ports[0]!), ...u16(ports[1]!), ...u16(length), 0, 0, ...payload]
}

/** Puts the checksum where the protocol has it; now and then a wrong one, or none. */
function transport(random: Random, { v6, src, dst }: Ends, protocol: number, octets: number[]): number[] {
  const at = protocol === 6 ? 16 : protocol === 17 ? 6 : 2
  if (random.once(5) || octets.length < at + 2) return octets
  const pseudo = protocol === 1 ? [] : [...src, ...dst, ...u32(octets.length), ...u32(v6 && protocol === 1 ? 58 : protocol)]
  const sum = random.once(6) ? random.below(65_536) : checksum([...pseudo, ...octets])
  return [...octets.slice(0, at), ...u16(sum), ...octets.slice(at + 2)]
}

function icmp(random: Random, who: Ends, depth: number): [number, number[]] {
  const protocol = random.once(10) !== who.v6 ? (who.v6 ? 58 : 1) : who.v6 ? 1 : 58
  const isError = random.once(2)
  const type = isError ? pick(random, [1, 2, 3, 4, 5, 11, 12]) : pick(random, [0, 8, 128, 129, 135])
  const body = isError ? ipPackets(random, Math.max(depth, 3))[0]! : noise(random, random.below(40))
  return [protocol, transport(random, who, protocol, [type, random.below(16), 0, 0, ...zeros(4), ...body.slice(0, random.once(3) ? 28 : undefined)])]
}

/** An IP datagram's payload that is another packet. */
function tunnel(random: Random, who: Ends, depth: number): [number, number[]] {
  const inside = ipPackets(random, depth + 1)[0]!
  const isV6 = inside[0]! >> 4 === 6
  const ethernet = (): number[] => [...noise(random, 12), ...ethertyped(random, inside, isV6)]
  const vni = [0, 0, random.below(3), 0]
  const onPort = (number: number, payload: number[]): [number, number[]] => {
    const ports = random.once(6) ? [number, 40_001] : [40_001, number]
    return [17, transport(random, who, 17, udp(random, payload, ports))]
  }
  switch (random.below(19)) {
    case 0:
    case 1:
      return [isV6 ? 41 : 4, inside]
    case 2:
      return [47, gre(random, isV6 ? 0x86dd : 0x0800, inside)]
    case 3:
      return [47, gre(random, 0x6558, ethernet())]
    case 4:
      return [47, [0x30, random.once(2) ? 1 : 0x81, 0x88, 0x0b, ...u16(9), ...u16(random.below(3)), ...u32(1), ...u32(2), ...ppp(random, inside, isV6)]]
    case 5:
      return [47, gre(random, 0x88be, [...pick(random, [[0x10, 1], [0x20, 1]]), 0, random.below(3), ...zeros(4), ...ethernet()])]
    case 6:
      return [47, gre(random, 0x22eb, [0x20, 1, 0, random.below(3), ...zeros(7), random.below(2), ...zeros(8), ...ethernet()])]
    case 7:
      return [97, [random.once(5) ? 0 : 0x30, 0, ...ethernet()]]
    case 8:
      return [143, ethernet()]
    case 9:
      return [137, [...label(random), ...inside]]
    case 10:
      return onPort(pick(random, [4789, 8472]), [random.once(9) ? 0 : 8, 0, 0, 0, ...vni, ...ethernet()])
    case 11:
      return onPort(4790, [0x0c, 0, 0, isV6 ? 2 : 1, ...vni, ...inside])
    case 12:
      return onPort(6081, [1, 0, 0x65, 0x58, ...vni, ...zeros(4), ...ethernet()])
    case 13:
      return onPort(2152, [pick(random, [0x30, 0x32, 0x34]), 255, ...u16(inside.length + 4), ...u32(7), ...(random.once(2) ? [] : [0, 0, 0, pick(random, [0, 0x85])]), ...(random.once(2) ? [] : [1, 0, 0, 0]), ...inside])
    case 14:
      return onPort(3544, [...(random.once(2) ? [] : [0, 1, 0, 0, ...zeros(9)]), ...(random.once(2) ? [] : [0, 0, ...zeros(6)]), ...inside])
    case 15:
      return onPort(6635, [...label(random), ...inside])
    case 16:
      return onPort(4754, gre(random, isV6 ? 0x86dd : 0x0800, inside))
    case 17:
      return [47, gre(random, 0x883e, [...(random.once(2) ? [] : zeros(4)), ...inside])]
    default:
      return onPort(pick(random, [2152, 3544, 4754, 4789, 4790, 6081, 6635, 8472]), noise(random, random.below(40)))
  }
}

function gre(random: Random, protocol: number, payload: readonly number[]): number[] {
  const flags = pick(random, [0, 0, 0x2000, 0x1000, 0x3000, 0x8000, 0x4000, 0xb000])
  const fields = [
    ...(flags & 0xc000 ? zeros(4) : []),
    ...(flags & 0x2000 ? [0, 0, random.below(2), random.below(3)] : []),
    ...(flags & 0x1000 ? u32(5) : []),
    ...(flags & 0x4000 ? [8, 0, 0, 4, ...zeros(4), ...zeros(4)] : []),
  ]
  return [...u16(flags), ...u16(protocol), ...fields, ...payload]
}

const label = (random: Random): number[] => [
  ...(random.once(2) ? [0, 0, random.below(256) & 0xf0, 64] : []),
  0, 1, random.below(256) | 1, 64,
]

const ppp = (random: Random, inside: readonly number[], isV6: boolean): number[] => [
  ...(random.once(2) ? [0xff, 0x03] : []),
  ...pick(random, [u16(isV6 ? 0x57 : 0x21), [isV6 ? 0x57 : 0x21]]),
  ...inside,
]

/** An ethertype and what it stands for, with tags before it. */
function ethertyped(random: Random, inside: readonly number[], isV6: boolean, depth = 0): number[] {
  const kind = isV6 ? 0x86dd : 0x0800
  const rest = (): number[] => ethertyped(random, inside, isV6, depth + 1)
  switch (depth > 4 ? 99 : random.below(40)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [...u16(pick(random, [0x8100, 0x88a8, 0x9100])), ...u16(random.below(4) | (random.below(2) << 13)), ...rest()]
    case 4:
      return [...u16(0x8847), ...label(random), ...inside]
    case 5: {
      const payload = ppp(random, inside, isV6)
      const length = random.once(4) ? random.below(80) : payload.length
      return [...u16(0x8864), 0x11, random.once(9) ? 9 : 0, ...u16(random.below(3)), ...u16(length), ...payload]
    }
    case 6:
      return [...u16(0x8847), ...label(random), ...zeros(4), ...noise(random, 12), ...rest()]
    case 7:
      return [...u16(0x88e7), 0, 0, 0, random.below(3), ...noise(random, 12), ...rest()]
    case 8:
      return [...u16(0x8926), ...zeros(4), ...rest()]
    case 9:
      return [...u16(pick(random, [0x893f, 0x8909, 0xdada])), ...zeros(6), ...rest()]
    case 10:
      return [...u16(0x894f), 0, 2, 1, isV6 ? 2 : 1, ...zeros(4), ...inside]
    case 11:
      return [...u16(inside.length + 8), ...llc(random, inside, isV6)]
    case 12:
      return [...u16(0x22f3), ...u16(0x40 * random.below(2)), ...zeros(4), ...zeros(4), ...noise(random, 12), ...rest()]
    case 13:
      return [...u16(pick(random, [0x0806, 0x88cc, 0x0842])), ...noise(random, 28)]
    default:
      return [...u16(kind), ...inside]
  }
}

function llc(random: Random, inside: readonly number[], isV6: boolean): number[] {
  const kind = u16(isV6 ? 0x86dd : 0x0800)
  switch (random.below(8)) {
    case 0:
      return [6, 6, 3, ...inside]
    case 1:
      return [0xfe, 0xfe, 3, isV6 ? 0x8e : 0xcc, ...inside]
    case 2:
      return [0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, ...pick(random, [[0, 0], []]), ...noise(random, 12), ...kind, ...inside]
    case 3:
      return [0x42, 0x42, 3, ...noise(random, 20)]
    default:
      return [0xaa, 0xaa, 3, 0, 0, pick(random, [0, 0xf8]), ...kind, ...inside]
  }
}

/** The link types that are decoded, and one that isn't. */
export const LINK_TYPES = [
  0, 1, 6, 7, 9, 10, 12, 14, 50, 51, 100, 101, 104, 105, 106, 107, 108, 109, 113, 117, 119, 122, 123, 127, 129, 138, 143, 149,
  163, 166, 178, 192, 204, 205, 206, 226, 228, 229, 239, 242, 258, 274, 276, 147,
] as const

/** A frame of a link type around an IP packet. */
export function linkFrame(random: Random, link: number, inside: readonly number[], depth = 0): number[] {
  const isV6 = inside[0]! >> 4 === 6
  const kind = u16(isV6 ? 0x86dd : 0x0800)
  const within = (): number[] => ethertyped(random, inside, isV6)
  switch (link) {
    case 0:
    case 108: {
      const family = pick(random, isV6 ? [10, 23, 24, 28, 30] : [2])
      if (random.once(8)) return [0xff, 3, ...u16(isV6 ? 0x57 : 0x21), ...inside]
      return [...pick(random, [le32, u32])(random.once(9) ? (isV6 ? 0x86dd : 0x800) : family), ...inside]
    }
    case 1:
      return [...noise(random, 12), ...within(), ...(random.once(4) ? zeros(6) : [])]
    case 6:
      return [0x10, 0x40, ...noise(random, 6), random.once(2) ? 0x80 : 0, ...noise(random, 5), ...llc(random, inside, isV6)]
    case 7:
      return [1, 2, ...pick(random, [[240], [212, 0, 0, 0], [196, 255, 0, 0, 0, 0, 0, 0]]), ...inside]
    case 9:
    case 50:
      return random.once(3) ? [0x0f, 0, ...kind, ...inside] : ppp(random, inside, isV6)
    case 10:
      return [0x50, ...noise(random, 12), ...llc(random, inside, isV6)]
    case 51: {
      const payload = ppp(random, inside, isV6)
      return [0x11, 0, ...u16(random.below(3)), ...u16(payload.length), ...payload]
    }
    case 100:
    case 106:
      return llc(random, inside, isV6)
    case 104:
      return [0x0f, 0, ...within()]
    case 105:
      return wlan(random, inside, isV6)
    case 107:
      return frameRelay(random, inside, isV6)
    case 109:
      return [...u32(isV6 ? 24 : 2), ...zeros(8), ...inside]
    case 113:
      return [0, 0, ...u16(pick(random, [1, 772, 1, 1, 770, 801])), ...zeros(10), ...within()]
    case 117:
      return [61, isV6 ? 24 : 2, ...zeros(62), ...inside]
    case 119:
      return [...u32(0x44), ...pick(random, [le32, u32])(64), ...zeros(56), ...wlan(random, inside, isV6)]
    case 122:
      return [...noise(random, 16), ...llc(random, inside, isV6)]
    case 123:
      return [pick(random, [2, 2, 5]), 0, 0, 0, ...llc(random, inside, isV6)]
    case 127:
      return radiotap(random, inside, isV6)
    case 129:
      return [1, 2, 0, 0, ...pick(random, [[240], [212, 0, 0, 0]]), ...inside]
    case 138:
      return [...noise(random, 16), ...within()]
    case 143:
      return [random.below(2), 4, ...zeros(4), ...zeros(4), ...noise(random, 12), ...within()]
    case 149:
    case 258: {
      const next = depth > 2 ? 1 : pick(random, [1, 101, 108])
      return [...le32(20), ...le32(1), ...le32(next), ...zeros(8), ...linkFrame(random, next, inside, depth + 1)]
    }
    case 163:
      return [...u32(0x80211001), ...u32(64), ...zeros(56), ...wlan(random, inside, isV6)]
    case 166:
    case 204:
      return [random.below(2), ...ppp(random, inside, isV6)]
    case 178:
      return [0x4d, 0x47, 0x43, pick(random, [0, 0x80, 2]), ...u16(2), 1, 1, ...noise(random, 12), ...within()]
    case 192:
      return [0, 0, ...le16(8), ...le32(depth > 2 ? 105 : pick(random, [105, 1, 127])), ...wlan(random, inside, isV6)]
    case 205:
      return [random.below(2), 0x8f, 0, ...within()]
    case 206:
      return [random.below(2), ...frameRelay(random, inside, isV6)]
    case 226:
      return [...zeros(24), ...inside]
    case 239:
      return [isV6 ? 10 : 2, 0, 0, 0, ...le16(7), ...le16(1), 1, 2, 3, 0, ...le16(inside.length + 4), ...le16(9), ...inside]
    case 242:
      return [...zeros(40), ...kind, 0, 0, ...inside]
    case 274:
      return [...zeros(7), pick(random, [0xd5, 0x4c, 0x11]), ...noise(random, 12), ...within()]
    case 276:
      return [...within().slice(0, 2), 0, 0, ...u32(1), ...u16(pick(random, [1, 1, 803])), ...zeros(10), ...inside]
    default:
      return [...inside]
  }
}

function wlan(random: Random, inside: readonly number[], isV6: boolean): number[] {
  const qos = random.once(2)
  const flags = pick(random, [1, 2, 3, 0x81, 0x41])
  const head = [random.once(9) ? 0x80 : qos ? 0x88 : 0x08, flags, ...noise(random, (flags & 3) === 3 ? 28 : 22)]
  const control = qos ? [random.once(5) ? 0x80 : 0, 0, ...(flags & 0x80 ? zeros(4) : [])] : []
  return [...head, ...control, ...llc(random, inside, isV6)]
}

function radiotap(random: Random, inside: readonly number[], isV6: boolean): number[] {
  const present = random.below(8)
  const extended = random.once(4)
  const fields = [...le32(present | (extended ? 0x8000_0000 : 0)), ...(extended ? le32(0) : [])]
  const body = [...(present & 1 ? zeros(extended ? 12 : 8) : []), pick(random, [0, 0x20, 0x10]), 4]
  const length = 4 + fields.length + body.length
  return [0, 0, ...le16(nearly(random, length)), ...fields, ...body, ...wlan(random, inside, isV6)]
}

function frameRelay(random: Random, inside: readonly number[], isV6: boolean): number[] {
  const address = pick(random, [[0x18, 0x41], [0x18, 0x40, 0x01], [0x18, 0x41]])
  if (random.once(3)) return [...address, ...u16(isV6 ? 0x86dd : 0x0800), ...inside]
  return [...address, 3, ...(random.once(2) ? [0] : []), ...pick(random, [[isV6 ? 0x8e : 0xcc], [0x80, 0, 0, 0, ...u16(isV6 ? 0x86dd : 0x0800)]]), ...inside]
}
