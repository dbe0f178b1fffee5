/** What someone may do about an error: a file that is named like the one that isn't there, a program that converts. */
import { closeSync, openSync, readSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { similar } from '../similar.js'

/** A few words about an error's message, or nothing. */
export function hintFor(message: string): string | undefined {
  const missing = /^(.*): cannot open: .*(?:No such file|os error [23]\b|ENOENT|cannot find)/s.exec(message)
  if (missing) return meantFile(missing[1]!)
  const other = /^(.*): offset 0: not a capture/s.exec(message)
  if (other) return otherFormat(other[1]!)
  if (/: (?:the file exists|there are \w+) already$/.test(message)) return '--force replaces what has the same name'
  const folder = /^(.*): cannot read: it is a directory$/s.exec(message)
  return folder ? `for example: ${join(folder[1]!, '*.pcap')}` : undefined
}

function meantFile(path: string): string | undefined {
  try {
    const names = similar(basename(path), readdirSync(dirname(path)))
    const found = names.map(name => (path.includes('/') || path.includes('\\') ? join(dirname(path), name) : name))
    return found.length === 0 ? undefined : `did you mean ${found.join(' or ')}?`
  } catch {
    return undefined
  }
}

/** First octets of files that are no captures of a kind that is read here, and what to do with them. */
const MAGIC: readonly (readonly [start: string, advice: string])[] = [
  ['snoop\0\0\0', 'a snoop capture; editcap -F pcap converts it'],
  ['GMBU', 'a Network Monitor capture; editcap -F pcap converts it'],
  ['RTSS', 'a Network Monitor capture; editcap -F pcap converts it'],
  ['TRSNIFF data', 'a Sniffer capture; editcap -F pcap converts it'],
  ['XCP\0', 'a NetXRay capture; editcap -F pcap converts it'],
  ['BZh', 'compressed with bzip2; bzcat FILE gives the capture, which may come in as -'],
  ['PK\u0003\u0004', 'a ZIP archive; unzip -p FILE gives the capture, which may come in as -'],
  ['7z\u00bc\u00af', 'a 7-Zip archive; unpack it first'],
  ['<?xml', 'XML, perhaps what tshark -T pdml wrote; captures are what tcpdump -w and tshark -w write'],
]

function otherFormat(path: string): string | undefined {
  const start = firstOctets(path)
  if (start === '') return undefined
  const known = MAGIC.find(([magic]) => start.startsWith(magic))
  if (known) return `this is ${known[1].replace('FILE', path)}`
  // Letters, digits and line ends only: what tcpdump prints, a log, a program.
  const isText = /^[\t\r\n\u0020-\u007e]+$/.test(start)
  return isText ? 'this is a text; captures are what tcpdump -w and tshark -w write' : undefined
}

function firstOctets(path: string): string {
  try {
    const octets = Buffer.alloc(64)
    const file = openSync(path, 'r')
    const length = readSync(file, octets)
    closeSync(file)
    return octets.toString('latin1', 0, length)
  } catch {
    // A stream, or gone: then there is nothing to say.
    return ''
  }
}
