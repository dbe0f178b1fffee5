/**
 * The packet filter: tcpdump's language (pcap-filter(7)), compiled once, asked for each packet. Mirrors `core::filter`,
 * where its differences from tcpdump are listed.
 *
 * ```text
 * text → tokens → tree → one program per kind of link layer → yes or no
 * ```
 */
import type { Packet } from '../capture/packet.js'
import type { Expr } from './ast.js'
import { compileFor } from './codegen.js'
import { Refusal } from './emit.js'
import { OptionError } from '../../errors.js'
import { filterError } from './error.js'
import { kindOf, KINDS, type LinkKind } from './layout.js'
import { parse } from './parser.js'
import { MAX_STEPS, type Program } from './program.js'

/**
 * A filter from its text; null where there is none and all packets are taken.
 *
 * @throws OptionError with the token that doesn't fit
 */
export function compile(text: string | undefined): Filter | null {
  return text === undefined ? null : new Filter(text)
}

/** A compiled expression. */
export class Filter {
  readonly #programs = new Map<LinkKind, Program | Refusal>()
  /** The link type that was looked up last, and its program; none where the link layer can't carry what is asked for. */
  #link = -1
  #program: Program | null = null

  /** @throws OptionError with the token that doesn't fit */
  constructor(text: string) {
    const tree = parse(text)
    for (const kind of KINDS) this.#programs.set(kind, compiled(text, tree, kind))
  }

  /**
   * Whether a packet in `block` is chosen. A packet whose captured part ends before an octet that has to be looked at
   * isn't chosen, even under `not`.
   *
   * @throws OptionError where the direction is asked for and the link layer doesn't tell
   */
  matches(packet: Packet, block: Uint8Array): boolean {
    if (packet.link !== this.#link) this.#choose(packet.link)
    return this.#program !== null && this.#program.run(block, packet.start, packet.end, packet.wireLen)
  }

  #choose(link: number): void {
    const program = this.#programs.get(kindOf(link))
    if (program instanceof Refusal && program.why === 'no direction')
      throw new OptionError(
        `option filter: "inbound" and "outbound" can't be told: packets of link type ${link} don't say which way they went`,
      )
    this.#link = link
    this.#program = program instanceof Refusal || program === undefined ? null : program
  }
}

function compiled(text: string, tree: Expr, kind: LinkKind): Program | Refusal {
  try {
    return compileFor(tree, kind)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.why === 'too long')
      throw filterError(text, text.length, text.length, `an expression of at most ${MAX_STEPS} steps`)
    return error
  }
}
