/**
 * Puts steps together: labels that are placed later, comparisons as ranges, jumps that are shortened at the end. Mirrors
 * `core::filter::emit`.
 */
import type { Layout } from './layout.js'
import { ACCEPT, MAX_STEPS, Program, REJECT, Source, type Push, type Step } from './program.js'

/** Why an expression has no program for a link layer. */
export class Refusal extends Error {
  readonly why: 'too long' | 'not on this link' | 'no direction'

  constructor(why: Refusal['why']) {
    super(why)
    this.why = why
  }
}

/** The link layer can't carry what is asked for: no packet of it matches. */
export const notOnThisLink = (): Refusal => new Refusal('not on this link')

/** The link layer doesn't tell which way a packet went. */
export const noDirection = (): Refusal => new Refusal('no direction')

/** A place in the program that steps jump to, perhaps before it's known. */
export type Label = number

/** Both ways on from a question. */
export interface Ways {
  readonly yes: Label
  readonly no: Label
}

/** The answers change places. */
export const swapped = ({ yes, no }: Ways): Ways => ({ yes: no, no: yes })

/** What a step reads, before it's compared. */
export interface Field {
  readonly source: number
  readonly base: number
  readonly at: number
  readonly mask: number
}

const ALL = 0xffff_ffff

/** One octet. */
export const octet = (at: number): Field => ({ source: Source.Octet, base: 0, at, mask: ALL })
/** Two octets. */
export const half = (at: number): Field => ({ source: Source.Half, base: 0, at, mask: ALL })
/** Four octets. */
export const word = (at: number): Field => ({ source: Source.Word, base: 0, at, mask: ALL })
/** The same field under a mask. */
export const masked = (field: Field, mask: number): Field => ({ ...field, mask })

/** Asks something: adds steps that go on one of the ways. */
export type Ask = (ways: Ways) => void

const ENTRY: Label = 2
const ENDS: Ways = { yes: 0, no: 1 }

/** A program in the making. */
export class Emitter {
  readonly layout: Layout
  /** A packet tells itself where things lie. */
  moves = false
  readonly arith: Push[] = []
  readonly #steps: Step[] = []
  readonly #ways: Ways[] = []
  /** The step that each label stands for; {@link REJECT} until it's placed. */
  readonly #targets: number[] = [ACCEPT, REJECT, REJECT]

  constructor(layout: Layout) {
    this.layout = layout
  }

  /** A label to be placed. */
  label(): Label {
    this.#targets.push(REJECT)
    return this.#targets.length - 1
  }

  /** `label` is where the next step will stand. */
  place(label: Label): void {
    this.#targets[label] = this.#steps.length
  }

  /** Asks whether `low <= field <= low + width`. */
  range({ source, base, at, mask }: Field, low: number, width: number, ways: Ways): void {
    if (this.#steps.length >= MAX_STEPS) throw new Refusal('too long')
    this.#steps.push({ source, base, at, mask, low, width })
    this.#ways.push(ways)
  }

  /** Asks whether the field equals `value`. */
  equal(field: Field, value: number, ways: Ways): void {
    this.range(field, value, 0, ways)
  }

  /** Asks whether the field is at least `value`. */
  atLeast(field: Field, value: number, ways: Ways): void {
    this.range(field, value, ALL - value, ways)
  }

  /** An answer that is known: reads nothing. */
  always(answer: boolean, ways: Ways): void {
    this.equal({ source: Source.WireLen, base: 0, at: 0, mask: 0 }, answer ? 0 : 1, ways)
  }

  /** Asks `a`, and where it holds, `b`. */
  and(ways: Ways, a: Ask, b: Ask): void {
    const second = this.label()
    a({ yes: second, no: ways.no })
    this.place(second)
    b(ways)
  }

  /** Asks `a`, and where it doesn't hold, `b`. */
  or(ways: Ways, a: Ask, b: Ask): void {
    const second = this.label()
    a({ yes: ways.yes, no: second })
    this.place(second)
    b(ways)
  }

  /**
   * The finished program, which asks `all`. Answers that are known are jumped over: since all jumps go forward, the list
   * is walked from its end, and what lies behind a step is settled before the step is.
   */
  finish(all: Ask): Program {
    this.place(ENTRY)
    all(ENDS)
    const steps = this.#steps
    const landing = new Uint16Array(steps.length)
    const yes = new Uint16Array(steps.length)
    const no = new Uint16Array(steps.length)
    const land = (label: Label) => landing[this.#targets[label]!] ?? this.#targets[label]!
    for (let at = steps.length - 1; at >= 0; at--) {
      yes[at] = land(this.#ways[at]!.yes)
      no[at] = land(this.#ways[at]!.no)
      const { source, mask, low } = steps[at]!
      if (source === Source.WireLen && mask === 0) landing[at] = low === 0 ? yes[at]! : no[at]!
      // Where things lie must be known, wherever that leads.
      else if (source === Source.Geneve4 || source === Source.Geneve6) landing[at] = at
      // Both answers lead to one place, so the octets aren't read, and may be missing, as in libpcap.
      else landing[at] = yes[at] === no[at] ? yes[at]! : at
    }
    return new Program(land(ENTRY), steps, yes, no, this.arith, this.moves)
  }
}
