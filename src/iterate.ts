/**
 * Drives an engine over captures: opens one after another, pushes chunks of streams, and gives filled batches.
 *
 * Batches go round: one is walked here while the engine fills another on a thread of its own. An engine that takes several
 * requests at a time may be given more of them, so that it needn't wait for this thread where files are read.
 */
import type { BatchView } from './batch/view.js'
import { parseCaptures, type CaptureInfo } from './capture-info.js'
import { Status, type Engine } from './engine.js'
import { FlowError, fromNative, OptionError } from './errors.js'
import { isLive } from './live-source.js'
import { platform } from './platform.js'
import { throwingSignal, type CaptureSource, type ChunkReader, type OpenSource } from './source.js'

/** Nothing is pushed to an engine that captures. */
const NOTHING = new Uint8Array(0)

/** What a drive needs to know. */
export interface DriveOptions {
  readonly sources: readonly CaptureSource[]
  /** Asked for a further source when those are read; undefined: there is none. */
  readonly more?: (() => Promise<CaptureSource | undefined>) | undefined
  /** All sources at once, in order of packet time. */
  readonly merge: boolean
  /** Wait at the end of the last source for more. */
  readonly follow: boolean
  readonly signal: AbortSignal | undefined
  /** Called for a capture that can't be read in full; without it the first such error is thrown at the end. */
  readonly onError: ((error: FlowError) => void) | undefined
}

/** A batch with whatever the caller bound to it; for engines of packets and events also the block that rows point to. */
export interface Slot {
  readonly view: BatchView
  readonly block?: Uint8Array
  /** What the engine gets back with the request for this batch. */
  givenBack?(): Uint32Array
}

/** Batches that go round: at least two, one that is walked and one that is filled. */
export type Slots<S> = readonly [S, S, ...S[]]

/** Batches of events that go round: an engine may be so far ahead. */
export const EVENT_SLOTS = 10

/** Makes so many, or two for an engine that takes one request at a time. */
export function makeSlots<S>(engine: Engine, count: number, make: () => S): Slots<S> {
  return [make(), make(), ...Array.from({ length: engine.takesSeveral === true ? count - 2 : 0 }, make)]
}

/** A batch that was filled. */
export interface Filled<S extends Slot> {
  readonly slot: S
  readonly rows: number
  /** No batch comes after this one. */
  readonly last: boolean
}

/** One run of an engine. */
export class Drive<S extends Slot> {
  readonly #engine: Engine
  readonly #options: DriveOptions
  #next = 0
  /** Of the source being read, or of each that is merged. */
  #chunks: readonly (ChunkReader | undefined)[] = []
  #following = false
  /** The engine reads a file by itself, and takes several requests at a time. */
  #reachesAhead = false
  #firstError: FlowError | undefined
  #finishing = false
  #stopped = false
  /** Ends the wait for a chunk or a source that is under way. */
  #giveUp: (() => void) | undefined

  /** What was found out about the sources that are at their end. */
  readonly captures: CaptureInfo[] = []

  constructor(engine: Engine, options: DriveOptions) {
    if (options.merge && options.sources.some(isLive))
      throw new OptionError('merge: packets of an interface can not be merged with others')
    this.#engine = engine
    this.#options = options
  }

