/**
 * Rows of numbers of which a bounded number is kept. At the limit every second ordinary row goes, and from then on only
 * every second one comes in; rows with a mark go likewise, but only where there are too many of them.
 */
export class KeptRows {
  readonly #width: number
  readonly #limit: number
  /** Behind a row's values stands its number among those of its kind; of marked rows negative, minus one. */
  #values: Float64Array
  /** Rows kept. */
  length = 0
  /** Rows given so far: ordinary ones, marked ones. */
  #ordinary = 0
  #marked = 0
  /** One ordinary row in so many is kept. */
  every = 1
  /** The same of marked ones. */
  everyMarked = 1

  /** @param width numbers in a row @param limit most rows */
  constructor(width: number, limit: number) {
    this.#width = width + 1
    this.#limit = limit
    this.#values = new Float64Array(this.#width * 16)
  }

  /** All rows given. */
  get given(): number {
    return this.#ordinary + this.#marked
  }

  /** Takes in a row; false where it isn't kept. */
  add(values: readonly number[], marked: boolean): boolean {
    const number = marked ? this.#marked++ : this.#ordinary++
    if (number % (marked ? this.everyMarked : this.every) !== 0) return false
    if (this.length === this.#limit) this.#thin()
    if (number % (marked ? this.everyMarked : this.every) !== 0) return false
    this.#reserve()
    const at = this.length * this.#width
    this.#values.set(values, at)
    this.#values[at + this.#width - 1] = marked ? -1 - number : number
    this.length += 1
    return true
  }

  /** The values of a column. */
  column(index: number): Float64Array {
    return Float64Array.from({ length: this.length }, (_, row) => this.#values[row * this.#width + index]!)
  }

  #reserve(): void {
    if ((this.length + 1) * this.#width <= this.#values.length) return
    const larger = new Float64Array(Math.min(this.#limit, this.length * 2) * this.#width)
    larger.set(this.#values)
    this.#values = larger
  }

  #thin(): void {
    while (this.length > (this.#limit * 3) / 4) {
      let ordinary = 0
      for (let row = 0; row < this.length; row++) ordinary += Number(this.#number(row) >= 0)
      if (ordinary > this.length / 4) this.every *= 2
      else this.everyMarked *= 2
      this.#drop()
    }
  }

  #number(row: number): number {
    return this.#values[(row + 1) * this.#width - 1]!
  }

  #drop(): void {
    let kept = 0
    for (let row = 0; row < this.length; row++) {
      const number = this.#number(row)
      const stays = number >= 0 ? number % this.every === 0 : (-1 - number) % this.everyMarked === 0
      if (stays) this.#values.copyWithin(kept++ * this.#width, row * this.#width, (row + 1) * this.#width)
    }
    this.length = kept
  }
}
