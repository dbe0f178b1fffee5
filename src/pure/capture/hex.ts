/** Octets as people read them. */

/** Octets as hexadecimal digits. */
export function hex(bytes: Uint8Array, at: number, length: number): string {
  return Array.from(bytes.subarray(at, at + length), octet => octet.toString(16).padStart(2, '0')).join('')
}
