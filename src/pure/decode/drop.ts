/** Why a packet gave no datagram. Each has a counter of the same name in the statistics. */
export const Drop = {
  /** There is a datagram. */
  None: 0,
  /** The link layer carries something else than IP (ARP, LLDP, …). */
  NonIp: 1,
  /** A link type that isn't known here. */
  UnknownLink: 2,
  /** Captured octets end inside the link-layer or IP header. */
  Cut: 3,
  /** A header contradicts itself. */
  Broken: 4,
  /** A fragment whose datagram is not complete, or one that was refused. */
  Fragment: 5,
  /** A checksum is bad, and such packets are to be left out. */
  Checksum: 6,
} as const
