/**
 * What a datagram was wrapped in (VLANs, tunnels), numbered for the flow key. Which layer has which identity is told at
 * the head of `core::decode::encap`, which this mirrors.
 */
import { WordTable } from '../word-table.js'

/** The names of the kinds of layers, by number. */
export const LAYER_NAMES = [
  'none', 'vlan', 'pppoe', 'pbb', 'ipip', '6in4', '4in6', '6in6', 'gre', 'nvgre', 'pptp', 'erspan', 'vxlan', 'geneve', 'gtp',
  'teredo', 'etherip', 'mpls',
] as const

/** Kinds of layers. */
export const LayerKind = {
  Vlan: 1,
  Pppoe: 2,
  Pbb: 3,
  Ipip: 4,
  SixInFour: 5,
  FourInSix: 6,
  SixInSix: 7,
  Gre: 8,
  Nvgre: 9,
  Pptp: 10,
  Erspan: 11,
  Vxlan: 12,
  Geneve: 13,
  Gtp: 14,
  Teredo: 15,
  Etherip: 16,
  Mpls: 17,
} as const

/** A layer has no identifier that both directions share. */
export const NO_ID = -1

/** Most layers that are told apart; further ones are ignored. */
const MAX_LAYERS = 8

/** Words of a layer in a key: kind, with a bit that says whether there is an identifier; identifier; peers. */
const LAYER_WORDS = 3

/** The layers around one datagram, outermost first. */
export class Layers {
  readonly kinds = new Uint8Array(MAX_LAYERS)
  /** Identifiers (VLAN id, VNI, …), or {@link NO_ID}. */
  readonly ids = new Float64Array(MAX_LAYERS)
  /** Numbers of the pairs of outer addresses, for point-to-point tunnels; else 0. */
  readonly peers = new Float64Array(MAX_LAYERS)
  length = 0

  /** Adds an inner layer; beyond {@link MAX_LAYERS} nothing happens. */
  push(kind: number, id: number, peers = 0): void {
    const at = this.length
    if (at === MAX_LAYERS) return
    this.kinds[at] = kind
    this.ids[at] = id
    this.peers[at] = peers
    this.length = at + 1
  }
}

/** Most pairs of tunnel end points that are told apart. All further ones share one number. */
const MAX_PEERS = 1 << 18
/** Most stacks that are told apart. All further ones share {@link OVERFLOW}. */
const MAX_STACKS = 1 << 18

/** The number that stands for every stack, or pair, beyond the limit. */
export const OVERFLOW = 0xffff_ffff

/** Pairs of tunnel end points and their numbers. */
export class PeerTable {
  readonly #table = new WordTable(9)

  /** The number of the pair of addresses of one IP version, whichever of the two comes first; never 0. */
  number(bytes: Uint8Array, version: number, a: number, b: number): number {
    const octets = version === 4 ? 4 : 16
    let order = 0
    for (let i = 0; i < octets && order === 0; i++) order = bytes[a + i]! - bytes[b + i]!
    const { key } = this.#table
    key[0] = version
    const used = putAddress(key, 1, bytes, order <= 0 ? a : b, octets)
    putAddress(key, used, bytes, order <= 0 ? b : a, octets)
    return numberOf(this.#table, 1 + octets / 2, MAX_PEERS)
  }
}

/** The number of a table's key, from 1; added where it is new and there is room. */
function numberOf(table: WordTable, used: number, most: number): number {
  let number = table.find(used)
  if (number < 0) {
    if (table.size >= most) return OVERFLOW
    number = table.insert(used)
  }
  return number + 1
}

/** Writes an address into a key; where it ends. */
export function putAddress(key: Int32Array, at: number, bytes: Uint8Array, address: number, octets: number): number {
  let word = at
  for (let i = address; i < address + octets; i += 4)
    key[word++] = (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!
  return word
}

/** Stacks of layers and their numbers, in order of appearance. */
export class EncapTable {
  readonly #stacks = new WordTable(MAX_LAYERS * LAYER_WORDS)
  /** The number given last, and the words of its stack. */
  #last = 0
  readonly #lastKey = new Int32Array(MAX_LAYERS * LAYER_WORDS)
  #lastUsed = 0

  /** The number of `layers`; 0 where there are none. */
  number(layers: Layers): number {
    if (layers.length === 0) return 0
    const { key } = this.#stacks
    const used = layers.length * LAYER_WORDS
    let same = used === this.#lastUsed
    for (let i = 0, at = 0; i < layers.length; i++, at += LAYER_WORDS) {
      const id = layers.ids[i]!
      key[at] = layers.kinds[i]! | (id === NO_ID ? 0x100 : 0)
      key[at + 1] = id === NO_ID ? 0 : id
      key[at + 2] = layers.peers[i]!
      same &&= key[at] === this.#lastKey[at] && key[at + 1] === this.#lastKey[at + 1] && key[at + 2] === this.#lastKey[at + 2]
    }
    if (same) return this.#last
    this.#lastKey.set(key)
    this.#lastUsed = used
    this.#last = numberOf(this.#stacks, used, MAX_STACKS)
    return this.#last
  }

  /** Layers of the stack with a number. */
  #length(number: number): number {
    if (number === 0 || number === OVERFLOW) return 0
    return this.#stacks.used(number - 1) / LAYER_WORDS
  }

  /** The outermost VLAN id; {@link NO_ID} where there is none. */
  vlan(number: number): number {
    const length = this.#length(number)
    for (let i = 0; i < length; i++)
      if (this.kind(number, i) === LayerKind.Vlan) return this.id(number, i)
    return NO_ID
  }

  /** The place of the innermost tunnel: anything but a VLAN tag; -1 where there is none. */
  tunnel(number: number): number {
    for (let i = this.#length(number) - 1; i >= 0; i--) if (this.kind(number, i) !== LayerKind.Vlan) return i
    return -1
  }

  /** What kind of layer is at place `i` of a stack. */
  kind(number: number, i: number): number {
    return this.#stacks.word(number - 1, i * LAYER_WORDS) & 0xff
  }

  /** Its identifier, or {@link NO_ID}. */
  id(number: number, i: number): number {
    const at = i * LAYER_WORDS
    return (this.#stacks.word(number - 1, at) & 0x100) === 0 ? this.#stacks.word(number - 1, at + 1) >>> 0 : NO_ID
  }
}
