/** Options of flow tracing: defaults and checks. */
import { OptionError } from '../errors.js'
import { flag, integer, seconds, word } from '../options.js'

/** How flows are told apart, and how they are written. */
export interface TraceFlowOptions {
  /**
   * The folder that files go to; it is made.
   * @defaultValue './tmp'
   */
  fout?: string
  /**
   * `pcap` (or `cap`), `pcapng`, `json`, `ndjson`, `plist` (or `xml`), `tree` (or `txt`, `text`), or what was registered.
   * An unknown one gives a `FormatWarning`, and no files are written.
   * @defaultValue null: no files are written
   */
  format?: string | null
  /**
   * Byte order of pcap and pcapng files.
   * @defaultValue 'little'
   */
  byteorder?: 'little' | 'big'
  /**
   * Times of pcap and pcapng files in nanoseconds; otherwise they are cut to microseconds.
   * @defaultValue false
   */
  nanosecond?: boolean
  /**
   * Both directions are one flow.
   * @defaultValue false: a flow is one direction, and ends with its FIN
   */
  bidirectional?: boolean
  /**
   * Seconds of packet time for which a bidirectional flow waits for late packets after its end.
   * @defaultValue 120
   */
  linger?: number
  /**
   * Most flows open at a time; at the limit the one seen least recently ends.
   * @defaultValue 524288
   */
  maxFlows?: number
  /**
   * Most files open at a time; at the limit the one written least recently is closed, and appended to later.
   * @defaultValue 256
   */
  maxOpenFiles?: number
}

/** Names of {@link TraceFlowOptions}. */
export const TRACE_OPTION_NAMES = [
  'fout', 'format', 'byteorder', 'nanosecond', 'bidirectional', 'linger', 'maxFlows', 'maxOpenFiles',
] as const

/** The same, checked and complete. */
export interface CheckedTrace {
  readonly fout: string
  readonly format: string | null
  readonly byteorder: 'little' | 'big'
  readonly nanosecond: boolean
  readonly bidirectional: boolean
  readonly linger: number
  readonly maxFlows: number
  readonly maxOpenFiles: number
}

/** Checks and completes. */
export function checkTrace(options: TraceFlowOptions, fallback: string | null): CheckedTrace {
  const { fout = './tmp', format = fallback } = options
  if (typeof fout !== 'string' || fout === '') throw new OptionError(`fout: expected the path of a folder, not ${String(fout)}`)
  if (format !== null && typeof format !== 'string') throw new OptionError(`format: expected a name or null, not ${String(format)}`)
  return {
    fout,
    format,
    byteorder: word('byteorder', options.byteorder, 'little', ['little', 'big']),
    nanosecond: flag('nanosecond', options.nanosecond, false),
    bidirectional: flag('bidirectional', options.bidirectional, false),
    linger: seconds('linger', options.linger, 120),
    maxFlows: integer('maxFlows', options.maxFlows, 1 << 19, 1, 0xffff_ffff),
    maxOpenFiles: integer('maxOpenFiles', options.maxOpenFiles, 256, 1, 0xffff),
  }
}
