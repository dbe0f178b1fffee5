/**
 * `TCPStreamFollower`: packets and captures in, callbacks with the streams of their TCP connections out.
 *
 * One stream engine runs as long as the follower lives; what is fed becomes its sources ({@link Intake}). The engine asks
 * for more when it has walked all that it was given, and its events are called back before that is looked at: then
 * `feed` resolves. Nothing is polled, and the engine needs no word to hurry.
 */
import type { CaptureInfo } from '../capture-info.js'
import { StateError, type FlowError } from '../errors.js'
import { StreamEvents, type StreamEvent, type StreamStats } from '../stream-events.js'
import { StreamBook, type StreamUpdate } from './book.js'
import { Feeder } from './feeder.js'
import { Handover } from './handover.js'
import { Intake } from './intake.js'
import { Keeping } from './kept.js'
import { checkFollower, type CheckedFollower, type FollowerOptions } from './options.js'
import type { Fed } from './packets.js'

/** Counters of a follower. */
export interface FollowerStats extends StreamStats {
  /** What was fed and is neither a packet nor a capture. */
  ignoredInputs: number
  /** Streams that a callback stopped following. */
  stopped: number
  /** Octets that are in no payload because of `maxStreamBytes` or `maxKeptBytes`. */
  missedBytes: number
}

/** What can be fed: a packet, a capture, or an iterable of them. */
export type FollowerInput = Fed | Iterable<unknown> | AsyncIterable<unknown>

interface Waiter {
  resolve(): void
  reject(error: unknown): void
}

/**
 * Follows the TCP streams in packets and captures.
 *
 * @example
 * const follower = new TCPStreamFollower({ onData: s => console.log(s.clientAddr, s.chunk.length) })
 * await follower.feed('capture.pcap')
 */
export class TCPStreamFollower implements AsyncDisposable {
  readonly #options: CheckedFollower
  readonly #intake: Intake
  readonly #feeder: Feeder
  readonly #events: StreamEvents
  readonly #book: StreamBook
  /** The run, once something was fed or the follower was closed; it never rejects. */
  #running: Promise<void> | undefined
  /** How much of what the intake took was called back. */
  #calledBack = 0
  #hasStopped = false
  /** Nobody wants to hear of what is left. */
  #isAbandoned = false
  /** Why the run ended early, in a box, for anything can be thrown. */
  #failure: { readonly error: unknown } | undefined
  #captureErrors: FlowError[] = []
  #waiters: Waiter[] = []
  #handover: Handover<StreamUpdate> | undefined
  #stopped = 0

  /** @throws {@link OptionError} where an option can't be used */
  constructor(options: FollowerOptions = {}) {
    this.#options = checkFollower(options)
    const { streams, want, maxStreamBytes, maxKeptBytes, maxQueuedBytes, maxGaps } = this.#options
    this.#intake = new Intake(maxQueuedBytes)
    this.#feeder = new Feeder(this.#intake, maxQueuedBytes)
    this.#book = new StreamBook(new Keeping(maxStreamBytes, maxKeptBytes), maxGaps)
    const asked: typeof want = connection => {
      const wanted = want!(connection)
      if (!wanted) this.#book.leave(connection)
      return wanted
    }
    const onError = (error: FlowError) => void this.#captureErrors.push(error)
    this.#events = new StreamEvents(
      [],
      { onError, ...streams, ...(want ? { want: asked } : {}) },
      { more: () => this.#intake.more() },
    )
  }

