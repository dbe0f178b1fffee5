/** The checksum of gzip (RFC 1952 section 8), eight octets at a time. */

/** Table `k` has the effect of an octet that is `k` octets before the end of the eight. */
const TABLES = makeTables()

function makeTables(): readonly Int32Array[] {
  const first = new Int32Array(256)
  for (let octet = 0; octet < 256; octet++) {
    let crc = octet
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xedb8_8320)
    first[octet] = crc
  }
  const tables = [first]
  for (let k = 1; k < 8; k++) tables.push(tables[k - 1]!.map(crc => (crc >>> 8) ^ first[crc & 0xff]!))
  return tables
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array,
]

/** The checksum after the octets from `at` to `end`, where it was `before` before them; 0 at the start. */
export function crc32(before: number, bytes: Uint8Array, at: number, end: number): number {
  let crc = ~before
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      T7[low & 0xff]! ^
      T6[(low >>> 8) & 0xff]! ^
      T5[(low >>> 16) & 0xff]! ^
      T4[low >>> 24]! ^
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}
