/** Option lists of pcapng blocks: code, length, value, padded to four octets (draft-ietf-opsawg-pcapng, section 3.5). */
import { u16 } from './bytes.js'

/** `opt_comment`, the same in every block. */
export const COMMENT = 1

/**
 * Calls back for each option in `bytes` from `at` to `end`, with its code and where its value lies. False: an option
 * reaches beyond the list; those before it were good.
 */
export function eachOption(
  bytes: Uint8Array,
  at: number,
  end: number,
  bigEndian: boolean,
  take: (code: number, from: number, to: number) => void,
): boolean {
  while (at + 4 <= end) {
    const code = u16(bytes, at, bigEndian)
    const length = u16(bytes, at + 2, bigEndian)
    if (code === 0) return true
    if (at + 4 + length > end) return false
    take(code, at + 4, at + 4 + length)
    at += 4 + ((length + 3) & ~3)
  }
  return true
}
