/** What a user may say of a network interface as a source. What needs the addon is in `live.ts`. */

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

/** Whether a source is one. */
export function isLive(source: unknown): source is LiveSource {
  return typeof source === 'object' && source !== null && 'interface' in source
}
