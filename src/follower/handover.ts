/** One item at a time from a callback to a loop: who gives waits until the loop has taken it and asks for the next. */
export class Handover<T> implements AsyncIterable<T> {
  #given: { readonly item: T; readonly taken: () => void } | undefined
  #wake: (() => void) | undefined
  #isOver = false

  /** Gives an item. Resolves when the loop is done with it, at once where nobody takes any more. */
  give(item: T): Promise<void> | undefined {
    if (this.#isOver) return undefined
    return new Promise(taken => {
      this.#given = { item, taken }
      this.#wake?.()
    })
  }

  /** Ends the loop, or says that it was left. */
  end(): void {
    this.#isOver = true
    this.#given?.taken()
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      if (!this.#given && !this.#isOver) await new Promise<void>(resolve => (this.#wake = resolve))
      const given = this.#given
      this.#given = undefined
      if (!given) {
        if (this.#isOver) return
        continue
      }
      try {
        yield given.item
      } finally {
        // Also where the loop was left.
        given.taken()
      }
    }
  }
}
