/** Options of reports, with their limits: what is embedded is bounded by default. */
import { OptionError } from '../errors.js'
import { integer, knownNames, type ReadOptions } from '../options.js'
import { sourceList, type CaptureSource } from '../source.js'

/** How captures of a report are read. They are read more than once, so each must be a file or octets in memory. */
export type ReportReading = Pick<
  ReadOptions,
  'engine' | 'filter' | 'merge' | 'decap' | 'ignoreEncap' | 'checksum' | 'fragments' | 'threads' | 'signal' | 'onError'
> & {
  /** Called now and then while the captures are read: octets read so far, of all passes, and how many there are to be. */
  onProgress?: (progress: ReportProgress) => void
}

/** How far the reading is. */
export interface ReportProgress {
  /** Octets of input read so far, in all passes. */
  inputBytes: number
  /** Packets read so far, in all passes. */
  packets: number
  /** How many times the captures are read. */
  passes: number
}

/** How much of the captures a page holds. */
export interface ReportLimits {
  /**
   * Most rows in the table of connections: the first that end.
   * @defaultValue 250,000 in a file, 1,000,000 from a server
   */
  maxRows?: number
  /**
   * Most segments drawn of a connection, and most round-trip samples. Of more, one in so many is kept; those with a mark
   * (retransmissions and the like) stay longest.
   * @defaultValue 10,000 in a file, 200,000 from a server
   */
  maxSegments?: number
  /**
   * Octets kept from the start of each stream.
   * @defaultValue 2,048
   */
  headBytes?: number
}

/** Names of both. */
export const REPORT_OPTION_NAMES = [
  'engine', 'filter', 'merge', 'decap', 'ignoreEncap', 'checksum', 'fragments', 'threads', 'signal', 'onError', 'onProgress', 'maxRows',
  'maxSegments', 'headBytes',
] as const

/** The limits, complete. */
export type CheckedLimits = Required<ReportLimits>

/** Checks and completes. */
export function checkLimits(options: ReportLimits, defaults: CheckedLimits): CheckedLimits {
  return {
    maxRows: integer('maxRows', options.maxRows, defaults.maxRows, 1, 2 ** 24),
    maxSegments: integer('maxSegments', options.maxSegments, defaults.maxSegments, 100, 2 ** 24),
    headBytes: integer('headBytes', options.headBytes, defaults.headBytes, 0, 2 ** 16),
  }
}

/** What is read, checked. */
export function checkSources(
  source: CaptureSource | readonly CaptureSource[],
  options: object,
  own: readonly string[],
): readonly CaptureSource[] {
  knownNames(options, [...REPORT_OPTION_NAMES, ...own])
  const sources = sourceList(source)
  for (const each of sources) {
    const again = (typeof each === 'string' && each !== '-') || each instanceof URL || each instanceof Uint8Array
    if (!again) throw new OptionError('source: a report reads its captures more than once, so each must be a file')
  }
  return sources
}

/** What the engine is told, without what only a report knows. */
export function readingOf(options: ReportReading): ReadOptions {
  const { engine, filter, merge, decap, ignoreEncap, checksum, fragments, signal } = options
  const all = { engine, filter, merge, decap, ignoreEncap, checksum, fragments, signal }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as ReadOptions
}
