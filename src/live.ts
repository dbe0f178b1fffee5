/**
 * Live sources: what a user may say of an interface, with defaults and checks in one place; and which interfaces there
 * are.
 */
import { OptionError } from './errors.js'
import { checkNativeFilter, nativeInterfaces } from './native/live.js'
import { flag, integer, knownNames, seconds, word } from './options.js'

/** Packets of a network interface, as they come. */
export interface LiveSource {
  /** The interface's name, such as `eth0`; on Linux `any` takes the packets of all. See {@link interfaces}. */
  interface: string
  /**
   * Which packets to take, in tcpdump's language. On Linux the kernel runs it where it can, so that what isn't wanted
   * costs nothing.
   * @defaultValue all packets
   */
  filter?: string
  /**
   * Octets kept of each packet, 1 to 262,144.
   * @defaultValue 262144
   */
  snaplen?: number
  /**
   * Takes packets for other machines too, where the network brings them. Without effect on `any`.
   * @defaultValue true
   */
  promiscuous?: boolean
  /**
   * Octets of the system's ring: packets that come while the program is busy wait there, and what has no room is dropped
   * and counted as `dropped`. 1 MiB to 2 GiB.
   * @defaultValue 16 MiB
   */
  ringBytes?: number
  /**
   * Which way packets go: those that this machine received, sent, or both.
   * @defaultValue 'both'
   */
  direction?: 'in' | 'out' | 'both'
  /**
   * Times with nanoseconds; else they are cut to microseconds.
   * @defaultValue true
   */
  nanoseconds?: boolean
  /**
   * Ends after this many packets.
   * @defaultValue none
   */
  packetLimit?: number
  /**
   * Ends after so many seconds, by the clock on the wall.
   * @defaultValue none
   */
  timeLimit?: number
  /**
   * Who captures: `kernel` is Linux's own interface, `pcap` is libpcap (Npcap on Windows), which must be installed.
   * @defaultValue 'auto': on Linux the kernel, elsewhere libpcap
   */
  backend?: 'auto' | 'kernel' | 'pcap'
}

/** The same with nothing left open, as engines take it. */
export interface CheckedLive {
  interface: string
  filter?: string
  snaplen: number
  promiscuous: boolean
  ringBytes: number
  direction: string
  nanoseconds: boolean
  packetLimit?: number
  timeLimit?: number
  backend: string
}

const NAMES = [
  'interface',
  'filter',
  'snaplen',
  'promiscuous',
  'ringBytes',
  'direction',
  'nanoseconds',
  'packetLimit',
  'timeLimit',
  'backend',
]

const MIB = 2 ** 20

/** Whether a source is one. */
export function isLive(source: unknown): source is LiveSource {
  return typeof source === 'object' && source !== null && 'interface' in source
}

/**
 * Checks and completes.
 *
 * @throws {@link OptionError} for what can't be used, a filter with an error in it included
 */
export function checkLive(source: LiveSource): CheckedLive {
  knownNames(source, NAMES)
  const { interface: name, filter, packetLimit, timeLimit } = source
  if (typeof name !== 'string' || name === '') throw new OptionError("interface: expected an interface's name")
  if (filter !== undefined && typeof filter !== 'string') throw new OptionError('filter: expected text')
  if (filter !== undefined) checkNativeFilter(filter)
  return {
    interface: name,
    ...(filter === undefined ? {} : { filter }),
    snaplen: integer('snaplen', source.snaplen, 262_144, 1, 262_144),
    promiscuous: flag('promiscuous', source.promiscuous, true),
    ringBytes: integer('ringBytes', source.ringBytes, 16 * MIB, MIB, 2048 * MIB),
    direction: word('direction', source.direction, 'both', ['in', 'out', 'both']),
    nanoseconds: flag('nanoseconds', source.nanoseconds, true),
    ...(packetLimit === undefined
      ? {}
      : { packetLimit: integer('packetLimit', packetLimit, 0, 1, Number.MAX_SAFE_INTEGER) }),
    ...(timeLimit === undefined ? {} : { timeLimit: seconds('timeLimit', timeLimit, 0) }),
    backend: word('backend', source.backend, 'auto', ['auto', 'kernel', 'pcap']),
  }
}

/** What an interface is like. */
export type InterfaceFlag =
  | 'up'
  | 'running'
  | 'loopback'
  | 'broadcast'
  | 'multicast'
  | 'point-to-point'
  | 'promiscuous'

/** A network interface. */
export interface NetworkInterface {
  /** What a capture is opened with. */
  name: string
  /** What it is, in words, where the system has any. */
  description: string | null
  /** Its number in the system, where it has one. */
  index: number | null
  /** Its hardware address, such as `02:00:00:00:00:0a`, where it has one. */
  mac: string | null
  addresses: InterfaceAddress[]
  flags: InterfaceFlag[]
}

/** An address of an interface. */
export interface InterfaceAddress {
  address: string
  /** Bits of it that name its network, where that is known. */
  prefixLength: number | null
}

/**
 * The interfaces of this machine, also those that are down. No privilege is needed; on Windows, Npcap is.
 *
 * @throws {@link CaptureError} `ERR_LIVE_UNSUPPORTED` where nobody can tell
 */
export function interfaces(): NetworkInterface[] {
  return nativeInterfaces().map(({ name, description, index, mac, addresses, flags }) => ({
    name,
    description: description ?? null,
    index: index ?? null,
    mac: mac ?? null,
    addresses: addresses.map(one => ({ address: one.address, prefixLength: one.prefixLength ?? null })),
    flags: flags as InterfaceFlag[],
  }))
}
