/** What the primitives ask of a packet, besides comparisons of numbers. The middle part of `core::filter::codegen`. */
import type { Carrier, Control, Dir, Family, Proto, Transport, Words6 } from './ast.js'
import { half, masked, noDirection, notOnThisLink, octet, swapped, word, type Ask, type Emitter, type Ways } from './emit.js'
import { carries, IPV4, IPV6, MAX_LENGTH } from './link.js'
import { prefixMask } from './operand.js'
import { Source } from './program.js'
import { etherType } from './words.js'

const ARP = 0x0806
const RARP = 0x8035
/** The IPv6 fragment header's number (RFC 8200 section 4.5). */
const FRAGMENT = 44
const TCP = 6
const UDP = 17
const SCTP = 132

/** Protocols that are known by a number in the IP header. */
const IP_NUMBERS: Readonly<Partial<Record<Proto, readonly [Family, number]>>> = {
  tcp: ['both', TCP],
  udp: ['both', UDP],
  sctp: ['both', SCTP],
  pim: ['both', 103],
  ah: ['both', 51],
  esp: ['both', 50],
  icmp: ['v4', 1],
  igmp: ['v4', 2],
  igrp: ['v4', 9],
  vrrp: ['v4', 112],
  carp: ['v4', 112],
  icmp6: ['v6', 58],
}

/** Protocols on top of ISO's network layer (ISO/IEC TR 9577), by its first octet. */
const ISO_NUMBERS: Readonly<Partial<Record<Proto, number>>> = { clnp: 0x81, esis: 0x82, isis: 0x83 }

/** A protocol's keyword. */
export function proto(e: Emitter, name: Proto, ways: Ways): void {
  if (name === 'ether') return e.always(true, ways)
  const inIp = IP_NUMBERS[name]
  if (inIp !== undefined) return ipProto(e, inIp[0], inIp[1], ways)
  const inIso = ISO_NUMBERS[name]
  if (inIso !== undefined) return iso(e, inIso, ways)
  carries(e, etherType(name) ?? 0xffff_ffff, ways)
}

function iso(e: Emitter, number: number, ways: Ways): void {
  const { kind, payload } = e.layout
  const before = kind === 'ethernet' ? 3 : kind === 'chdlc' ? 1 : 0
  e.and(
    ways,
    w => carries(e, 0xfe, w),
    w => e.equal(octet(payload + before), number, w),
  )
}

/** A protocol number in the IP header. */
export function ipProto(e: Emitter, family: Family, number: number, ways: Ways): void {
  if (family === 'v4') return ip4Proto(e, number, ways)
  if (family === 'v6') return ip6Proto(e, number, ways)
  e.or(
    ways,
    w => ip4Proto(e, number, w),
    w => ip6Proto(e, number, w),
  )
}

function ip4Proto(e: Emitter, number: number, ways: Ways): void {
  const field = octet(e.layout.network + 9)
  e.and(
    ways,
    w => carries(e, IPV4, w),
    w => e.equal(field, number, w),
  )
}

/** The next header, or the one behind a fragment header that comes first. No other extension is looked through. */
function ip6Proto(e: Emitter, number: number, ways: Ways): void {
  const next = octet(e.layout.network + 6)
  const behind = octet(e.layout.network + 40)
  const isFragment: Ask = w =>
    e.and(
      w,
      v => e.equal(next, FRAGMENT, v),
      v => e.equal(behind, number, v),
    )
  e.and(
    ways,
    w => carries(e, IPV6, w),
    w => e.or(w, isFragment, v => e.equal(next, number, v)),
  )
}

/** A protocol number in any of the headers that follow each other. */
export function protoChain(e: Emitter, family: Family, number: number, ways: Ways): void {
  const base = e.layout.network
  const ask = (source: number): Ask => w => e.equal({ source, base, at: number, mask: 0xffff_ffff }, number, w)
  const v4: Ask = w => e.and(w, v => carries(e, IPV4, v), ask(Source.Chain4))
  const v6: Ask = w => e.and(w, v => carries(e, IPV6, v), ask(Source.Chain6))
  if (family === 'both') e.or(ways, v4, v6)
  else (family === 'v4' ? v4 : v6)(ways)
}

/** Where addresses stand behind an Ethernet type (RFC 791 section 3.1, RFC 826): type, source, destination. */
const PLACES4 = {
  ip: [IPV4, 12, 16],
  arp: [ARP, 14, 24],
  rarp: [RARP, 14, 24],
} as const

