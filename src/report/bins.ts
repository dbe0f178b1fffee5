/** Sums over time in a bounded number of bins. They begin short and become longer as time goes on. */

/** Sums of several amounts over time. Times are microseconds, and may run backwards. */
export class TimeBins {
  readonly #width: number
  readonly #most: number
  #binUs: number
  /** Number of the first bin in `#sums`, counted from time 0. */
  #first = 0
  #count = 0
  #sums: Float64Array

  /**
   * @param width amounts that are summed up
   * @param shortest length of a bin at first: a power of ten
   * @param most bins at most
   */
  constructor(width: number, shortest: number, most: number) {
    this.#width = width
    this.#most = most
    this.#binUs = shortest
    this.#sums = new Float64Array(width * most)
  }

  /** Where in {@link TimeBins.sums} the amounts of that time stand. */
  at(us: number): number {
    let bin = Math.floor(us / this.#binUs)
    while (!this.#reach(bin)) {
      this.#lengthen()
      bin = Math.floor(us / this.#binUs)
    }
    return (bin - this.#first) * this.#width
  }

  /** The sums, `width` for each bin. They move when {@link TimeBins.at} is called. */
  get sums(): Float64Array {
    return this.#sums
  }

  /** Makes room for a bin, unless there would be too many. */
  #reach(bin: number): boolean {
    if (this.#count === 0) {
      this.#first = bin
      this.#count = 1
      return true
    }
    const first = Math.min(bin, this.#first)
    const count = Math.max(bin + 1, this.#first + this.#count) - first
    if (count > this.#most) return false
    if (first < this.#first) this.#shift((this.#first - first) * this.#width)
    this.#first = first
    this.#count = count
    return true
  }

  #shift(by: number): void {
    this.#sums.copyWithin(by, 0, this.#count * this.#width)
    this.#sums.fill(0, 0, by)
  }

  /** To 5, 10, 50, 100 …: people read times in those. */
  #lengthen(): void {
    const factor = String(this.#binUs).startsWith('1') ? 5 : 2
    const first = Math.floor(this.#first / factor)
    const sums = new Float64Array(this.#sums.length)
    for (let i = 0; i < this.#count; i++) {
      const to = (Math.floor((this.#first + i) / factor) - first) * this.#width
      for (let j = 0; j < this.#width; j++) sums[to + j]! += this.#sums[i * this.#width + j]!
    }
    this.#count = Math.floor((this.#first + this.#count - 1) / factor) - first + 1
    this.#first = first
    this.#sums = sums
    this.#binUs *= factor
  }

  /** The bins: when the first begins, how long each is, and each amount's sums. */
  finish(): { startMs: number; binMs: number; columns: Float64Array[] } {
    const columns = Array.from({ length: this.#width }, (_, j) =>
      Float64Array.from({ length: this.#count }, (_, i) => this.#sums[i * this.#width + j]!),
    )
    return { startMs: (this.#first * this.#binUs) / 1000, binMs: this.#binUs / 1000, columns }
  }
}
