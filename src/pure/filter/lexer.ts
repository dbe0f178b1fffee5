/**
 * From an expression's characters to tokens. A word is as long as it can be, as in tcpdump: `len-4` is one word. Mirrors
 * `core::filter::lexer`.
 */
import { parseAddress6 } from './address.js'
import type { Words6 } from './ast.js'
import { filterError } from './error.js'
import { constant } from './words.js'

/** Longest expression that is compiled, in octets of UTF-8. */
export const MAX_EXPRESSION_LEN = 65_536

/** The longest IPv6 address in text; the bound keeps the scan of a long expression linear. */
const MAX_ADDRESS_LEN = 45

/** A token's meaning. */
export type Tok =
  /** A keyword or a name; or a name after a backslash, which is never a keyword. */
  | { readonly is: 'word' | 'escaped'; readonly word: string }
  | { readonly is: 'num'; readonly value: number }
  /** Two to four numbers with dots between, left-aligned, and how many there are. */
  | { readonly is: 'v4'; readonly addr: number; readonly parts: number }
  | { readonly is: 'v6'; readonly addr: Words6 }
  | { readonly is: 'mac'; readonly mac: readonly number[] }
  /** An operator, `and`, `or` and `not` included. */
  | { readonly is: Symbol }
  | { readonly is: 'end' }

/** An operator. */
export type Symbol = 'and' | 'or' | 'not' | '(' | ')' | '[' | ']' | ':' | '/' | '+' | '-' | '*' | '%' | '&' | '|' | '^' | '<<' | '>>' | '=' | '!=' | '<' | '>' | '<=' | '>='

/** A token and where it stands, `[start, end)`. */
export interface Token {
  readonly tok: Tok
  readonly start: number
  readonly end: number
}

/** All tokens of `text`; the last one is the end. */
export function tokensOf(text: string): Token[] {
  if (new TextEncoder().encode(text).length > MAX_EXPRESSION_LEN)
    throw filterError(text, text.length, text.length, `at most ${MAX_EXPRESSION_LEN} octets`)
  const found: Token[] = []
  for (let at = 0; at < text.length; ) {
    if (' \t\n\f\r'.includes(text[at]!)) {
      at += 1
      continue
    }
    const token = tokenAt(text, at)
    at = token.end
    found.push(token)
  }
  found.push({ tok: { is: 'end' }, start: text.length, end: text.length })
  return found
}

/** The token that begins at `at`, which is not white space. */
function tokenAt(text: string, at: number): Token {
  const address = addressAt(text, at)
  if (address !== null) return address
  if (/[0-9A-Za-z]/.test(text[at]!)) return wordAt(text, at)
  if (text[at] === '\\') {
    const word = /^[^ !()\n\t]*/.exec(text.slice(at + 1))![0]
    return { tok: { is: 'escaped', word }, start: at, end: at + 1 + word.length }
  }
  const [symbol, length] = symbolAt(text, at)
  if (symbol !== null) return { tok: { is: symbol }, start: at, end: at + length }
  const end = at + String.fromCodePoint(text.codePointAt(at)!).length
  throw filterError(text, at, end, 'a keyword, a number, an address or an operator')
}

/** An IPv6 or MAC address with colons, which no word can hold. */
function addressAt(text: string, start: number): Token | null {
  const [found] = /^[0-9A-Fa-f:.]*/.exec(text.slice(start, start + MAX_ADDRESS_LEN + 1))!
  if (found.length > MAX_ADDRESS_LEN || !found.includes(':')) return null
  const end = start + found.length
  const mac = macOf(found, ':')
  if (mac !== null) return { tok: { is: 'mac', mac }, start, end }
  const addr = parseAddress6(found)
  return addr === null ? null : { tok: { is: 'v6', addr }, start, end }
}

/** Six groups of one or two hexadecimal digits. */
function macOf(text: string, separator: string): number[] | null {
  const groups = text.split(separator)
  const isMac = groups.length === 6 && groups.every(group => /^[0-9A-Fa-f]{1,2}$/.test(group))
  return isMac ? groups.map(group => Number.parseInt(group, 16)) : null
}

/** Three groups of four hexadecimal digits with dots, as some switches print an address. */
function dottedMac(text: string): number[] | null {
  if (!/^[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}$/.test(text)) return null
  return text.replaceAll('.', '').match(/../g)!.map(octet => Number.parseInt(octet, 16))
}

/** A word, number or dotted address. At `start` is a letter or digit. */
function wordAt(text: string, start: number): Token {
  const word = /^[0-9A-Za-z._-]*/.exec(text.slice(start))![0].replace(/[-_]+$/, '')
  const end = start + word.length
  const fail = (expected: string) => filterError(text, start, end, expected)
  const token = (tok: Tok): Token => ({ tok, start, end })
  if (word === 'and' || word === 'or' || word === 'not') return token({ is: word })
  if (/^(0[xX][0-9A-Fa-f]+|[0-9]*)$/.test(word)) {
    const value = numberOf(word)
    if (typeof value === 'string') throw fail(value)
    return token({ is: 'num', value })
  }
  if (/^[0-9]+(\.[0-9]+){1,3}$/.test(word)) {
    const octets = word.split('.').map(Number)
    if (octets.some(octet => octet > 255)) throw fail('an IPv4 address whose parts are 0 to 255')
    const [a = 0, b = 0, c = 0, d = 0] = octets
    return token({ is: 'v4', addr: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, parts: octets.length })
  }
  const mac = macOf(word, '-') ?? macOf(word, '.') ?? dottedMac(word)
  if (mac !== null) return token({ is: 'mac', mac })
  const value = constant(word)
  return token(value === undefined ? { is: 'word', word } : { is: 'num', value })
}

/** A number as C writes it: decimal, `0x` hexadecimal, `0` octal; or what was expected instead. */
export function numberOf(word: string): number | string {
  const hex = /^0[xX](.*)$/.exec(word)?.[1]
  const isOctal = hex === undefined && word.length > 1 && word.startsWith('0')
  if (isOctal && /[8-9A-Za-z._-]/.test(word)) return 'octal digits after the leading 0'
  const digits = hex ?? word
  const isNumber = hex === undefined ? /^[0-9]+$/.test(digits) : /^[0-9A-Fa-f]+$/.test(digits)
  const value = isNumber ? Number.parseInt(digits, hex !== undefined ? 16 : isOctal ? 8 : 10) : Infinity
  return value > 0xffff_ffff ? 'a number of at most 32 bits' : value
}

const SYMBOLS_OF_TWO: Readonly<Record<string, Symbol>> = {
  '&&': 'and', '||': 'or', '==': '=', '!=': '!=', '<=': '<=', '>=': '>=', '<<': '<<', '>>': '>>',
}

const SYMBOLS_OF_ONE: Readonly<Record<string, Symbol>> = {
  '(': '(', ')': ')', '[': '[', ']': ']', ':': ':', '/': '/', '!': 'not', '+': '+', '-': '-', '*': '*', '%': '%', '&': '&',
  '|': '|', '^': '^', '=': '=', '<': '<', '>': '>',
}

/** An operator, and its length. */
function symbolAt(text: string, at: number): [Symbol, number] | [null, 0] {
  const two = SYMBOLS_OF_TWO[text.slice(at, at + 2)]
  if (two !== undefined) return [two, 2]
  const one = SYMBOLS_OF_ONE[text[at]!]
  return one === undefined ? [null, 0] : [one, 1]
}
