/** Numbers in a section's byte order. */

/** Two octets. */
export function u16(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  return bigEndian ? (bytes[at]! << 8) | bytes[at + 1]! : (bytes[at + 1]! << 8) | bytes[at]!
}

/** Four octets. */
export function u32(bytes: Uint8Array, at: number, bigEndian: boolean): number {
  return bigEndian
    ? ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    : ((bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!) >>> 0
}

/** Eight octets. */
export function u64(bytes: Uint8Array, at: number, bigEndian: boolean): bigint {
  const [first, second] = [BigInt(u32(bytes, at, bigEndian)), BigInt(u32(bytes, at + 4, bigEndian))]
  return bigEndian ? (first << 32n) | second : (second << 32n) | first
}
