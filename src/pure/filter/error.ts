/** What is wrong with an expression, and where. Mirrors `core::filter::error`. */
import { OptionError } from '../../errors.js'

/** Columns of the expression that the picture shows at most. */
const PICTURE_WIDTH = 76

/** An error at `[start, end)` of `expression`: the token there, and what should have stood in its place. */
export function filterError(expression: string, start: number, end: number, expected: string): OptionError {
  const column = characters(expression.slice(0, start))
  const token = expression.slice(start, end)
  const found = token === '' ? 'the end' : `"${escaped(token)}"`
  const sentence = `filter, column ${column + 1}: expected ${expected}, found ${found}`
  return new OptionError(`option filter: ${sentence}\n${picture(expression, column, token)}`)
}

/** Two lines: the expression (a part of it where it's long), and a caret under the token's first character. */
function picture(expression: string, column: number, token: string): string {
  const from = column < PICTURE_WIDTH ? 0 : column - PICTURE_WIDTH / 2
  const line = Array.from(expression)
    .slice(from, from + PICTURE_WIDTH)
    .map(character => (/\p{Cc}/u.test(character) ? ' ' : character))
    .join('')
  const carets = Math.min(Math.max(characters(token), 1), PICTURE_WIDTH - (column - from))
  return `${line}\n${' '.repeat(column - from)}${'^'.repeat(carets)}`
}

const characters = (text: string): number => Array.from(text).length

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\t': '\\t',
  '\r': '\\r',
  '\n': '\\n',
  "'": "\\'",
  '"': '\\"',
  '\\': '\\\\',
}

/** What can't be seen, and quotes, written in a way that can. */
function escaped(token: string): string {
  return Array.from(token, (character, i) => {
    const known = ESCAPES[character]
    if (known !== undefined) return known
    const isHidden = character !== ' ' && /[\p{C}\p{Z}]/u.test(character)
    const isLoose = i === 0 && /\p{Grapheme_Extend}/u.test(character)
    return isHidden || isLoose ? `\\u{${character.codePointAt(0)!.toString(16)}}` : character
  }).join('')
}