/** `host`, `net` with an IPv4 address. */
export function host4(e: Emitter, carrier: Carrier, dir: Dir, addr: number, mask: number, ways: Ways): void {
  // Inside MPLS nothing says that a packet is ARP.
  const all = e.layout.labels > 0 ? [PLACES4.ip] : [PLACES4.ip, PLACES4.arp, PLACES4.rarp]
  const places = carrier === 'any' ? all : [PLACES4[carrier]]
  const { network } = e.layout
  for (const [i, [type, src, dst]] of places.entries()) {
    const next = e.label()
    const here = i + 1 === places.length ? ways : { yes: ways.yes, no: next }
    const hit = (at: number, w: Ways) => e.equal(masked(word(at), mask), addr, w)
    e.and(
      here,
      w => carries(e, type, w),
      w => ends(e, dir, network + src, network + dst, hit, w),
    )
    e.place(next)
  }
}

/** `host`, `net` with an IPv6 address. */
export function host6(e: Emitter, dir: Dir, addr: Words6, prefix: number, ways: Ways): void {
  const { network } = e.layout
  const hit = (at: number, w: Ways) => address6(e, at, addr, prefix, w)
  e.and(
    ways,
    w => carries(e, IPV6, w),
    w => ends(e, dir, network + 8, network + 24, hit, w),
  )
}

/** Compares the words of an IPv6 address that the prefix touches. */
function address6(e: Emitter, at: number, addr: Words6, prefix: number, ways: Ways): void {
  const words = Math.ceil(prefix / 32)
  if (words === 0) return e.always(true, ways)
  for (let i = 0; i < words; i++) {
    const next = e.label()
    const here = i + 1 === words ? ways : { yes: next, no: ways.no }
    e.equal(masked(word(at + 4 * i), prefixMask(Math.min(prefix - 32 * i, 32))), addr[i]!, here)
    e.place(next)
  }
}

/** `ether host`. */
export function mac(e: Emitter, dir: Dir, octets: readonly number[], ways: Ways): void {
  if (e.layout.kind !== 'ethernet') throw notOnThisLink()
  const [a, b, c, d, f, g] = octets as [number, number, number, number, number, number]
  const high = (a << 8) | b
  const low = ((c << 24) | (d << 16) | (f << 8) | g) >>> 0
  const { header } = e.layout
  const hit = (at: number, w: Ways) =>
    e.and(
      w,
      v => e.equal(word(at + 2), low, v),
      v => e.equal(half(at), high, v),
    )
  linkHeader(e, ways, w => ends(e, dir, header + 6, header, hit, w))
}

/** Asks `rest` of a packet with a link-layer header; only in a Geneve packet there may be none. */
function linkHeader(e: Emitter, ways: Ways, rest: Ask): void {
  if (!e.layout.inGeneve) return rest(ways)
  e.and(ways, w => e.equal({ source: Source.LinkHeader, base: 0, at: 0, mask: 0xffff_ffff }, 1, w), rest)
}

/** `multicast` on the link layer. */
export function multicast(e: Emitter, ways: Ways): void {
  if (e.layout.kind !== 'ethernet') throw notOnThisLink()
  const field = masked(octet(e.layout.header), 1)
  linkHeader(e, ways, w => e.equal(field, 1, w))
}

/** `ip broadcast`: all zeros and all ones, since no netmask is known. */
export function ipBroadcast(e: Emitter, ways: Ways): void {
  const field = word(e.layout.network + 16)
  const isEither: Ask = w =>
    e.or(
      w,
      v => e.equal(field, 0, v),
      v => e.equal(field, 0xffff_ffff, v),
    )
  e.and(ways, w => carries(e, IPV4, w), isEither)
}

/** `ip multicast`. */
export function ipMulticast(e: Emitter, ways: Ways): void {
  const field = octet(e.layout.network + 16)
  e.and(
    ways,
    w => carries(e, IPV4, w),
    w => e.atLeast(field, 224, w),
  )
}

/** `ip6 multicast`. */
export function ip6Multicast(e: Emitter, ways: Ways): void {
  const field = octet(e.layout.network + 24)
  e.and(
    ways,
    w => carries(e, IPV6, w),
    w => e.equal(field, 0xff, w),
  )
}

/** Asks `hit` of the source's place, the destination's, either or both. */
function ends(e: Emitter, dir: Dir, src: number, dst: number, hit: (at: number, ways: Ways) => void, ways: Ways): void {
  const atSrc: Ask = w => hit(src, w)
  const atDst: Ask = w => hit(dst, w)
  if (dir === 'src') atSrc(ways)
  else if (dir === 'dst') atDst(ways)
  else if (dir === 'either') e.or(ways, atSrc, atDst)
  else e.and(ways, atSrc, atDst)
}

/** `port`, `portrange`. */
export function port(e: Emitter, over: Transport, dir: Dir, low: number, high: number, ways: Ways): void {
  const { network } = e.layout
  const hit = (source: number, base: number) => (at: number, w: Ways) =>
    e.range({ source, base, at, mask: 0xffff_ffff }, low, high - low, w)
  const ports4: Ask = w => ends(e, dir, network, network + 2, hit(Source.HalfBeyond, network), w)
  const ports6: Ask = w => ends(e, dir, network + 40, network + 42, hit(Source.Half, 0), w)
  const first: Ask = w => e.and(w, v => firstFragment(e, v), ports4)
  const behind4: Ask = w => e.and(w, v => transport(e, over, network + 9, v), first)
  const behind6: Ask = w => e.and(w, v => transport(e, over, network + 6, v), ports6)
  e.or(
    ways,
    w => e.and(w, v => carries(e, IPV4, v), behind4),
    w => e.and(w, v => carries(e, IPV6, v), behind6),
  )
}

