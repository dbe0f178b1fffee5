/** Apple's property list, as XML: a dictionary with an entry per frame. */
import { createRequire } from 'node:module'
import type * as Plist from 'plist'
import type { TraceDumper, TraceOutput } from './dumper.js'
import type { TraceFrame } from './packet.js'

/** Loaded when first needed: it takes longer to load than all the rest of this package. */
const library = (): typeof Plist => createRequire(import.meta.url)('plist') as typeof Plist

/** What the library writes around the entries. */
const OPEN = '<dict>\n'
const CLOSE = '\n\t</dict>\n</plist>'

/** A dictionary per file, complete after every frame. */
export class PlistDumper implements TraceDumper {
  readonly #output: TraceOutput
  #isFirst = true

  constructor(output: TraceOutput) {
    this.#output = output
  }

  dump(frame: TraceFrame, name: string): void {
    const document = library().build({ [name]: legal(frame) as Plist.PlistValue }, { pretty: true, indent: '\t' })
    const from = this.#isFirst ? 0 : document.indexOf(OPEN) + OPEN.length - 1
    this.#isFirst = false
    this.#output.tail = `${CLOSE}\n`
    this.#output.write(document.slice(from, document.lastIndexOf(CLOSE)))
  }
}

/**
 * A value as a property list can hold it: null and undefined are left out, characters that XML 1.0 (section 2.2)
 * can't hold become U+FFFD, and views are buffers, for of other ones the library writes all that lies under them.
 */
function legal(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
  if (Array.isArray(value)) return value.filter(isSomething).map(legal)
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const members = Object.entries(value).filter(([, item]) => isSomething(item))
  return Object.fromEntries(members.map(([key, item]) => [legal(key), legal(item)]))
}

const isSomething = (value: unknown): boolean => value !== null && value !== undefined
