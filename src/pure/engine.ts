/** The pure TypeScript engine: sessions behind the engine interface. */
import { Status, type Engine, type EngineFactory, type PacketEngineOptions, type StreamEngineOptions } from '../engine.js'
import { InternalError, OptionError, StateError } from '../errors.js'
import { ChunkQueue } from './capture/input.js'
import type { Host } from './host.js'
import { PacketSession } from './session/packets.js'
import { WAITING, type Session, type Source } from './session/session.js'
import { StreamSession } from './session/streams.js'

const NO_ANALYSIS = 'engine: the js engine has no TCP analysis (analyse, series); the native one does'
const NO_MARKS = 'engine: the js engine gives no marks, which followers and decodeTcp need; the native one does'
const NOTHING = new Uint8Array(0)
const NO_NUMBERS = new Uint32Array(0)

/** Engines that run where `host` says. */
export function pureEngines(host: Host): EngineFactory {
  return {
    packets: (options: PacketEngineOptions) => new PureEngine(new PacketSession(options, host), host),
    streams(options: StreamEngineOptions) {
      if (options.analyse) throw new OptionError(NO_ANALYSIS)
      if (options.marks) throw new OptionError(NO_MARKS)
      return new PureEngine(new StreamSession(options, host), host)
    },
    series() {
      throw new OptionError(NO_ANALYSIS)
    },
  }
}

/** Runs a session, one batch in each turn of the event loop. */
export class PureEngine implements Engine {
  readonly #session: Session
  readonly #host: Host
  /** Of the stream that was opened last, or of each capture that is merged. */
  #queues: (ChunkQueue | undefined)[] = []
  #busy = false
  #closed = false
  /** An earlier request threw what it shouldn't. */
  #poisoned = false

  constructor(session: Session, host: Host) {
    this.#session = session
    this.#host = host
  }

  layout(): string {
    return this.#session.describe()
  }

  blockLength(): number {
    return this.#session.blockLength()
  }

  openPath(path: string, name: string): void {
    this.#queues = []
    this.#open({ kind: 'path', path }, name)
  }

  openStream(name: string): void {
    const queue = new ChunkQueue()
    this.#queues = [queue]
    this.#open({ kind: 'queue', queue }, name)
  }

  openMerged(members: { name: string; path?: string }[]): void {
    this.#queues = members.map(({ path }) => (path === undefined ? new ChunkQueue() : undefined))
    const sources = members.map(({ name, path }, index): { source: Source; name: string } => {
      const source: Source = path === undefined ? { kind: 'queue', queue: this.#queues[index]! } : { kind: 'path', path }
      return { source, name }
    })
    this.#open({ kind: 'merged', members: sources }, 'merged captures')
  }

  #open(source: Source, name: string): void {
    this.#check()
    this.#session.open(source, name)
  }

  #check(): void {
    if (this.#closed) throw new StateError('ERR_CLOSED', 'the reader is closed')
    if (this.#poisoned) throw new InternalError('internal error (please report it): an earlier request failed')
  }

  wanted(): number {
    return this.#session.wanted()
  }

  push(chunk: Uint8Array, member: number): void {
    this.#queues[member]?.push(chunk)
  }

  endStream(member: number): void {
    this.#queues[member]?.end()
  }

  captures(): string {
    return this.#session.captures().takeJson()
  }

  async next(batch: Uint8Array, block = NOTHING, givenBack = NO_NUMBERS): Promise<number> {
    this.#check()
    if (this.#busy) throw new StateError('ERR_BUSY', 'a request is already under way')
    this.#busy = true
    try {
      await this.#host.yield()
      let given = givenBack
      for (;;) {
        // Closed while it waited.
        if (this.#closed) return Status.Done
        const answer = this.#session.next({ batch, block, givenBack: given })
        if ((answer & 7) !== WAITING) return answer
        if (answer >= 8) return answer - WAITING + Status.More
        given = NO_NUMBERS
        await this.#session.ready()
      }
    } catch (error) {
      this.#poisoned = true
      throw error
    } finally {
      this.#busy = false
      if (this.#closed) this.#session.close()
    }
  }

  flush(): void {
    this.#session.flush()
  }

  unwant(slot: number, id: number): void {
    this.#session.unwant(slot, id)
  }

  finish(): void {
    this.#check()
    this.#session.finish()
  }

  throwError(): void {
    this.#check()
    const error = this.#session.takeError()
    if (error !== undefined) throw error
  }

  close(): void {
    this.#closed = true
    this.#queues = []
    // A request under way closes the session itself.
    if (!this.#busy) this.#session.close()
  }
}
