/**
 * The compiled form and its evaluation: a list of steps that only jump forward, so every run ends. Mirrors
 * `core::filter::program`.
 *
 * A step reads one number, masks it and asks whether it lies in a range; both answers name the next step. Reading beyond
 * the captured octets ends the run: the packet isn't chosen, whatever else the expression says.
 */
import { apply, type ArithOp } from './ast.js'

/** The target that chooses the packet. */
export const ACCEPT = 0xffff
/** The target that doesn't choose the packet. */
export const REJECT = 0xfffe
/** Most steps of one program. */
export const MAX_STEPS = 60_000
/** Numbers that wait at the same time while arithmetic is computed. Deeper than the parser nests. */
const STACK = 80

/** What a step reads. */
export const Source = {
  /** One, two or four octets. */
  Octet: 1,
  Half: 2,
  Word: 4,
  /** The same, and the length of the IPv4 header that begins at the step's base is added to the place. */
  OctetBeyond: 9,
  HalfBeyond: 10,
  WordBeyond: 12,
  /** Octets on the wire. */
  WireLen: 16,
  /** The arithmetic from the step's base on, `at` instructions: 1 where the relation holds, else 0. */
  Relation: 17,
  /** The protocol where the chain of headers behind the IP header at the base ends, or `at`, where that comes first. */
  Chain4: 18,
  Chain6: 19,
  /** Always 1: what follows lies in the Geneve packet that the UDP datagram of the IP header at the base carries. */
  Geneve4: 20,
  Geneve6: 21,
  /** 1 where the Geneve packet holds a link-layer header, else 0. */
  LinkHeader: 22,
} as const

/** Offsets that belong to a place which a packet tells itself: half of them lie before it. */
const HALF = 0x0800_0000
const LINK_TYPE = 0x4000_0000
const PAYLOAD = 0x5000_0000
const HEADER = 0x6000_0000

/** Offsets of things in a Geneve packet: zero octets from where they begin. */
export const INNER_LINK_TYPE = LINK_TYPE + HALF
export const INNER_PAYLOAD = PAYLOAD + HALF
export const INNER_HEADER = HEADER + HALF

/** Before every packet: nothing can be read there. */
const NOWHERE = Number.MAX_SAFE_INTEGER

/** One question. The answer is yes where `low <= number & mask <= low + width`. */
export interface Step {
  readonly source: number
  readonly base: number
  readonly at: number
  readonly mask: number
  readonly low: number
  readonly width: number
}

/** A postfix instruction of arithmetic. */
export type Push =
  | { readonly is: 'num'; readonly value: number }
  | { readonly is: 'len' }
  /**
   * Replaces an offset by the number of `size` octets there, counted from `base`; with `header`, the length of the IPv4
   * header there is added to the offset.
   */
  | { readonly is: 'load'; readonly header: number | null; readonly base: number; readonly size: number }
  | { readonly is: 'neg' }
  | { readonly is: 'binary'; readonly op: ArithOp }
  /** Replaces two numbers by 1 where they are equal, or the first is greater, else 0. */
  | { readonly is: 'equal' | 'greater' }

/** An expression compiled for one kind of link layer. */
export class Program {
  readonly #first: number
  readonly #steps: readonly Step[]
  readonly #yes: Uint16Array
  readonly #no: Uint16Array
  readonly #arith: readonly Push[]
  /** Places are those that a packet tells, too. */
  readonly #moves: boolean
  #linkType = 0
  #payload = 0
  #header = 0
  readonly #stack = new Float64Array(STACK)

  constructor(first: number, steps: readonly Step[], yes: Uint16Array, no: Uint16Array, arith: readonly Push[], moves: boolean) {
    this.#first = first
    this.#steps = steps
    this.#yes = yes
    this.#no = no
    this.#arith = arith
    this.#moves = moves
  }

  /** Whether the packet in `bytes` from `start` to `end` is chosen. */
  run(bytes: Uint8Array, start: number, end: number, wireLen: number): boolean {
    const steps = this.#steps
    let next = this.#first
    if (this.#moves) this.#linkType = this.#payload = this.#header = 0
    while (next < steps.length) {
      const step = steps[next]!
      const number = this.#read(step, bytes, start, end, wireLen)
      if (number < 0) return false
      const isIn = (((number & step.mask) >>> 0) - step.low) >>> 0 <= step.width
      next = isIn ? this.#yes[next]! : this.#no[next]!
    }
    return next === ACCEPT
  }

  /** What a step reads; -1 beyond the packet. */
  #read(step: Step, bytes: Uint8Array, start: number, end: number, wireLen: number): number {
    const { source } = step
    if (source === Source.WireLen) return wireLen
    if (source === Source.Relation) return this.#compute(step.base, step.at, bytes, start, end, wireLen)
    const base = this.#resolve(step.base)
    if (source > Source.Relation) return this.#follow(step, bytes, start, base, end)
    let at = start + this.#resolve(step.at)
    if ((source & 8) !== 0) {
      if (start + base >= end) return -1
      at += headerLen(bytes, start + base)
    }
    return sized(bytes, at, end, source & 7)
  }

