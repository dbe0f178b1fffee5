/**
 * Live sources: what a user may say of an interface, with defaults and checks in one place; and which interfaces there
 * are.
 */
import { OptionError } from './errors.js'
import type { CheckedLive, LiveSource } from './live-source.js'
import { checkNativeFilter, nativeInterfaces } from './native/live.js'
import { flag, integer, knownNames, seconds, word } from './options.js'

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
