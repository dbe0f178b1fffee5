/** Small things about octets, the same in Node and in browsers. */

/** Pieces one behind the other. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const out = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

/** Octets from `at` to `end` as hexadecimal digits. */
export function hex(bytes: Uint8Array, at: number, end: number): string {
  let text = ''
  for (let i = at; i < end; i++) text += (bytes[i]! + 0x100).toString(16).slice(1)
  return text
}
