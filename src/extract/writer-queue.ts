/**
 * Between the reading and the writers: each writer gets the parts one after another, while the reading goes on as long
 * as not too much waits. Errors are told apart by writer and stream; after `stop`, nothing more is handed over.
 */
import { FileExistsError, OptionError, WriterError } from '../errors.js'
import { namesOf } from './part.js'
import type { TablePart } from './stream-table.js'
import type { StreamWriter } from './writer.js'

/** A part on its way, and how many writers still need it. */
interface Handed {
  readonly part: TablePart
  users: number
}

/** Octets that a part takes besides those of packets and streams: objects, names, places in lists. */
const OVERHEAD = 1024

/** What a queue is told. */
export interface WriterQueueOptions {
  /** Octets of parts that may wait before the reading waits too. */
  readonly maxQueuedBytes: number
  /** Called for each failure. */
  readonly onError: (error: WriterError) => void
}

/** The writers of a run. */
export class WriterQueue {
  readonly #lanes: readonly Lane[]
  readonly #options: WriterQueueOptions
  readonly #namesOnly: boolean
  #octets = 0
  #isHalted = false
  #wake: (() => void) | undefined

  constructor(writers: readonly StreamWriter[], options: WriterQueueOptions) {
    this.#options = options
    this.#lanes = writers.map(writer => new Lane(writer, this))
    this.#namesOnly = writers.every(({ namesOnly }) => namesOnly === true)
  }

  /** Octets of parts that wait or are being written. */
  get queuedBytes(): number {
    return this.#octets
  }

  /** More waits than should. */
  get isFull(): boolean {
    return this.#octets > this.#options.maxQueuedBytes
  }

  /** Opens all writers; throws where one can't be. */
  async open(): Promise<void> {
    for (const lane of this.#lanes) await lane.open()
  }

  /** Hands a part to all writers; it is released when they are done with it. */
  push(part: TablePart): void {
    const handed = { part, users: this.#lanes.length }
    this.#octets += part.octets + OVERHEAD
    if (handed.users === 0 || this.#isHalted) return this.#free(handed)
    // What is known of the stream is read now; later on it would be something else.
    if (!this.#namesOnly) void part.stream
    for (const lane of this.#lanes) lane.push(handed)
    if (handed.users > 0) void part.names
  }

  /** Undefined, or a promise to wait for before more is pushed. */
  room(): Promise<void> | undefined {
    if (!this.isFull) return undefined
    return new Promise(resolve => (this.#wake = resolve))
  }

  /** From now on parts are thrown away, those that wait too. */
  halt(): void {
    this.#isHalted = true
  }

  /** Parts are thrown away. */
  get isHalted(): boolean {
    return this.#isHalted
  }

  /** Writes what waits, and closes the writers that were opened. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(lane => lane.close()))
  }

  /** @internal */
  done(handed: Handed): void {
    if (--handed.users === 0) this.#free(handed)
  }

  /** @internal */
  failed(error: WriterError): void {
    this.#options.onError(error)
  }

  #free(handed: Handed): void {
    handed.part.release()
    this.#octets -= handed.part.octets + OVERHEAD
    if (this.#octets > this.#options.maxQueuedBytes / 2) return
    this.#wake?.()
    this.#wake = undefined
  }
}

/** One writer and the parts that wait for it. */
class Lane {
  readonly #writer: StreamWriter
  readonly #queue: WriterQueue
  #waiting: Handed[] = []
  /** The write under way, and all that wait behind it. */
  #running: Promise<void> | undefined
  #isOpen = false

  constructor(writer: StreamWriter, queue: WriterQueue) {
    this.#writer = writer
    this.#queue = queue
  }

  async open(): Promise<void> {
    const failed = (stream: string, reason: unknown) => this.#failed(stream, reason)
    try {
      await this.#writer.open?.({ failed })
      this.#isOpen = true
    } catch (error) {
      // What the caller can mend by asking otherwise is told as it is.
      const isAsked = error instanceof OptionError || error instanceof FileExistsError
      throw isAsked ? error : new WriterError(this.#writer.name, null, error)
    }
  }

  push(handed: Handed): void {
    if (this.#running) {
      this.#waiting.push(handed)
      return
    }
    const answer = this.#write(handed)
    if (answer) this.#running = this.#run(answer)
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#running
    try {
      await this.#writer.close?.()
    } catch (error) {
      this.#failed(null, error)
    }
  }

  /** Waits for a write, then writes what came meanwhile. */
  async #run(first: Promise<void>): Promise<void> {
    await first
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const handed of waiting) await this.#write(handed)
    }
    this.#running = undefined
  }

  /** A promise where the writer is not done at once; it never rejects. */
  #write(handed: Handed): Promise<void> | undefined {
    if (this.#queue.isHalted) {
      this.#queue.done(handed)
      return undefined
    }
    try {
      const answer = this.#writer.write(handed.part)
      if (answer) return this.#settle(handed, answer)
    } catch (error) {
      this.#failed(namesOf(handed.part).key, error)
    }
    this.#queue.done(handed)
    return undefined
  }

  async #settle(handed: Handed, answer: Promise<void>): Promise<void> {
    try {
      await answer
    } catch (error) {
      this.#failed(namesOf(handed.part).key, error)
    }
    this.#queue.done(handed)
  }

  #failed(stream: string | null, reason: unknown): void {
    this.#queue.failed(reason instanceof WriterError ? reason : new WriterError(this.#writer.name, stream, reason))
  }
}
