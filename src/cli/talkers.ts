/** Who sends most: a table of addresses that stays bounded. */

/** Addresses kept; at twice as many the smaller half goes. */
const KEPT = 1 << 15

/** What an address sent and received. */
export interface Talker {
  address: string
  octets: number
  packets: number
}

/** Adds up by address. Where more addresses come than there is room for, sums of small talkers may be too small. */
export class Talkers {
  readonly #kept: number
  #byAddress = new Map<string, Talker>()
  /** Addresses were left out. */
  approximate = false

  constructor(kept = KEPT) {
    this.#kept = kept
  }

  /** Counts what an address sent or received. */
  add(address: string, octets: number, packets: number): void {
    const known = this.#byAddress.get(address)
    if (known === undefined) {
      this.#byAddress.set(address, { address, octets, packets })
      if (this.#byAddress.size >= 2 * this.#kept) this.#shrink()
      return
    }
    known.octets += octets
    known.packets += packets
  }

  /** The `n` with most octets, most first; equal ones by address. */
  top(n: number): Talker[] {
    return [...this.#byAddress.values()].toSorted(byOctets).slice(0, n)
  }

  #shrink(): void {
    this.approximate = true
    this.#byAddress = new Map(this.top(this.#kept).map(talker => [talker.address, talker]))
  }
}

function byOctets(a: Talker, b: Talker): number {
  return b.octets - a.octets || (a.address < b.address ? -1 : 1)
}
