/** Bounds of the readers, the same as in `core::capture`. */

/** Longest packet record that is believed, in octets: tcpdump's and Wireshark's own bound. */
export const MAX_PACKET_LEN = 262_144

/** Most octets that a container may ask to see at once: the longest packet with its header and some options. */
export const MAX_NEED = MAX_PACKET_LEN + 64 * 1024

/** Least size of a block that a reader can work with: the longest record, its header, and room to read on. */
export const MIN_BLOCK_LEN = 2 * MAX_PACKET_LEN

/** Captures merged at most: each is open, with a block of {@link MIN_BLOCK_LEN} octets. */
export const MAX_MERGED = 64
