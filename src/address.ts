/** Addresses as text: dotted IPv4, and IPv6 by RFC 5952. */

const OCTETS = Array.from({ length: 256 }, (_, n) => String(n))

/** Texts that are remembered: a capture has few servers, and each is in many records. */
const REMEMBERED = 4096
const V4_WORDS = new Int32Array(REMEMBERED)
const V4_TEXTS: string[] = Array.from({ length: REMEMBERED }, () => '')
const V6_WORDS = new Int32Array(REMEMBERED * 4)
const V6_TEXTS: string[] = Array.from({ length: REMEMBERED }, () => '')

/**
 * The address whose octets stand at `at`.
 *
 * @param version 4 or 6
 */
export function formatAddress(octets: Uint8Array, at: number, version: number): string {
  return version === 4 ? rememberedV4(octets, at) : rememberedV6(octets, at)
}

const word = (octets: Uint8Array, at: number): number =>
  (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!

/** Where a text may be: the upper 12 bits of a product, so that neighbours lie apart. */
const placeOf = (key: number): number => Math.imul(key, 0x9e3779b1) >>> 20

function rememberedV4(octets: Uint8Array, at: number): string {
  const address = word(octets, at)
  const place = placeOf(address)
  if (V4_WORDS[place] === address && V4_TEXTS[place] !== '') return V4_TEXTS[place]!
  V4_WORDS[place] = address
  return (V4_TEXTS[place] = formatV4(octets, at))
}

function rememberedV6(octets: Uint8Array, at: number): string {
  const a = word(octets, at)
  const b = word(octets, at + 4)
  const c = word(octets, at + 8)
  const d = word(octets, at + 12)
  const place = placeOf(a ^ Math.imul(b, 31) ^ Math.imul(c, 17) ^ d)
  const i = place * 4
  const isIt = V6_WORDS[i] === a && V6_WORDS[i + 1] === b && V6_WORDS[i + 2] === c && V6_WORDS[i + 3] === d
  if (isIt && V6_TEXTS[place] !== '') return V6_TEXTS[place]!
  V6_WORDS[i] = a
  V6_WORDS[i + 1] = b
  V6_WORDS[i + 2] = c
  V6_WORDS[i + 3] = d
  return (V6_TEXTS[place] = formatV6(octets, at))
}

function formatV4(octets: Uint8Array, at: number): string {
  return `${OCTETS[octets[at]!]}.${OCTETS[octets[at + 1]!]}.${OCTETS[octets[at + 2]!]}.${OCTETS[octets[at + 3]!]}`
}

function formatV6(octets: Uint8Array, at: number): string {
  const zeros = longestZeros(octets, at)
  const start = zeros >> 4
  const length = zeros & 15
  let text = ''
  for (let group = 0; group < 8; group++) {
    if (group === start) {
      text += '::'
      group += length - 1
      continue
    }
    if (group > 0 && (length === 0 || group !== start + length)) text += ':'
    text += ((octets[at + group * 2]! << 8) | octets[at + group * 2 + 1]!).toString(16)
  }
  return text
}

/**
 * RFC 5952 section 4.2: "::" stands for the longest run of zero groups, the first of equals, of two at least. As
 * start × 16 + length; -16 where there is none.
 */
function longestZeros(octets: Uint8Array, at: number): number {
  let best = -16
  let bestLength = 1
  for (let start = 0; start < 8; start++) {
    let end = start
    while (end < 8 && octets[at + end * 2] === 0 && octets[at + end * 2 + 1] === 0) end++
    if (end - start > bestLength) {
      bestLength = end - start
      best = start * 16 + bestLength
    }
    start = end
  }
  return best
}