  /** It was told to stop: what is left in a batch is no longer wanted. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Ends a wait for a stream and opens no further source: the batches end soon, after all that was read. */
  finish(): void {
    this.#finishing = true
    for (const chunks of this.#chunks) chunks?.stop()
    this.#giveUp?.()
  }

  /** The same, and what is left in a batch is no longer wanted. */
  stop(): void {
    this.#stopped = true
    this.finish()
  }

  /** Filled batches. A batch is the caller's until the next one is asked for. Requests are one fewer than slots. */
  async *batches(slots: Slots<S>): AsyncGenerator<Filled<S>, undefined> {
    const { sources } = this.#options
    const signal = throwingSignal(this.#options.signal, sources)
    const endSignal = signal === undefined ? this.#options.signal : undefined
    const onAbort = () => this.stop()
    const onEnd = () => this.finish()
    const requests = new Requests<S>(slots)
    try {
      signal?.throwIfAborted()
      signal?.addEventListener('abort', onAbort, { once: true })
      endSignal?.addEventListener('abort', onEnd, { once: true })
      if (endSignal?.aborted === true) onEnd()
      await this.#openNext()
      requests.add(slot => this.#lend(slot))
      while (requests.waiting > 0) {
        const { slot, answer } = await requests.first()
        signal?.throwIfAborted()
        // Where more was asked for already, that is answered as this was: what the status says is done then.
        if ((answer & 7) !== Status.More) this.#reachesAhead = false
        if (requests.waiting === 0) requests.add(free => this.#request(answer & 7, free))
        if (this.#reachesAhead) while (requests.add(free => this.#lend(free)));
        yield { slot, rows: answer >>> 3, last: requests.waiting === 0 }
        requests.giveBack(slot)
      }
      // The last batch wasn't taken to its end.
      signal?.throwIfAborted()
      if (this.#firstError) throw this.#firstError
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : asFlowError(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      endSignal?.removeEventListener('abort', onEnd)
      this.stop()
      // Requests that nobody waits for aren't begun any more; the one under way still writes to the batch that it was lent.
      this.#engine.close()
      await requests.settle()
    }
  }

  /** Asks for what comes after an answer with `status`. */
  #request(status: number, slot: S): Promise<number> | undefined {
    switch (status) {
      case Status.More:
        return this.#lend(slot)
      case Status.NeedInput:
        return this.#pushAndRequest(slot)
      case Status.SourceFailed:
        this.#takeErrors()
        return this.#endAndRequest(slot)
      case Status.SourceEnd:
        return this.#endAndRequest(slot)
      default:
        return undefined
    }
  }

  #lend(slot: S): Promise<number> {
    return this.#engine.next(slot.view.bytes, slot.block, slot.givenBack?.())
  }

  async #pushAndRequest(slot: S): Promise<number> {
    const member = this.#engine.wanted()
    const chunk = this.#finishing ? null : await this.#nextChunk(member)
    if (chunk === null) this.#engine.endStream(member)
    else this.#engine.push(chunk, member)
    return this.#lend(slot)
  }

  /**
   * A stream that breaks is a capture that can't be read in full: it ends here, and the error is kept. One that never
   * answers, not even when it is told to stop, is left alone.
   */
  #nextChunk(member: number): Promise<Uint8Array | null> {
    return new Promise(resolve => {
      this.#giveUp = () => resolve(null)
      const failed = (error: unknown) => {
        if (!this.#finishing) this.#report(asFlowError(error))
        resolve(null)
      }
      const chunks = this.#chunks[member]
      if (chunks) chunks.next().then(resolve, failed)
      else resolve(null)
    })
  }

  async #endAndRequest(slot: S): Promise<number> {
    this.captures.push(...parseCaptures(this.#engine.captures()))
    await this.#openNext()
    return this.#lend(slot)
  }

  async #openNext(): Promise<void> {
    const { sources, merge, follow } = this.#options
    for (const chunks of this.#chunks) chunks?.stop()
    this.#chunks = []
    this.#reachesAhead = false
    if (this.#finishing) return this.#engine.finish()
    if (merge && this.#next < sources.length) return this.#openAll(sources)
    const source = sources[this.#next++] ?? (await this.#further())
    if (source === undefined) return this.#engine.finish()
    this.#following = follow && this.#next === sources.length
    const open = await platform().openSource(source, this.#following)
    if (open.kind === 'path') {
      this.#reachesAhead = this.#engine.takesSeveral === true
      return this.#engine.openPath(open.path, open.name)
    }
    if (open.kind === 'live') return this.#openLive(open)
    this.#chunks = [open.chunks]
    // Stopped while it was being opened.
    if (this.#finishing) open.chunks.stop()
    this.#engine.openStream(open.name)
  }

  /** A source beyond those given, once there is one. */
  async #further(): Promise<CaptureSource | undefined> {
    const { more } = this.#options
    if (!more) return undefined
    return new Promise((resolve, reject) => {
      this.#giveUp = () => resolve(undefined)
      more().then(resolve, reject)
    })
  }

  /** An engine that captures says when to look for packets, so that its thread needn't wait for them. */
  #openLive({ live, name }: Extract<OpenSource, { kind: 'live' }>): void {
    const engine = this.#engine
    if (!engine.openLive || !engine.liveReady) throw new OptionError('source: this engine can not capture')
    const next = async () => {
      await engine.liveReady!()
      return NOTHING
    }
    this.#chunks = [{ next, stop: () => engine.endStream(0) }]
    engine.openLive(live, name)
    if (this.#finishing) engine.endStream(0)
  }

  async #openAll(sources: readonly CaptureSource[]): Promise<void> {
    this.#next = sources.length
    const open = await Promise.all(sources.map(source => platform().openSource(source, false)))
    this.#chunks = open.map(one => (one.kind === 'chunks' ? one.chunks : undefined))
    if (this.#finishing) this.finish()
    this.#engine.openMerged(
      open.map(one => (one.kind === 'path' ? { name: one.name, path: one.path } : { name: one.name })),
    )
  }

  /** Of merged sources, several may have failed. */
  #takeErrors(): void {
    for (;;)
      try {
        return this.#engine.throwError()
      } catch (error) {
        const failure = fromNative(error)
        // Who writes the file may be in the middle of a record.
        if (!(this.#following && failure.code === 'ERR_CAPTURE_TRUNCATED')) this.#report(failure)
      }
  }

  #report(error: FlowError): void {
    if (this.#options.onError) this.#options.onError(error)
    else this.#firstError ??= error
  }
}

/** Requests that were made and not answered, in their order, and the slots that are free. */
class Requests<S extends Slot> {
  readonly #free: S[]
  readonly #made: { readonly slot: S; readonly answer: Promise<number> }[] = []

  constructor(slots: readonly S[]) {
    this.#free = [...slots]
  }

  get waiting(): number {
    return this.#made.length
  }

  /** Makes a request, unless there is nothing to ask for or no slot is free: whether it did. */
  add(make: (slot: S) => Promise<number> | undefined): boolean {
    // The one that came back last is in the cache, and where two do, no others are touched.
    const slot = this.#free.at(-1)
    const answer = slot && make(slot)
    if (slot === undefined || answer === undefined) return false
    // It is awaited later; until then nobody looks.
    answer.catch(() => {})
    this.#free.pop()
    this.#made.push({ slot, answer })
    return true
  }

  /** The answer to the first of them. */
  async first(): Promise<{ slot: S; answer: number }> {
    const { slot, answer } = this.#made[0]!
    const value = await answer
    this.#made.shift()
    return { slot, answer: value }
  }

  giveBack(slot: S): void {
    this.#free.push(slot)
  }

  /** Waits for all of them: the engine may still write to batches that it was lent. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#made.map(request => request.answer))
  }
}

/** Errors of streams and callbacks pass as they are; the addon's get their class. */
function asFlowError(error: unknown): FlowError {
  const code = (error as { code?: unknown } | null)?.code
  const isNative = typeof code === 'string' && code.startsWith('ERR_') && !(error instanceof FlowError)
  return isNative ? fromNative(error) : (error as FlowError)
}