/** Whether the octet at `at` is the number of the transport that was asked for. */
export function transport(e: Emitter, over: Transport, at: number, ways: Ways): void {
  const is = (number: number): Ask => w => e.equal(octet(at), number, w)
  if (over === 'tcp') return is(TCP)(ways)
  if (over === 'udp') return is(UDP)(ways)
  if (over === 'sctp') return is(SCTP)(ways)
  e.or(ways, is(TCP), w => e.or(w, is(UDP), is(SCTP)))
}

/** Whether an IPv4 packet holds the start of its payload: fragment offset 0. */
export function firstFragment(e: Emitter, ways: Ways): void {
  e.equal(masked(half(e.layout.network + 6), 0x1fff), 0, ways)
}

/** Which way a packet went, as far as the link layer tells: some have a number for each way, others for one only. */
export function outbound(e: Emitter, out: boolean, ways: Ways): void {
  const oneOf = (inbound: number, outbound: number) => (out ? outbound : inbound)
  switch (e.layout.kind) {
    // The packet type 4 is "sent by us" in both versions of Linux's cooked header.
    case 'sll':
      return e.equal(half(0), 4, out ? ways : swapped(ways))
    case 'sll2':
      return e.equal(octet(10), 4, out ? ways : swapped(ways))
    case 'pppd':
      return e.equal(octet(0), oneOf(0, 1), ways)
    case 'ipnet':
      return e.equal(half(2), oneOf(2, 1), ways)
    case 'pflog':
      return e.equal(octet(60), oneOf(1, 2), ways)
    case 'slip':
    case 'directed':
      return e.equal(octet(0), 0, out ? swapped(ways) : ways)
    case 'juniper':
      return e.equal(masked(octet(3), 1), oneOf(1, 0), ways)
    // Darwin's flags, least octet first.
    case 'pktap':
      return e.equal(masked(octet(36), 3), oneOf(1, 2), ways)
    default:
      throw noDirection()
  }
}

/** `llc`: a header of IEEE 802.2, and not Novell's raw frames. */
export function llc(e: Emitter, control: Control | null, ways: Ways): void {
  const { kind, labels, linkType, payload } = e.layout
  if (kind !== 'ethernet' || labels > 0) throw notOnThisLink()
  const isFramed: Ask = w => e.range(half(linkType), 0, MAX_LENGTH, w)
  const hasPoints: Ask = w => e.equal(half(payload), 0xffff, swapped(w))
  const isHeader: Ask = w => e.and(w, isFramed, hasPoints)
  if (control === null) return isHeader(ways)
  const [mask, value] = control
  e.and(ways, isHeader, w => e.equal(masked(octet(payload + 2), mask), value, w))
}

/** `vlan [id]`. */
export function vlan(e: Emitter, id: number | null, ways: Ways): void {
  const { kind, labels, linkType, payload } = e.layout
  if (kind !== 'ethernet' || labels > 0) throw notOnThisLink()
  const is = (type: number): Ask => w => e.equal(half(linkType), type, w)
  const isTagged: Ask = w => e.or(w, is(0x8100), v => e.or(v, is(0x88a8), is(0x9100)))
  if (id === null) isTagged(ways)
  else e.and(ways, isTagged, w => e.equal(masked(half(payload), 0xfff), id, w))
  e.layout.pushVlan()
}

/** `mpls [label]`. */
export function mpls(e: Emitter, label: number | null, ways: Ways): void {
  const { kind, labels, linkType, network } = e.layout
  if (kind !== 'ethernet' && kind !== 'chdlc' && kind !== 'ppp') throw notOnThisLink()
  const type = kind === 'ppp' ? 0x0281 : 0x8847
  // RFC 3032 section 2.1: the label before this one must not be the last of its stack.
  const isLabelled: Ask = w =>
    labels > 0 ? e.equal(masked(octet(network - 2), 1), 0, w) : e.equal(half(linkType), type, w)
  if (label === null) isLabelled(ways)
  else e.and(ways, isLabelled, w => e.equal(masked(word(network), 0xffff_f000), (label << 12) >>> 0, w))
  e.layout.pushLabel()
}

/** `pppoes [session]`. */
export function pppoes(e: Emitter, session: number | null, ways: Ways): void {
  const field = masked(word(e.layout.network), 0xffff)
  const isSession: Ask = w => carries(e, 0x8864, w)
  if (session === null) isSession(ways)
  else e.and(ways, isSession, w => e.equal(field, session, w))
  e.layout.pushPppoe()
}
