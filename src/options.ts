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

/** Which engine reads captures: the native one, the one in pure JavaScript, or whichever is there. */
export type EngineName = 'native' | 'js' | 'auto'

const ENGINE_NAMES: readonly EngineName[] = ['native', 'js', 'auto']

/** Options of every way of reading captures. */
export interface ReadOptions extends DecodeOptions {
  /**
   * Which engine does the work: `native` is Rust on threads of its own, `js` is JavaScript on this one. Both give the
   * same. `auto` takes the native one; where its binary isn't found it says so once as a warning, and takes the other.
   * @defaultValue 'auto'
   */
  engine?: EngineName
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
  /**
   * Stops reading; the loop then throws the signal's reason. Where a source is a network interface it ends the capture
   * instead, as `finish()` does: what is open comes, and nothing is thrown.
   */
  signal?: AbortSignal
  /**
   * Called for each capture that can't be read in full. Reading goes on with the next one.
   * @defaultValue the first such error is thrown after the last record
   */
  onError?: (error: FlowError) => void
}

/** Names of {@link ReadOptions}. */
export const READ_OPTION_NAMES = [
  'engine',
  'filter',
  'signal',
  'onError',
  'merge',
  'follow',
  'decap',
  'ignoreEncap',
  'checksum',
  'fragments',
  'threads',
] as const

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

/** The engine's name. */
export function checkEngine(value: unknown): EngineName {
  return word('engine', value, 'auto', ENGINE_NAMES)
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

/** What is done about checksums: not computed; bad ones counted; or counted and their packets left out. */
export type ChecksumMode = 'ignore' | 'count' | 'drop'

/** Whose octets count where IPv4 fragments overlap: who came first or last, or as a kind of system has it. */
export type FragmentPolicy = 'first' | 'last' | 'bsd' | 'bsd-right' | 'linux' | 'windows' | 'solaris'

/** How fragments are put together. */
export interface FragmentOptions {
  /**
   * Whose octets count where IPv4 fragments overlap. IPv6 datagrams with overlapping fragments are left out (RFC 5722).
   * @defaultValue 'first'
   */
  policy?: FragmentPolicy
  /**
   * Seconds of packet time that a datagram's fragments may take to come.
   * @defaultValue 30 for IPv4 (RFC 791 asks for 15 or more), 60 for IPv6 (RFC 8200)
   */
  timeout?: number
  /**
   * Octets of all datagrams that are not complete. At the limit the oldest is given up and counted.
   * @defaultValue 8388608
   */
  maxBytes?: number
}

/** Options of how packets are decoded, for every way of reading captures. */
export interface DecodeOptions {
  /**
   * Opens tunnels (GRE, NVGRE, ERSPAN, IPIP, 6in4, 4in6, VXLAN, Geneve, GTP-U, Teredo, MPLS in UDP), at most 8 deep:
   * what is inside is what flows are made of.
   * @defaultValue true
   */
  decap?: boolean
  /**
   * Packets in different VLANs and tunnels may belong to one flow.
   * @defaultValue false: equal addresses in two tunnels or VLANs are two flows
   */
  ignoreEncap?: boolean
  /**
   * What is done about checksums of IPv4, TCP, UDP, ICMP and ICMPv6. Captures made on a sending host often have bad
   * ones, which the network card was still to fill in.
   * @defaultValue 'ignore'
   */
  checksum?: ChecksumMode
  /** How fragments are put together. */
  fragments?: FragmentOptions
  /**
   * Threads that the native engine gives a large capture, besides JavaScript's own: from 2 on one reads ahead, and from
   * 3 on another one finds and decodes packets. Jobs that can't be divided so use one. Results and their order don't
   * depend on it. The js engine has one.
   * @defaultValue 2, or 1 where there is one processor
   */
  threads?: number
}

/** The same with nothing left open, as engines take it. */
export interface CheckedDecode {
  decap: boolean
  ignoreEncap: boolean
  checksum: ChecksumMode
  fragmentPolicy: FragmentPolicy
  fragmentTimeoutV4: number
  fragmentTimeoutV6: number
  fragmentMaxBytes: number
  threads: number
}

/** What `checksum` may be. */
export const CHECKSUM_MODES: readonly ChecksumMode[] = ['ignore', 'count', 'drop']

const FRAGMENT_POLICIES: readonly FragmentPolicy[] = ['first', 'last', 'bsd', 'bsd-right', 'linux', 'windows', 'solaris']

/** Most threads that may be asked for. */
const MAX_THREADS = 64

/** Checks and completes. */
export function checkDecode(options: DecodeOptions): CheckedDecode {
  const { fragments = {} } = options
  if (typeof fragments !== 'object' || fragments === null)
    throw new OptionError(`fragments: expected an object, not ${show(fragments)}`)
  knownNames(fragments, ['policy', 'timeout', 'maxBytes'])
  return {
    decap: flag('decap', options.decap, true),
    ignoreEncap: flag('ignoreEncap', options.ignoreEncap, false),
    checksum: word('checksum', options.checksum, 'ignore', CHECKSUM_MODES),
    fragmentPolicy: word('fragments.policy', fragments.policy, 'first', FRAGMENT_POLICIES),
    fragmentTimeoutV4: seconds('fragments.timeout', fragments.timeout, 30),
    fragmentTimeoutV6: seconds('fragments.timeout', fragments.timeout, 60),
    fragmentMaxBytes: integer('fragments.maxBytes', fragments.maxBytes, 8 << 20, 0, Number.MAX_SAFE_INTEGER),
    threads: options.threads === undefined ? 0 : integer('threads', options.threads, 1, 1, MAX_THREADS),
  }
}

/** One of some words. */
export function word<Word extends string>(name: string, value: unknown, fallback: Word, words: readonly Word[]): Word {
  if (value === undefined) return fallback
  const known = words.find(each => each === value)
  if (known === undefined) throw new OptionError(`${name}: expected one of ${words.join(', ')}, not ${show(value)}`)
  return known
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
  if (typeof options !== 'object' || options === null) throw new OptionError(`options: expected an object, not ${show(options)}`)
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown !== undefined) throw new OptionError(`${unknown}: there is no such option; there are ${names.join(', ')}`)
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}
