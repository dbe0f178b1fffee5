/** Options of reassembly, with their limits: everything is bounded by default. */
import type { ConnectionIdentity } from './connection.js'
import type { StreamEngineOptions } from './engine.js'
import { OptionError } from './errors.js'
import { checkDecode, checkFilter, flag, integer, seconds, type ReadOptions } from './options.js'

/** Whose octets stay when two segments that wait overlap; `first` is also Windows Vista and later. */
export type OverlapPolicy = 'first' | 'last' | 'bsd' | 'linux' | 'old-linux' | 'solaris'

/** Bounds of reassembly. Each has a default, and each time one is hit it is counted or comes as an event. */
export interface StreamLimits {
  /**
   * Octets of memory for octets of one direction that wait for a hole to fill. At the limit the oldest hole becomes a
   * gap.
   * @defaultValue 16 MiB
   */
  maxDirectionBytes?: number
  /**
   * The same for all directions together; the one that waited longest gives up.
   * @defaultValue 64 MiB
   */
  maxWaitingBytes?: number
  /**
   * Octets of memory for what was delivered lately, in all: what later copies are compared with. 0 switches that off.
   * @defaultValue 4 MiB
   */
  conflictWindow?: number
  /**
   * Seconds of packet time that a hole is kept after the peer acknowledged what lies in it.
   * @defaultValue 2
   */
  gapPatience?: number
  /**
   * Most connections known at a time. At the limit one that is over goes, else the one seen least recently.
   * @defaultValue 524288
   */
  maxConnections?: number
  /**
   * Seconds of packet time without a segment after which a connection ends. A step of more than an hour between two
   * packets is a pause of the capture, or a wrong timestamp, and doesn't count.
   * @defaultValue 7200, after which hosts probe (RFC 1122 section 4.2.3.6)
   */
  idleTimeout?: number
  /**
   * Seconds of packet time for which a connection that is over takes late segments, after its latest one.
   * @defaultValue 120
   */
  linger?: number
  /**
   * Most gaps of a direction that its record lists; all are counted in `gap_bytes`.
   * @defaultValue 16384
   */
  maxGaps?: number
}

/** What everything that reads streams takes. */
export interface StreamOptions extends ReadOptions, StreamLimits {
  /**
   * Whose octets stay when two segments that wait overlap.
   * @defaultValue 'first'
   */
  policy?: OverlapPolicy
  /**
   * When in-order octets are handed over: at once, or when the peer has acknowledged them.
   * @defaultValue 'contiguous'
   */
  deliver?: 'contiguous' | 'acked'
  /**
   * Octets of one direction that follow each other in capture order come as one event, with packet and time of the
   * first; how many depends on how the capture was read. False: one event for each segment.
   * @defaultValue true
   */
  joinData?: boolean
  /** Asked once for each connection: false = its payload isn't needed. Its record comes all the same. */
  want?: (connection: ConnectionIdentity) => boolean
}

/** What `streamEvents` takes. */
export interface EventOptions extends StreamOptions {
  /**
   * Gives marks too: events for segments whose flags say more than their octets do (PSH, URG, FIN, RST).
   * @defaultValue false
   */
  marks?: boolean
}

/** Names of {@link StreamOptions}, without those of reading. */
export const STREAM_OPTION_NAMES = [
  'maxDirectionBytes',
  'maxWaitingBytes',
  'conflictWindow',
  'gapPatience',
  'maxConnections',
  'idleTimeout',
  'linger',
  'maxGaps',
  'policy',
  'deliver',
  'joinData',
  'want',
] as const

const POLICIES: readonly OverlapPolicy[] = ['first', 'last', 'bsd', 'linux', 'old-linux', 'solaris']
const DELIVERIES = ['contiguous', 'acked'] as const
const MIB = 2 ** 20
const GIB = 2 ** 30

/** Checks and completes. */
export function checkStreams(
  options: StreamOptions,
): Omit<StreamEngineOptions, 'events' | 'marks' | 'sha256' | 'analyse'> {
  const policy = oneOf('policy', options.policy, POLICIES)
  const deliver = oneOf('deliver', options.deliver, DELIVERIES)
  if (options.want !== undefined && typeof options.want !== 'function')
    throw new OptionError('want: expected a function from a connection to true or false')
  return {
    packets: false,
    frames: false,
    bare: false,
    policy,
    acked: deliver === 'acked',
    join: flag('joinData', options.joinData, true),
    maxDirectionBytes: integer('maxDirectionBytes', options.maxDirectionBytes, 16 * MIB, 0, 3 * GIB),
    maxWaitingBytes: integer('maxWaitingBytes', options.maxWaitingBytes, 64 * MIB, 0, 3 * GIB),
    conflictWindow: integer('conflictWindow', options.conflictWindow, 4 * MIB, 0, GIB),
    gapPatience: seconds('gapPatience', options.gapPatience, 2),
    maxConnections: integer('maxConnections', options.maxConnections, 2 ** 19, 1, 2 ** 31 - 1),
    idleTimeout: seconds('idleTimeout', options.idleTimeout, 7200),
    linger: seconds('linger', options.linger, 120),
    maxGaps: integer('maxGaps', options.maxGaps, 2 ** 14, 0, 2 ** 14),
    ...checkFilter(options.filter),
    decode: checkDecode(options),
  }
}

/** One of some words; the first is the default. */
export function oneOf<Word extends string>(name: string, value: unknown, words: readonly Word[]): Word {
  const found = value === undefined ? words[0] : words.find(word => word === value)
  if (found === undefined) throw new OptionError(`${name}: expected ${words.join(', ')}, not '${String(value)}'`)
  return found
}
