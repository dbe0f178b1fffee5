/** Walks tokens: what all parts of the parser share. */
import type { OptionError } from '../../errors.js'
import type { Dir, Proto } from './ast.js'
import { filterError } from './error.js'
import { tokensOf, type Tok, type Token } from './lexer.js'

/** Deepest nesting of parentheses, negations, accessors and arithmetic. */
const MAX_DEPTH = 64

/** What an address, port or protocol number is taken for. */
export type Kind = 'unsaid' | 'host' | 'net' | 'port' | 'portrange' | 'proto' | 'protochain'

/** The keywords before an operand. */
export interface Quals {
  readonly proto: Proto | null
  readonly dir: Dir
  readonly kind: Kind
}

const END: Tok = { is: 'end' }

/** A place in an expression. */
export class Cursor {
  readonly text: string
  /** Index of the next token. */
  at = 0
  /** Operators of the arithmetic expression that is being read. */
  operators = 0
  readonly #tokens: readonly Token[]
  /** For each opening parenthesis, the index of the token after the one that closes it. */
  readonly #afterClose: readonly number[]
  #depth = 0

  constructor(text: string) {
    this.text = text
    this.#tokens = tokensOf(text)
    this.#afterClose = matchParentheses(this.#tokens)
  }

  /** The next token. */
  peek(): Tok {
    return this.peekAt(this.at)
  }

  /** The one after it. */
  peekSecond(): Tok {
    return this.peekAt(this.at + 1)
  }

  /** The token with an index. */
  peekAt(index: number): Tok {
    return this.#tokens[index]?.tok ?? END
  }

  /** The next token, where it is a word that isn't escaped. */
  word(): string | null {
    const tok = this.peek()
    return tok.is === 'word' ? tok.word : null
  }

  /** Steps over a token. The end is never passed. */
  bump(): void {
    if (this.at + 1 < this.#tokens.length) this.at += 1
  }

  /** Steps over an operator if it comes next. */
  accept(is: Tok['is']): boolean {
    if (this.peek().is !== is) return false
    this.bump()
    return true
  }

  /** The index of the token after the parenthesis that the next token opens is closed; 0 where it isn't. */
  afterClose(): number {
    return this.#afterClose[this.at] ?? 0
  }

  /** An error at the next token. */
  expected(what: string): OptionError {
    return this.expectedFrom(this.at, what)
  }

  /** An error at token `from`, which may be some tokens back, and all up to the last one that was read. */
  expectedFrom(from: number, what: string): OptionError {
    const end = this.text.length
    const last = Math.max(this.at - 1, from)
    return filterError(this.text, this.#tokens[from]?.start ?? end, this.#tokens[last]?.end ?? end, what)
  }

  /** Runs `read` one level deeper. */
  nested<T>(read: () => T): T {
    if (this.#depth >= MAX_DEPTH) throw this.expected(`at most ${MAX_DEPTH} nested levels`)
    this.#depth += 1
    const result = read()
    this.#depth -= 1
    return result
  }
}

/** Where each parenthesis is closed, so that one look tells `(a or b)` from `(1 + 2) = len`. */
function matchParentheses(tokens: readonly Token[]): number[] {
  const afterClose = tokens.map(() => 0)
  const open: number[] = []
  for (const [i, { tok }] of tokens.entries()) {
    if (tok.is === '(') open.push(i)
    else if (tok.is === ')') {
      const start = open.pop()
      if (start !== undefined) afterClose[start] = i + 1
    }
  }
  return afterClose
}
