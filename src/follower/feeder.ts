/** What is fed, in turn: inputs of all kinds in, packets and captures for the {@link Intake} out. */
import { StateError } from '../errors.js'
import type { Intake } from './intake.js'
import { captureOf, copyOf, itemsOf, packetOf } from './packets.js'

/** What an input that waits for its turn counts for, besides a packet's octets. */
const INPUT_OVERHEAD = 32

/** Takes inputs one after another. */
export class Feeder {
  readonly #intake: Intake
  readonly #maxQueuedBytes: number
  /** Those that wait for their turn. */
  #queuedBytes = 0
  #tail: Promise<void> = Promise.resolve()
  /** Ends the wait for an item of an async iterable. */
  #leaveItems: (() => void) | undefined
  /** What was neither a packet nor a capture. */
  ignored = 0

  constructor(intake: Intake, maxQueuedBytes: number) {
    this.#intake = intake
    this.#maxQueuedBytes = maxQueuedBytes
  }

  /** Takes an input; resolves when all of it is with the intake. What a view shows is copied before this returns. */
  async take(input: unknown): Promise<void> {
    const packet = packetOf(input)
    if (packet && this.#queuedBytes === 0 && this.#intake.tryPush(packet)) return
    const size = INPUT_OVERHEAD + (packet?.data.length ?? 0)
    if (this.#queuedBytes > 0 && this.#queuedBytes + size > this.#maxQueuedBytes)
      throw new StateError('ERR_BUSY', `more than ${this.#maxQueuedBytes} octets wait to be fed: wait for what feed returns`)
    const own = packet ? copyOf(packet) : input
    this.#queuedBytes += size
    const turn = this.#tail.then(() => this.#takeInput(own)).finally(() => (this.#queuedBytes -= size))
    this.#tail = turn.catch(() => {})
    await turn
  }

  /** Resolves when all that was fed until now is with the intake. */
  taken(): Promise<void> {
    return this.#tail
  }

  /** Stops waiting for more of an iterable. */
  leave(): void {
    this.#leaveItems?.()
  }

  async #takeInput(input: unknown): Promise<void> {
    const items = packetOf(input) || captureOf(input) !== undefined ? undefined : itemsOf(input)
    if (!items) return this.#takeItem(input)
    const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
    const first = await this.#next(iterator)
    // As everywhere in this package, an iterable of octets is one capture in pieces, and a list is a list.
    if (!Array.isArray(input) && first.done !== true && first.value instanceof Uint8Array)
      return this.#intake.add(chunksOf(first.value, iterator))
    try {
      if (Symbol.asyncIterator in items) await this.#takeAll(first, iterator)
      else await this.#takeList(first, iterator as Iterator<unknown>)
    } catch (error) {
      letGo(iterator)
      throw error
    }
  }

  async #takeAll(first: IteratorResult<unknown>, iterator: AnyIterator): Promise<void> {
    for (let step = first; step.done !== true; step = await this.#next(iterator)) await this.#takeItem(step.value)
  }

  /** Without a turn of the event loop for each item. */
  async #takeList(first: IteratorResult<unknown>, iterator: Iterator<unknown>): Promise<void> {
    for (let step = first; step.done !== true; step = iterator.next()) {
      const pending = this.#takeItem(step.value)
      if (pending) await pending
      if (this.#intake.hasEnded) return letGo(iterator)
    }
  }

  #takeItem(item: unknown): Promise<void> | undefined {
    if (this.#intake.hasEnded) return undefined
    const packet = packetOf(item)
    if (packet) return this.#intake.push(packet)
    const capture = captureOf(item)
    if (capture === undefined) this.ignored++
    else this.#intake.add(capture)
    return undefined
  }

  /** The next item; none where the wait for it is given up. */
  #next(iterator: AnyIterator): Promise<IteratorResult<unknown>> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        resolve({ done: true, value: undefined })
        letGo(iterator)
      }
      if (this.#intake.hasEnded) return leave()
      this.#leaveItems = leave
      Promise.resolve(iterator.next())
        .then(resolve, reject)
        .finally(() => (this.#leaveItems = undefined))
    })
  }
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

/** Tells an iterator that nobody asks any more. It may be in a wait of its own, which isn't waited for. */
function letGo(iterator: AnyIterator): void {
  Promise.resolve(iterator.return?.()).catch(() => {})
}

/** The octets of an iterable whose first item was taken already. */
async function* chunksOf(first: Uint8Array, iterator: AnyIterator): AsyncGenerator<Uint8Array, void> {
  try {
    yield first
    for (;;) {
      const { done, value } = await iterator.next()
      if (done === true) return
      yield value as Uint8Array
    }
  } finally {
    await iterator.return?.()
  }
}
