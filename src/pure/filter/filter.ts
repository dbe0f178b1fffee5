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
import { filterError } from './error.js'
import { kindOf, type LinkKind } from './layout.js'
import { parse } from './parser.js'
import { MAX_STEPS, type Program } from './program.js'

const KINDS: readonly LinkKind[] = ['ethernet', 'raw', 'rawV4', 'rawV6', 'null', 'loop', 'sll', 'sll2', 'ppp', 'chdlc', 'other']

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
  /** None where the link layer can't carry what is asked for. */
  readonly #programs = new Map<LinkKind, Program>()
  /** The link type that was looked up last, and its program. */
  #link = -1
  #program: Program | undefined

  /** @throws OptionError with the token that doesn't fit */
  constructor(text: string) {
    const tree = parse(text)
    for (const kind of KINDS) {
      const program = compiled(text, tree, kind)
      if (program !== null) this.#programs.set(kind, program)
    }
  }

  /**
   * Whether a packet in `block` is chosen. A packet whose captured part ends before an octet that has to be looked at
   * isn't chosen, even under `not`.
   */
  matches(packet: Packet, block: Uint8Array): boolean {
    if (packet.link !== this.#link) {
      this.#link = packet.link
      this.#program = this.#programs.get(kindOf(packet.link))
    }
    return this.#program !== undefined && this.#program.run(block, packet.start, packet.end, packet.wireLen)
  }
}

function compiled(text: string, tree: Expr, kind: LinkKind): Program | null {
  try {
    return compileFor(tree, kind)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.isTooLong) throw filterError(text, text.length, text.length, `an expression of at most ${MAX_STEPS} steps`)
    return null
  }
}
