/** What takes streams: the interface of the writers that come with this package, and of one's own. */
import type { StreamPart } from './part.js'

/** What a writer may be told at its start. */
export interface WriterContext {
  /**
   * Reports a part that could not be written, where that is found out later than in `write`: by a writer that gathers
   * several parts.
   *
   * @param stream the stream's `key`
   */
  failed(stream: string, reason: unknown): void
}

/**
 * Takes streams, part by part. `open`, `write` and `close` are called one after another, never two at a time; a promise
 * is waited for, and slows the reading down when too much waits.
 */
export interface StreamWriter {
  /** Stands in errors. */
  readonly name: string
  /**
   * What parts must hold for this writer; what nobody wants isn't kept, which costs less memory. Headers of packets are
   * always there.
   * @defaultValue all of it
   */
  readonly wants?: {
    /** Frames: `packet.frame`. */
    readonly frames?: boolean
    /** What the sides sent: `part.client` and `part.server`. */
    readonly octets?: boolean
  }
  /** @internal Looks at `part.names` and never at `part.stream`, which isn't made then. */
  readonly namesOnly?: true
  /** Called once, before anything is read. Where it throws, nothing is read. */
  open?(context: WriterContext): void | Promise<void>
  /**
   * Takes a part. The parts of a stream come in order, mixed with those of others.
   *
   * @param part valid until this returns, or until the promise that it returns resolves: copy what is to be kept
   * @throws whatever went wrong; it is reported with the writer's and the stream's names
   */
  write(part: StreamPart): void | Promise<void>
  /** Called once, after the last part, also when the run was stopped: writes what was gathered, and lets go. */
  close?(): void | Promise<void>
}