  /** Counters so far. */
  get stats(): FollowerStats {
    const { missedBytes } = this.#book
    return { ...this.#events.stats, ignoredInputs: this.#feeder.ignored, stopped: this.#stopped, missedBytes }
  }

  /** What was found out about the captures that are read to their end. */
  get captures(): readonly CaptureInfo[] {
    return this.#events.captures
  }

  /**
   * Follows the streams in packets or captures: one, or an (async) iterable of them, in order. Connections go on from
   * one call to the next. A packet is `{ data, linkType, timestampNs }` or a view that a hook of a chain was given; a
   * capture is whatever is one elsewhere in this package. What is neither is ignored and counted.
   *
   * @returns a promise that resolves when all data that is in order was called back, and what the callbacks returned was
   * waited for. Don't wait for it inside a callback: it waits for the callback.
   * @throws {@link CaptureError} where a capture can't be read in full (what could be was followed, and more may be fed);
   * {@link StateError} after `close` or `finish`, or where too much waits. What a callback throws ends the follower and
   * comes out here, too.
   */
  async feed(input: FollowerInput): Promise<void> {
    this.#start()
    try {
      await this.#feeder.take(input)
    } catch (error) {
      // Where nobody takes any more because the run has failed, that is not the reason.
      if ((error as { code?: unknown } | null)?.code === 'ERR_CLOSED') await this.#running
      this.#throwFailure()
      throw error
    }
    await this.#allRead()
  }

  /**
   * Feeds `input`, gives what happens to the streams one by one, and closes the follower: then the streams that are
   * still open end. Nothing goes on until the loop asks for the next one. Callbacks are called before.
   *
   * @example
   * for await (const { type, stream } of new TCPStreamFollower().updates('capture.pcap'))
   *   if (type === 'data') console.log(stream.identifier, stream.chunk)
   */
  async *updates(input: FollowerInput): AsyncGenerator<StreamUpdate, void> {
    const handover = new Handover<StreamUpdate>()
    this.#handover = handover
    const fed = this.feed(input).finally(() => this.close())
    const over = fed.then(
      () => handover.end(),
      () => handover.end(),
    )
    try {
      yield* handover
      await fed
    } finally {
      this.#isAbandoned = true
      handover.end()
      this.finish()
      await over
    }
  }

  /**
   * Ends the wait for more of what is being fed and begins with no further capture: what is there is followed to its
   * end, and the streams that are still open end.
   */
  finish(): void {
    this.#intake.end()
    this.#feeder.leave()
    if (!this.#intake.isFeeding) this.#events.finish()
  }

  /** Follows what was fed to its end; then the streams that are still open end. Nothing can be fed any more. */
  async close(): Promise<void> {
    await this.#feeder.taken()
    this.#intake.end()
    await (this.#running ??= this.#run())
    this.#throwFailure()
    this.#throwCaptureError()
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #start(): void {
    this.#throwFailure()
    if (this.#hasStopped || this.#intake.hasEnded)
      throw new StateError('ERR_CLOSED', 'something was fed to a follower that is closed')
    this.#running ??= this.#run()
  }

  /** Resolves when everything that the intake was given was called back. */
  async #allRead(): Promise<void> {
    if (this.#calledBack < this.#intake.count && !this.#hasStopped)
      await new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    this.#throwFailure()
    this.#throwCaptureError()
  }

  /** Why the run failed: once, then the follower is just closed. */
  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure) throw failure.error
  }

  #throwCaptureError(): void {
    const [first] = this.#captureErrors.splice(0)
    if (first) throw first
  }

  async #run(): Promise<void> {
    try {
      do {
        await this.#callBack()
        if (this.#intake.isRead) this.#wake()
      } while (!this.#isAbandoned && (await this.#events.nextBatch()))
    } catch (error) {
      this.#hasStopped = true
      this.#fail(error)
    }
    await this.#events.return()
    this.#hasStopped = true
    this.finish()
    for (const waiter of this.#waiters.splice(0)) waiter.resolve()
  }

  #wake(): void {
    this.#calledBack = this.#intake.count
    for (const waiter of this.#waiters.splice(0)) waiter.resolve()
  }

  /** Who waits gets the error; where nobody does, whoever comes next. */
  #fail(error: unknown): void {
    if (this.#waiters.length === 0) this.#failure = { error }
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }

  /** Calls back for all events of the batch at hand. */
  async #callBack(): Promise<void> {
    for (let event = this.#next(); event; event = this.#next()) {
      const update = this.#book.take(event)
      const answer = update && this.#tell(update, event)
      if (answer) await answer
      const end = this.#book.endOf(event)
      const ended = end && this.#tell(end, event)
      if (ended) await ended
    }
  }

  #next(): StreamEvent | undefined {
    return this.#isAbandoned ? undefined : this.#events.take()
  }

  #tell(update: StreamUpdate, event: StreamEvent): Promise<void> | undefined {
    const { onData, onGap, onEnd } = this.#options
    const callback = { data: onData, gap: onGap, end: onEnd }[update.type]
    const answer = callback?.(update.stream)
    if (answer instanceof Promise || this.#handover) return this.#wait(answer, update, event)
    this.#obey(answer, update, event)
    return undefined
  }

  async #wait(answer: unknown, update: StreamUpdate, event: StreamEvent): Promise<void> {
    this.#obey(await answer, update, event)
    await this.#handover?.give(update)
  }

  #obey(answer: unknown, update: StreamUpdate, event: StreamEvent): void {
    if (answer !== false || update.type === 'end') return
    this.#stopped++
    this.#book.leave(event.connection)
    this.#events.leave(event)
  }
}
