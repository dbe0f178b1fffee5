/** Who sends and receives most: sums by address that stay bounded. */
import { formatAddress } from '../address.js'
import type { TalkerFacts } from './shapes.js'

/** Addresses kept; at twice as many the smaller half goes. */
const KEPT = 1 << 15

interface Sums {
  /** The address, 4 or 16 octets. */
  readonly octets: Uint8Array
  readonly sums: Float64Array
}

/** Adds up by address. Where more addresses come than there is room for, sums of small talkers may be too small. */
export class AddressSums {
  readonly #kept: number
  /** IPv4 by number: the common case, without a text for each packet. */
  #v4 = new Map<number, Sums>()
  #v6 = new Map<string, Sums>()
  /** Addresses were left out. */
  approximate = false

  constructor(kept = KEPT) {
    this.#kept = kept
  }

  /** Addresses known. */
  get size(): number {
    return this.#v4.size + this.#v6.size
  }

  /** Counts a packet that the IPv4 address at `at` sent (`side` 0) or received (`side` 2). */
  add4(block: Uint8Array, at: number, side: 0 | 2, packets: number, octets: number): void {
    const key = ((block[at]! << 24) | (block[at + 1]! << 16) | (block[at + 2]! << 8) | block[at + 3]!) >>> 0
    let known = this.#v4.get(key)
    if (known === undefined) {
      this.#v4.set(key, (known = { octets: block.slice(at, at + 4), sums: new Float64Array(4) }))
      this.#bound()
    }
    known.sums[side]! += packets
    known.sums[side + 1]! += octets
  }

  /** The same for IPv6. */
  add6(block: Uint8Array, at: number, side: 0 | 2, packets: number, octets: number): void {
    const key = String.fromCharCode(...block.subarray(at, at + 16))
    let known = this.#v6.get(key)
    if (known === undefined) {
      this.#v6.set(key, (known = { octets: block.slice(at, at + 16), sums: new Float64Array(4) }))
      this.#bound()
    }
    known.sums[side]! += packets
    known.sums[side + 1]! += octets
  }

  /** The `n` with most octets sent and received, most first. */
  top(n: number): TalkerFacts[] {
    return [...this.#v4.values(), ...this.#v6.values()]
      .toSorted((a, b) => total(b) - total(a) || Buffer.compare(a.octets, b.octets))
      .slice(0, n)
      .map(({ octets, sums }) => ({
        address: formatAddress(octets, 0, octets.length === 4 ? 4 : 6),
        sentPackets: sums[0]!,
        sentOctets: sums[1]!,
        receivedPackets: sums[2]!,
        receivedOctets: sums[3]!,
      }))
  }

  #bound(): void {
    if (this.size < 2 * this.#kept) return
    this.approximate = true
    const least = [...this.#v4.values(), ...this.#v6.values()].map(total).toSorted((a, b) => b - a)[this.#kept]!
    this.#v4 = new Map([...this.#v4].filter(([, sums]) => total(sums) > least))
    this.#v6 = new Map([...this.#v6].filter(([, sums]) => total(sums) > least))
  }
}

const total = ({ sums }: Sums): number => sums[1]! + sums[3]!
