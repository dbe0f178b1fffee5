/** The tree view of PyPCAPKit's text files: a line per value, branches drawn with `|--`. */
import type { TraceDumper, TraceOutput } from './dumper.js'
import type { TraceFrame } from './packet.js'

/** Columns of text, and octets in hex, that stand on a line of their own from there on. */
const TEXT_WIDTH = 40
const OCTETS = 16

/** Frames with a blank line between them. */
export class TreeDumper implements TraceDumper {
  readonly #output: TraceOutput
  #isFirst = true

  constructor(output: TraceOutput) {
    this.#output = output
  }

  dump(frame: TraceFrame, name: string): void {
    this.#output.write(`${this.#isFirst ? '' : '\n'}${name}${branch(frame, '')}\n`)
    this.#isFirst = false
  }
}

const NOTHING = ' -> NIL'
const BRANCH = '  |   '
const SPACES = '      '

/** The entries of an object, each on its line; `before` stands at the beginning of each. */
function branch(value: object, before: string): string {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  if (entries.length === 0) return NOTHING
  return entries
    .map(([key, item], i) => {
      const below = before + (i < entries.length - 1 ? BRANCH : SPACES)
      return `\n${before}  |-- ${key} ${leaf(item, below)}`
    })
    .join('')
}

/** A value behind its key or dash, with the lines that belong to it. */
function leaf(value: unknown, before: string): string {
  if (value === null) return '-> NIL'
  switch (typeof value) {
    case 'boolean':
      return value ? '-> True' : '-> False'
    case 'string':
      return lines(value === '' ? [] : value.length <= TEXT_WIDTH ? [value] : wrap(value), before)
    case 'object':
      break
    default:
      return `-> ${String(value)}`
  }
  if (value instanceof Uint8Array) return lines(hexLines(value), before)
  if (value instanceof Date) return `-> ${value.toISOString()}`
  return Array.isArray(value) ? list(value, before) : branch(value, before)
}

/** Text of several lines begins on the next one. */
function lines(text: readonly string[], before: string): string {
  if (text.length === 0) return NOTHING
  if (text.length === 1) return `-> ${text[0]}`
  return `\n${before}  |--> ${text.join(`\n${before}       `)}`
}

function list(items: readonly unknown[], before: string): string {
  if (items.length === 0) return NOTHING
  return items
    .map((item, i) => {
      // The original doesn't move the last item in.
      const below = i < items.length - 1 ? before + BRANCH : before
      return `\n${before}  |-${startsNewLine(item) ? '-> --' : ''}${leaf(item, below)}`
    })
    .join('')
}

function startsNewLine(item: unknown): boolean {
  if (typeof item === 'string') return item.length > TEXT_WIDTH
  if (item instanceof Uint8Array) return item.length > OCTETS
  return typeof item === 'object' && item !== null && !Array.isArray(item)
}

function hexLines(octets: Uint8Array): string[] {
  const hex = Array.from(octets, octet => octet.toString(16).padStart(2, '0'))
  return Array.from({ length: Math.ceil(hex.length / OCTETS) }, (_, i) => hex.slice(i * OCTETS, (i + 1) * OCTETS).join(' '))
}

/** Breaks text at white space; a word that is longer than a line is cut. */
function wrap(text: string): string[] {
  const out: string[] = []
  for (let word of text.split(/\s+/).filter(Boolean)) {
    const last = out.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= TEXT_WIDTH) {
      out[out.length - 1] = `${last} ${word}`
      continue
    }
    for (; word.length > TEXT_WIDTH; word = word.slice(TEXT_WIDTH)) out.push(word.slice(0, TEXT_WIDTH))
    out.push(word)
  }
  return out
}
