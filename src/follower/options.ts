/** What a follower is told, checked and complete. */
import type { ConnectionIdentity } from '../connection.js'
import { OptionError } from '../errors.js'
import { abortSignal, integer, knownNames, READ_OPTION_NAMES } from '../options.js'
import { checkStreams, STREAM_OPTION_NAMES, type EventOptions, type StreamOptions } from '../stream-options.js'
import type { TcpStream } from './tcp-stream.js'

/** False: this stream is followed no longer. A promise is waited for before anything else is called back. */
export type Answer = boolean | void | undefined | Promise<boolean | void | undefined>

/** Told of a stream; see {@link TcpStream} for what is new. */
export type StreamCallback = (stream: TcpStream) => Answer

/** What `new TCPStreamFollower` takes. */
export interface FollowerOptions extends Omit<StreamOptions, 'merge' | 'follow'> {
  /** Called for each new piece of a stream, in stream order: `stream.chunk` is the piece. */
  onData?: StreamCallback
  /** Called where octets are missing for good: `stream.gap` says which. */
  onGap?: StreamCallback
  /** Called once for each stream that ends: closed, reset, idle for too long, or still open when the follower closes. */
  onEnd?: StreamCallback
  /**
   * Octets kept of each direction, from its start, for `clientPayload` and `serverPayload`. 0 = none. Beyond it nothing
   * more is kept (`complete` is false, `stats.missedBytes` counts), but `chunk` still has everything.
   * @defaultValue 64 MiB
   */
  maxStreamBytes?: number
  /**
   * Octets kept of all open streams together. Beyond it the same happens.
   * @defaultValue 256 MiB
   */
  maxKeptBytes?: number
  /**
   * Octets of packets that wait to be followed. `feed` waits for room; where it isn't awaited, it fails beyond that.
   * @defaultValue 4 MiB
   */
  maxQueuedBytes?: number
}

/** The same, checked. */
export interface CheckedFollower {
  readonly streams: EventOptions
  readonly want: ((connection: ConnectionIdentity) => boolean) | undefined
  readonly onData: StreamCallback | undefined
  readonly onGap: StreamCallback | undefined
  readonly onEnd: StreamCallback | undefined
  readonly maxStreamBytes: number
  readonly maxKeptBytes: number
  readonly maxQueuedBytes: number
  readonly maxGaps: number
}

const NOT_OURS: ReadonlySet<string> = new Set(['merge', 'follow'])
const OWN_NAMES = ['onData', 'onGap', 'onEnd', 'maxStreamBytes', 'maxKeptBytes', 'maxQueuedBytes'] as const

/** Checks and completes. */
export function checkFollower(options: FollowerOptions): CheckedFollower {
  const readNames = READ_OPTION_NAMES.filter(name => !NOT_OURS.has(name))
  knownNames(options, [...OWN_NAMES, ...readNames, ...STREAM_OPTION_NAMES])
  const { onData, onGap, onEnd, maxStreamBytes, maxKeptBytes, maxQueuedBytes, want, ...rest } = options
  const { maxGaps } = checkStreams(options)
  abortSignal(rest.signal)
  return {
    streams: { ...rest, marks: true },
    want,
    onData: callback('onData', onData),
    onGap: callback('onGap', onGap),
    onEnd: callback('onEnd', onEnd),
    maxStreamBytes: integer('maxStreamBytes', maxStreamBytes, 2 ** 26, 0, 2 ** 31),
    maxKeptBytes: integer('maxKeptBytes', maxKeptBytes, 2 ** 28, 0, 2 ** 40),
    maxQueuedBytes: integer('maxQueuedBytes', maxQueuedBytes, 2 ** 22, 1, 2 ** 31),
    maxGaps,
  }
}

function callback(name: string, value: unknown): StreamCallback | undefined {
  if (value === undefined || typeof value === 'function') return value as StreamCallback | undefined
  throw new OptionError(`${name}: expected a function, not ${typeof value}`)
}
