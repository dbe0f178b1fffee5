/** Records from batches: at once what is ready, in the order of the requests what must be waited for. */
export class InTurn<T> {
  readonly #take: () => T | undefined
  readonly #pull: () => Promise<boolean>
  /** The latest of the requests that wait for a batch, and how many wait. */
  #latest: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /**
   * @param take gives one that is ready, or none
   * @param pull waits for more of them; false at the end
   */
  constructor(take: () => T | undefined, pull: () => Promise<boolean>) {
    this.#take = take
    this.#pull = pull
  }

  /** The next one. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting > 0) return this.#wait()
    try {
      const value = this.#take()
      return value === undefined ? this.#wait() : Promise.resolve({ done: false, value })
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Whoever asks while another waits for a batch comes after it, or the batch's other records would be passed over. */
  #wait(): Promise<IteratorResult<T, undefined>> {
    this.#waiting += 1
    const answer = this.#latest.then(() => this.#nextInTurn()).finally(() => (this.#waiting -= 1))
    this.#latest = answer.catch(() => {})
    return answer
  }

  async #nextInTurn(): Promise<IteratorResult<T, undefined>> {
    for (let value = this.#take(); ; value = this.#take()) {
      if (value !== undefined) return { done: false, value }
      if (!(await this.#pull())) return { done: true, value: undefined }
    }
  }
}
