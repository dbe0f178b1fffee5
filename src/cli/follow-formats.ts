/** How `tcpskein follow` prints pieces of streams. */
import type { DataEvent, GapEvent } from '../index.js'

/** Octets, or how many are missing. */
export type Piece = Omit<DataEvent, keyof Unused> | Omit<GapEvent, keyof Unused>

/** What no format shows. */
type Unused = Pick<DataEvent, 'connection' | 'timestampNs' | 'packet'>

/** Turns pieces into output, in order. */
export interface Writer {
  piece(piece: Piece): string | Uint8Array
  /** What is left to write at the end. */
  end(): string
}

const COLORS = { fwd: '\u001b[31m', rev: '\u001b[34m', off: '\u001b[0m' } as const
const NAMES = { fwd: 'client', rev: 'server' } as const

const missing = (length: number): string => `[${length} octet${length === 1 ? '' : 's'} missing]`

/** The client red and the server blue, as Wireshark has them. */
function paint(text: string, direction: 'fwd' | 'rev', colors: boolean): string {
  return colors ? `${COLORS[direction]}${text}${COLORS.off}` : text
}

/** The octets as they are. `report` is told of what is missing. */
export function rawOctets(report: (text: string) => void): Writer {
  return {
    piece(piece) {
      // The view goes back to the engine with the next event; what is written may wait in a pipe.
      if (piece.type === 'data') return piece.copy()
      report(`${missing(piece.length)} at offset ${piece.offset} of the ${NAMES[piece.direction]}'s stream`)
      return ''
    },
    end: () => '',
  }
}

/** Printable ASCII, tabs and line ends; everything else is a dot, so that no stream talks to the terminal. */
export function plainText(colors: boolean): Writer {
  let atLineStart = true
  return {
    piece(piece) {
      const text = piece.type === 'gap' ? `${atLineStart ? '' : '\n'}${missing(piece.length)}\n` : printable(piece.data)
      if (text !== '') atLineStart = text.endsWith('\n')
      return paint(text, piece.direction, colors)
    },
    end: () => (atLineStart ? '' : '\n'),
  }
}

/** Octets of a line of the dump. */
const LINE = 16

/** Lines of offset, 16 octets in hex, and the same as text; the server's are indented. */
export function hexDump(colors: boolean): Writer {
  return {
    piece(piece) {
      const indent = piece.direction === 'rev' ? '    ' : ''
      if (piece.type === 'gap') return paint(`${indent}${offsetText(piece.offset)}  ${missing(piece.length)}\n`, piece.direction, colors)
      const lines: string[] = []
      for (let at = 0; at < piece.length; at += LINE)
        lines.push(`${indent}${dumpLine(piece.offset + at, piece.data.subarray(at, at + LINE))}\n`)
      return paint(lines.join(''), piece.direction, colors)
    },
    end: () => '',
  }
}

/** At least eight digits; streams may be longer than 4 GiB. */
const offsetText = (offset: number): string => offset.toString(16).padStart(8, '0')

function dumpLine(offset: number, octets: Uint8Array): string {
  const hex = Array.from(octets, octet => octet.toString(16).padStart(2, '0'))
  const halves = `${hex.slice(0, 8).join(' ').padEnd(23)}  ${hex.slice(8).join(' ').padEnd(23)}`
  return `${offsetText(offset)}  ${halves}  ${printable(octets).replace(/[\t\r\n]/g, '.')}`
}

const DOT = 0x2e
/** What each octet is shown as. */
const SHOWN = Uint8Array.from({ length: 256 }, (_, octet) => {
  const isPrintable = (octet >= 0x20 && octet < 0x7f) || octet === 0x09 || octet === 0x0a || octet === 0x0d
  return isPrintable ? octet : DOT
})

function printable(octets: Uint8Array): string {
  return Buffer.from(octets.map(octet => SHOWN[octet]!)).toString('latin1')
}
