/** Addresses as text: dotted IPv4, and IPv6 by RFC 5952. */

/** Of each octet: in decimal, the same and a dot, hexadecimal without and with the leading zero, the latter and a colon. */
const DECIMAL = texts(n => String(n))
const DECIMAL_DOT = texts(n => `${n}.`)
const HEX = texts(n => n.toString(16))
const HEX_COLON = texts(n => `${n.toString(16)}:`)
const HEX_2 = texts(n => n.toString(16).padStart(2, '0'))
const HEX_2_COLON = texts(n => `${n.toString(16).padStart(2, '0')}:`)

function texts(make: (octet: number) => string): readonly string[] {
  return Array.from({ length: 256 }, (_, octet) => make(octet))
}

/**
 * Texts that are remembered: a capture has few servers, and each is in many records. A text is kept when its address comes
 * for the second time: what comes once, as many clients do, would only be carried about by the collector.
 */
const REMEMBERED = 4096
const V4_WORDS = new Int32Array(REMEMBERED)
const V4_TEXTS: string[] = Array.from({ length: REMEMBERED }, () => '')
const V6_WORDS = new Int32Array(REMEMBERED * 4)
const V6_TEXTS: string[] = Array.from({ length: REMEMBERED }, () => '')
/** In the place of a text: the address came once. */
const ONCE = ''

/**
 * The address whose octets stand at `at`.
 *
 * @param version 4 or 6
 */
export function formatAddress(octets: Uint8Array, at: number, version: number): string {
  return version === 4 ? rememberedV4(octets, at) : rememberedV6(octets, at)
}

/** Where a text may be: the upper 12 bits of a product, so that neighbours lie apart. */
const placeOf = (key: number): number => Math.imul(key, 0x9e3779b1) >>> 20

const word = (octets: Uint8Array, at: number): number =>
  (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!

function rememberedV4(octets: Uint8Array, at: number): string {
  const address = word(octets, at)
  const place = placeOf(address)
  if (V4_WORDS[place] !== address) {
    V4_WORDS[place] = address
    V4_TEXTS[place] = ONCE
    return formatV4(address)
  }
  const text = V4_TEXTS[place]!
  return text === ONCE ? (V4_TEXTS[place] = formatV4(address)) : text
}

function rememberedV6(octets: Uint8Array, at: number): string {
  const a = word(octets, at)
  const b = word(octets, at + 4)
  const c = word(octets, at + 8)
  const d = word(octets, at + 12)
  const place = placeOf(a ^ Math.imul(b, 31) ^ Math.imul(c, 17) ^ d)
  const i = place * 4
  if (V6_WORDS[i] !== a || V6_WORDS[i + 1] !== b || V6_WORDS[i + 2] !== c || V6_WORDS[i + 3] !== d) {
    V6_WORDS[i] = a
    V6_WORDS[i + 1] = b
    V6_WORDS[i + 2] = c
    V6_WORDS[i + 3] = d
    V6_TEXTS[place] = ONCE
    return formatV6(octets, at)
  }
  const text = V6_TEXTS[place]!
  return text === ONCE ? (V6_TEXTS[place] = formatV6(octets, at)) : text
}

function formatV4(address: number): string {
  const start = DECIMAL_DOT[address >>> 24]! + DECIMAL_DOT[(address >>> 16) & 255]!
  return start + DECIMAL_DOT[(address >>> 8) & 255]! + DECIMAL[address & 255]!
}

function formatV6(octets: Uint8Array, at: number): string {
  const zeros = longestZeros(octets, at)
  const start = zeros >> 4
  const end = start + (zeros & 15)
  let text = ''
  for (let group = 0; group < 8; group++) {
    if (group === start) {
      // The group before ended with the first colon.
      text += group === 0 ? '::' : ':'
      group = end - 1
      continue
    }
    const [high, low] = [octets[at + group * 2]!, octets[at + group * 2 + 1]!]
    if (high !== 0) text += HEX[high]!
    if (group < 7) text += (high === 0 ? HEX_COLON : HEX_2_COLON)[low]!
    else text += (high === 0 ? HEX : HEX_2)[low]!
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