  /** The octet that an offset stands for. */
  #resolve(at: number): number {
    if (!this.#moves) return at
    const place = at & 0xf000_0000
    let base: number
    if (place === LINK_TYPE) base = this.#linkType
    else if (place === PAYLOAD) base = this.#payload
    else if (place === HEADER) base = this.#header
    else return at
    const found = base + (at & 0x0fff_ffff) - HALF
    return found < 0 ? NOWHERE : found
  }

  /** The sources that read several headers. */
  #follow({ source, at }: Step, bytes: Uint8Array, start: number, base: number, end: number): number {
    if (source === Source.LinkHeader) return Number(this.#header !== this.#payload)
    const isV4 = source === Source.Chain4 || source === Source.Geneve4
    if (start + base >= end) return -1
    const length = isV4 ? headerLen(bytes, start + base) : 40
    if (source === Source.Geneve4 || source === Source.Geneve6) return this.#enter(bytes, start, base + length + 8, end)
    return chain(bytes, start + base, end, length, isV4, at)
  }

  /** Behind Geneve's header (RFC 8926 section 3.4), at `geneve`, lies Ethernet or what its type says. */
  #enter(bytes: Uint8Array, start: number, geneve: number, end: number): number {
    const first = sized(bytes, start + geneve, end, 1)
    const type = sized(bytes, start + geneve + 2, end, 2)
    if (first < 0 || type < 0) return -1
    this.#header = geneve + 8 + 4 * (first & 0x3f)
    const isEthernet = type === 0x6558
    this.#linkType = isEthernet ? this.#header + 12 : geneve + 2
    this.#payload = isEthernet ? this.#header + 14 : this.#header
    return 1
  }

  /** Runs postfix arithmetic; -1 for a read beyond the packet and for a division by zero. */
  #compute(from: number, count: number, bytes: Uint8Array, start: number, end: number, wireLen: number): number {
    const stack = this.#stack
    let depth = 0
    for (let i = from; i < from + count; i++) {
      const push = this.#arith[i]!
      let result: number
      if (push.is === 'num') result = push.value
      else if (push.is === 'len') result = wireLen
      else if (push.is === 'load') {
        const header = push.header === null ? null : this.#resolve(push.header)
        result = load(header, this.#resolve(push.base), push.size, stack[--depth]!, bytes, start, end)
      }
      else if (push.is === 'neg') result = -stack[--depth]! >>> 0
      else {
        depth -= 2
        const [a, b] = [stack[depth]!, stack[depth + 1]!]
        if (push.is === 'binary') result = apply(push.op, a, b)
        else result = Number(push.is === 'equal' ? a === b : a > b)
      }
      if (result < 0 || depth >= STACK) return -1
      stack[depth++] = result
    }
    return stack[0]!
  }
}

function load(
  header: number | null, base: number, size: number, offset: number, bytes: Uint8Array, start: number, end: number,
): number {
  if (header === null) return sized(bytes, start + base + offset, end, size)
  if (start + header >= end) return -1
  // Added in 32 bits, so a negative offset reads before the header's end.
  return sized(bytes, start + base + ((headerLen(bytes, start + header) + offset) >>> 0), end, size)
}

/** The authentication header's number; its length is in words of four octets (RFC 4302 section 2.2). */
const AUTHENTICATION = 51

/** IPv6's extension headers that say their length in units of eight octets (RFC 8200 section 4). */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 44, 60])

/**
 * Walks headers from the first behind the IP header at `ip`, which has `length` octets, until one is `wanted` or none
 * follows. As in libpcap, an authentication header's length is taken for the place behind it, whatever came before.
 */
function chain(bytes: Uint8Array, ip: number, end: number, length: number, isV4: boolean, wanted: number): number {
  let next = sized(bytes, ip + (isV4 ? 9 : 6), end, 1)
  let at = length
  // No packet has more headers than octets; one that leads in a circle isn't chosen.
  for (let left = end - ip; next >= 0 && left >= 0; left--) {
    if (next === wanted || (next !== AUTHENTICATION && (isV4 || !EXTENSIONS.has(next)))) return next
    const units = sized(bytes, ip + at + 1, end, 1)
    if (units < 0) return -1
    const following = bytes[ip + at]!
    at = next === AUTHENTICATION ? (units + 2) * 4 : at + (units + 1) * 8
    next = following
  }
  return -1
}

/** The length of the IPv4 header at `at` (RFC 791 section 3.1: it's counted in words of four octets). */
function headerLen(bytes: Uint8Array, at: number): number {
  return 4 * (bytes[at]! & 0x0f)
}

/** A number of some octets in network byte order; -1 beyond the packet. */
function sized(bytes: Uint8Array, at: number, end: number, size: number): number {
  if (at + size > end) return -1
  if (size === 1) return bytes[at]!
  const high = (bytes[at]! << 8) | bytes[at + 1]!
  return size === 2 ? high : high * 65_536 + ((bytes[at + 2]! << 8) | bytes[at + 3]!)
}
