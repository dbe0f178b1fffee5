/** Flow records of captures that are read one after another, each by itself. */
import type { CaptureInfo } from '../capture-info.js'
import { addStats, type ObserveStats } from '../stats.js'
import type { RecordSource } from './source.js'

/** Makes a run when its turn comes, so that one engine is open at a time. */
export class SeparateRecords<Flow> implements RecordSource<Flow> {
  readonly #openers: readonly (() => RecordSource<Flow>)[]
  #current: RecordSource<Flow>
  #next = 1
  #before: ObserveStats | undefined
  #capturesBefore: readonly CaptureInfo[] = []
  #finished = false
  /** What the first run that failed threw: it comes after the last record. */
  readonly #firstError: () => unknown

  constructor(openers: readonly (() => RecordSource<Flow>)[], firstError: () => unknown) {
    this.#openers = openers
    this.#current = openers[0]!()
    this.#firstError = firstError
  }

  take(): Flow | undefined {
    return this.#current.take()
  }

  async pull(): Promise<boolean> {
    if (await this.#current.pull()) return true
    const open = this.#finished ? undefined : this.#openers[this.#next++]
    if (open === undefined) return this.#end()
    this.#before = this.stats()
    this.#capturesBefore = this.captures()
    this.#current = open()
    return true
  }

  #end(): false {
    const error = this.#firstError()
    if (error !== undefined) throw error
    return false
  }

  stats(): ObserveStats {
    return addStats(this.#before, this.#current.stats())
  }

  captures(): readonly CaptureInfo[] {
    return [...this.#capturesBefore, ...this.#current.captures()]
  }

  flush(): void {
    this.#current.flush()
  }

  finish(): void {
    this.#finished = true
    this.#current.finish()
  }

  async stop(): Promise<void> {
    this.#finished = true
    await this.#current.stop()
  }
}
