/**
 * Options: defaults and checks in one place, so that every engine gets the same, complete object.
 */
import { OptionError, type FlowError } from './errors.js'

/** Options that every way of observing flows takes. */
export interface ObserveTimes {
  /**
   * Seconds of packet time without a packet after which a flow is over, in steps of one second.
   * @defaultValue 30
   */
  idleTimeout?: number
  /**
   * Seconds of packet time for which a complete flow stays open to late packets.
   * @defaultValue 5
   */
  expiryTimeout?: number
  /**
   * Most flows open at a time. At the limit the flow that completed first, else the one seen least recently, is
   * emitted and counted as `evicted`.
   * @defaultValue 1048576
   */
  maxFlows?: number
  /**
   * One flow for all packets.
   * @defaultValue false
   */
  aggregate?: boolean
}

/** The same with nothing left open. */
export type CheckedTimes = Required<ObserveTimes>

/** Options of every way of reading captures. */
export interface ReadOptions {
  /**
   * Which packets to take, in tcpdump's language: `tcp port 80 and host 192.0.2.1`. Packets that it doesn't choose are
   * as if they weren't there; they are counted as `filtered`.
   * @defaultValue all packets
   */
  filter?: string
  /**
   * Reads all captures at once, packets in order of their times (equal times: in the order given). At most 64.
   * @defaultValue false: one after another
   */
  merge?: boolean
  /**
   * At the end of the last capture, if that is a regular file, waits for more to be written to it, until `finish()` is
   * called or `signal` aborts. A record that is cut at the end is no error then; a file that is replaced or truncated
   * is.
   * @defaultValue false
   */
  follow?: boolean
  /** Stops reading; the loop then throws the signal's reason. */
  signal?: AbortSignal
  /**
   * Called for each capture that can't be read in full. Reading goes on with the next one.
   * @defaultValue the first such error is thrown after the last record
   */
  onError?: (error: FlowError) => void
}

/** Names of {@link ReadOptions}. */
export const READ_OPTION_NAMES = ['filter', 'signal', 'onError', 'merge', 'follow'] as const

/** Most captures that are merged: each is open and has its own block. */
export const MAX_MERGED = 64

/** How captures are read, checked and complete. */
export interface CheckedReading {
  merge: boolean
  follow: boolean
}

/** Checks and completes what says how `count` captures are read. */
export function checkReading(options: ReadOptions & { separate?: boolean }, count: number): CheckedReading {
  const merge = flag('merge', options.merge, false)
  const follow = flag('follow', options.follow, false)
  if (merge && follow) throw new OptionError('follow: captures that are merged can not be followed')
  if (merge && flag('separate', options.separate, false))
    throw new OptionError('merge: captures are either merged or read separately')
  if (merge && count > MAX_MERGED)
    throw new OptionError(`merge: at most ${MAX_MERGED} captures can be merged, not ${count}`)
  return { merge, follow }
}

/** The filter as engines take it; they say what is wrong with it. */
export function checkFilter(value: unknown): { filter?: string } {
  if (value === undefined) return {}
  if (typeof value !== 'string') throw new OptionError(`filter: expected text, not ${show(value)}`)
  return { filter: value }
}

/** Checks and completes. */
export function checkTimes(options: ObserveTimes): CheckedTimes {
  return {
    idleTimeout: seconds('idleTimeout', options.idleTimeout, 30),
    expiryTimeout: seconds('expiryTimeout', options.expiryTimeout, 5),
    maxFlows: integer('maxFlows', options.maxFlows, 1 << 20, 1, 0xffff_ffff),
    aggregate: flag('aggregate', options.aggregate, false),
  }
}

/** A number of seconds, 0 or more; Infinity means never. */
export function seconds(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || Number.isNaN(value) || value < 0)
    throw new OptionError(`${name}: expected a number of seconds, 0 or more, not ${show(value)}`)
  return value
}

/** A whole number in a range. */
export function integer(name: string, value: unknown, fallback: number, least: number, most: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new OptionError(`${name}: expected a whole number from ${least} to ${most}, not ${show(value)}`)
  return value
}

/** True or false. */
export function flag(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw new OptionError(`${name}: expected true or false, not ${show(value)}`)
  return value
}

/** An abort signal, or none. */
export function abortSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw new OptionError(`signal: expected an AbortSignal, not ${show(value)}`)
}

/** Rejects option names that don't exist, so that a misspelt one isn't lost. */
export function knownNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown !== undefined) throw new OptionError(`${unknown}: there is no such option; there are ${names.join(', ')}`)
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}
