/** Connections' containers, made when they are asked for: a few at a time, and the latest ones are kept. */

/** Octets kept. */
const MOST_OCTETS = 2 ** 26
/** Connections that wait at most. */
const MOST_WAITING = 16

/** Makes the containers of some connections in one pass. */
export type MakeDetails = (ids: readonly number[]) => Promise<ReadonlyMap<number, Buffer>>

interface Asked {
  readonly id: number
  readonly resolve: (octets: Buffer | null) => void
  readonly reject: (reason: unknown) => void
}

/** The containers by serial number. */
export class DetailCache {
  readonly #make: MakeDetails
  /** Latest use last. */
  readonly #kept = new Map<number, Buffer>()
  #octets = 0
  #waiting: Asked[] = []
  #busy = false

  constructor(make: MakeDetails) {
    this.#make = make
  }

  /** Too many are waited for already. */
  get full(): boolean {
    return this.#waiting.length >= MOST_WAITING
  }

  /** A connection's container; null where there is no such connection. All that wait are made in one pass. */
  get(id: number): Promise<Buffer | null> {
    const known = this.#kept.get(id)
    if (known !== undefined) {
      this.#keep(id, known)
      return Promise.resolve(known)
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, resolve, reject })
      void this.#work()
    })
  }

  async #work(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    while (this.#waiting.length > 0) {
      const asked = this.#waiting
      this.#waiting = []
      try {
        const made = await this.#make([...new Set(asked.map(({ id }) => id))])
        for (const [id, octets] of made) this.#keep(id, octets)
        for (const { id, resolve } of asked) resolve(made.get(id) ?? null)
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#busy = false
  }

  #keep(id: number, octets: Buffer): void {
    if (this.#kept.delete(id)) this.#octets -= octets.length
    this.#kept.set(id, octets)
    this.#octets += octets.length
    for (const [oldest, { length }] of this.#kept) {
      if (this.#octets <= MOST_OCTETS || oldest === id) break
      this.#kept.delete(oldest)
      this.#octets -= length
    }
  }
}
