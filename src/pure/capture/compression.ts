/** Which compression octets begin with. */

/** Compression formats by their names. `a skippable frame` is what zstd's and lz4's files may begin with. */
export type Compression = 'gzip' | 'zstd' | 'lz4' | 'xz' | 'a skippable frame'

/** Octets of the longest magic number. */
export const MAGIC_LEN = 6

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
]

/** Of 16 magic numbers: the first octet's low half is free. */
const SKIPPABLE_TAIL = [0x2a, 0x4d, 0x18]

/** The compression of data that begins with `head`. */
export function compressionOf(head: Uint8Array): Compression | null {
  for (const [name, magic] of MAGICS) if (head.length >= magic.length && agrees(head, magic, 0)) return name
  const skippable = head.length >= 4 && head[0]! >> 4 === 5 && agrees(head, SKIPPABLE_TAIL, 1)
  return skippable ? 'a skippable frame' : null
}

/** Whether more octets could make a magic number of `head`. */
export function mayBegin(head: Uint8Array): boolean {
  if (head.length === 0) return true
  for (const [, magic] of MAGICS) if (head.length <= magic.length && agrees(head, magic, 0)) return true
  return head[0]! >> 4 === 5 && head.length <= 4 && agrees(head, SKIPPABLE_TAIL, 1)
}

/** As far as both go, `head` from `at` on and `magic` are the same. */
function agrees(head: Uint8Array, magic: readonly number[], at: number): boolean {
  return magic.every((octet, i) => at + i >= head.length || head[at + i] === octet)
}
