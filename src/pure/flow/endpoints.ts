/** The endpoints of a key, read from its words: see `key.ts` for their order. */
import type { WordTable } from '../word-table.js'

/** Where the words of both addresses begin. */
const ADDRESSES = 3

/** IP version of a key. */
export function versionOf(keys: WordTable, number: number): number {
  return keys.word(number, 0) & 0xff
}

/** Port of a key's first endpoint, or of its second. */
export function portOf(keys: WordTable, number: number, isFirst: boolean): number {
  const ports = keys.word(number, 2)
  return isFirst ? ports >>> 16 : ports & 0xffff
}

/** Both endpoints of a key are the same. */
export function isLoop(keys: WordTable, number: number): boolean {
  const words = addressWords(keys, number)
  for (let i = ADDRESSES; i < ADDRESSES + words; i++)
    if (keys.word(number, i) !== keys.word(number, i + words)) return false
  return portOf(keys, number, true) === portOf(keys, number, false)
}

/** Writes an address of a key: 16 octets, IPv4 in the first four and the rest 0. */
export function writeAddress(keys: WordTable, number: number, isFirst: boolean, out: Uint8Array, at: number): void {
  const words = addressWords(keys, number)
  const first = isFirst ? ADDRESSES : ADDRESSES + words
  for (let i = 0; i < 4; i++) {
    const octets = i < words ? keys.word(number, first + i) : 0
    out[at + 4 * i] = octets >>> 24
    out[at + 4 * i + 1] = octets >>> 16
    out[at + 4 * i + 2] = octets >>> 8
    out[at + 4 * i + 3] = octets
  }
}

function addressWords(keys: WordTable, number: number): number {
  return versionOf(keys, number) === 4 ? 1 : 4
}
