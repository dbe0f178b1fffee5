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
} as const

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
  readonly #stack = new Float64Array(STACK)

  constructor(first: number, steps: readonly Step[], yes: Uint16Array, no: Uint16Array, arith: readonly Push[]) {
    this.#first = first
    this.#steps = steps
    this.#yes = yes
    this.#no = no
    this.#arith = arith
  }

  /** Whether the packet in `bytes` from `start` to `end` is chosen. */
  run(bytes: Uint8Array, start: number, end: number, wireLen: number): boolean {
    const steps = this.#steps
    let next = this.#first
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
    let at = start + step.at
    if ((source & 8) !== 0) {
      if (start + step.base >= end) return -1
      at += headerLen(bytes, start + step.base)
    }
    return sized(bytes, at, end, source & 7)
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
      else if (push.is === 'load') result = load(push, stack[--depth]!, bytes, start, end)
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

function load(push: Push & { is: 'load' }, offset: number, bytes: Uint8Array, start: number, end: number): number {
  const { header, base, size } = push
  if (header === null) return sized(bytes, start + base + offset, end, size)
  if (start + header >= end) return -1
  // Added in 32 bits, so a negative offset reads before the header's end.
  return sized(bytes, start + base + ((headerLen(bytes, start + header) + offset) >>> 0), end, size)
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
