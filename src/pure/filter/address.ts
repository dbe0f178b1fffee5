/** IPv6 addresses in text (RFC 4291 section 2.2). */
import type { Words6 } from './ast.js'

/** The address, as four words of 32 bits; null where the text is none. */
export function parseAddress6(text: string): Words6 | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves.map(half => (half === '' ? [] : groupsOf(half)))
  if (head === null || tail === null) return null
  if (tail === undefined) return head!.length === 8 ? wordsOf(head!) : null
  // "::" stands for one group of zeros at least; before it there can't be the part that is written as IPv4.
  const missing = 8 - head!.length - tail.length
  if (missing < 1 || halves[0]!.includes('.')) return null
  return wordsOf([...head!, ...Array.from({ length: missing }, () => 0), ...tail])
}

/** Groups of 16 bits; the last two may be written as an IPv4 address. */
function groupsOf(text: string): number[] | null {
  const parts = text.split(':')
  const last = parts.at(-1)!
  const dotted = last.includes('.') ? dottedOf(last) : []
  if (dotted === null) return null
  const hex = dotted.length > 0 ? parts.slice(0, -1) : parts
  if (!hex.every(part => /^[0-9A-Fa-f]{1,4}$/.test(part))) return null
  return [...hex.map(part => Number.parseInt(part, 16)), ...dotted]
}

/** Four decimal octets without leading zeros, as two groups. */
function dottedOf(text: string): number[] | null {
  const octets = text.split('.')
  const isAddress = octets.length === 4 && octets.every(octet => /^(0|[1-9][0-9]{0,2})$/.test(octet) && Number(octet) < 256)
  if (!isAddress) return null
  const [a, b, c, d] = octets.map(Number) as [number, number, number, number]
  return [(a << 8) | b, (c << 8) | d]
}

function wordsOf(groups: readonly number[]): Words6 {
  const word = (i: number) => ((groups[i]! << 16) | groups[i + 1]!) >>> 0
  return [word(0), word(2), word(4), word(6)]
}
