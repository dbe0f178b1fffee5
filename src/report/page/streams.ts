/** The first octets of both streams, as text and in hexadecimal. */
import { el } from './dom.js'
import { number } from './format.js'
import type { Segments, Way } from './segments.js'

const WHO = ['client', 'server'] as const

/** Both, side by side; `lengths` are those of the whole streams. */
export function showStreams(segments: Segments, lengths: readonly [number, number], inHex: boolean): HTMLElement {
  return el('div', { class: 'streams' }, ...([0, 1] as const).map(way => stream(segments, way, lengths[way], inHex)))
}

function stream(segments: Segments, way: Way, length: number, inHex: boolean): HTMLElement {
  const octets = segments.column(way === 0 ? 'headFwd' : 'headRev')
  const ranges = segments.meta.heads[way]
  const title = el('h3', {}, `From the ${WHO[way]} `)
  const shown = `· ${number(octets.length)} of ${number(length)} octets`
  const pre = el('pre', { class: inHex ? '' : 'text', tabindex: 0, role: 'region', 'aria-label': `First octets from the ${WHO[way]}` })
  let [at, end] = [0, 0]
  for (const [offset, count] of ranges) {
    if (offset > end) pre.append(gap(offset - end))
    const part = octets.subarray(at, at + count) as Uint8Array
    pre.append(inHex ? hex(part, offset) : text(part))
    at += count
    end = offset + count
  }
  if (ranges.length === 0) pre.append(length > 0 ? 'None of the first octets were captured.' : 'Nothing.')
  return el('section', {}, title, el('span', { class: 'caption' }, shown), pre)
}

function gap(length: number): HTMLElement {
  return el('span', { class: 'gap' }, `[${number(length)} octets missing]\n`)
}

const strict = new TextDecoder('utf-8', { fatal: true })
const latin = new TextDecoder('latin1')

/** UTF-8 where it is that, else one character for each octet; what can't be seen is a dot. */
function text(octets: Uint8Array): string {
  return decoded(octets).replaceAll('\r\n', '\n').replaceAll(/[^\P{C}\n\t]/gu, '·')
}

function decoded(octets: Uint8Array): string {
  // The last character may be cut.
  for (let cut = 0; cut < 4 && cut <= octets.length; cut++)
    try {
      return strict.decode(octets.subarray(0, octets.length - cut))
    } catch {
      // One octet less, or no UTF-8 at all.
    }
  return latin.decode(octets)
}

/** As `hexdump -C` has it. */
function hex(octets: Uint8Array, offset: number): string {
  const lines: string[] = []
  for (let at = 0; at < octets.length; at += 16) {
    const part = octets.subarray(at, at + 16)
    const pairs = Array.from({ length: 16 }, (_, i) => (i < part.length ? part[i]!.toString(16).padStart(2, '0') : '  '))
    const letters = Array.from(part, octet => (octet >= 32 && octet < 127 ? String.fromCharCode(octet) : '.')).join('')
    lines.push(`${(offset + at).toString(16).padStart(6, '0')}  ${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}  ${letters}`)
  }
  return `${lines.join('\n')}\n`
}
