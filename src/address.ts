/** Addresses as text: dotted IPv4, and IPv6 by RFC 5952. */

const OCTETS = Array.from({ length: 256 }, (_, n) => String(n))

/**
 * The address whose octets stand at `at`.
 *
 * @param version 4 or 6
 */
export function formatAddress(octets: Uint8Array, at: number, version: number): string {
  return version === 4 ? formatV4(octets, at) : formatV6(octets, at)
}

function formatV4(octets: Uint8Array, at: number): string {
  return `${OCTETS[octets[at]!]}.${OCTETS[octets[at + 1]!]}.${OCTETS[octets[at + 2]!]}.${OCTETS[octets[at + 3]!]}`
}

function formatV6(octets: Uint8Array, at: number): string {
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push((octets[at + i]! << 8) | octets[at + i + 1]!)
  const [start, length] = longestZeros(groups)
  const text = (part: number[]) => part.map(group => group.toString(16)).join(':')
  // RFC 5952 section 4.2.2: "::" stands for two groups at least.
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

/** RFC 5952 section 4.2.3: the longest run of zero groups, the first of equals. */
function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0]
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length++
    if (length > best[1]) best = [start, length]
  }
  return best
}
