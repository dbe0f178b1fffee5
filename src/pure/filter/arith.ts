/**
 * Arithmetic: precedence climbing over numbers, `len`, accessors and parentheses. Mirrors `core::filter::arith`.
 *
 * From weak to strong: `|`, `&`, shifts, `+ -`, `* /`, unary minus. `%` and `^` have no rank in tcpdump's grammar: they
 * take the operand at their left as it stands and reach as far right as they can (`8 % 5 * 2` is `8 % (5 * 2)`).
 */
import { protoOf, type Arith, type ArithOp, type Proto } from './ast.js'
import type { Cursor } from './cursor.js'
import type { Tok } from './lexer.js'

/** Most operators in one arithmetic expression: the tree leans to the left and is walked recursively. */
const MAX_OPERATORS = 256

/** Binds stronger than every binary operator. */
const UNARY = 6

/** One side of a comparison. */
export function wholeArith(cursor: Cursor): Arith {
  cursor.operators = 0
  return arithFrom(cursor, 0)
}

function arithFrom(cursor: Cursor, min: number): Arith {
  return cursor.nested(() => {
    let left = unary(cursor)
    for (;;) {
      const op = binaryOf(cursor.peek())
      if (op === null) return left
      const rank = RANKS[op]
      // `min` is the rank below which an operator is left to the caller; no rank means taken here.
      if (rank !== undefined && rank < min) return left
      countOperator(cursor)
      cursor.bump()
      const mark = cursor.at
      const right = arithFrom(cursor, rank === undefined ? 0 : rank + 1)
      checkRight(cursor, op, right, mark)
      left = { is: 'binary', op, left, right }
    }
  })
}

function countOperator(cursor: Cursor): void {
  cursor.operators += 1
  if (cursor.operators > MAX_OPERATORS) throw cursor.expected(`at most ${MAX_OPERATORS} operators in a number`)
}

/** tcpdump refuses a division by a written 0 and a shift by a written number over 31. */
function checkRight(cursor: Cursor, op: ArithOp, right: Arith, mark: number): void {
  if (right.is !== 'num') return
  if ((op === '/' || op === '%') && right.value === 0) throw cursor.expectedFrom(mark, 'a divisor other than 0')
  if ((op === '<<' || op === '>>') && right.value > 31) throw cursor.expectedFrom(mark, 'a shift of at most 31 bits')
}

function unary(cursor: Cursor): Arith {
  const tok = cursor.peek()
  if (tok.is === '-') {
    cursor.bump()
    countOperator(cursor)
    return { is: 'neg', inner: arithFrom(cursor, UNARY) }
  }
  if (tok.is === 'num') {
    cursor.bump()
    return tok
  }
  if (tok.is === '(') {
    cursor.bump()
    const inner = arithFrom(cursor, 0)
    if (cursor.accept(')')) return inner
    throw cursor.expected('an operator or ")"')
  }
  if (tok.is === 'word') {
    if (tok.word === 'len' || tok.word === 'length') {
      cursor.bump()
      return { is: 'len' }
    }
    if (cursor.peekSecond().is === '[') return accessor(cursor, tok.word)
  }
  throw cursor.expected('a number, "len" or an accessor such as tcp[13]')
}

/** `proto[offset]` or `proto[offset:size]`. */
function accessor(cursor: Cursor, word: string): Arith {
  const proto = protoOf(word)
  if (proto === undefined || UNREADABLE.has(proto))
    throw cursor.expected('a protocol whose octets can be read (ether, ip, ip6, tcp, udp, icmp, …)')
  cursor.bump()
  cursor.bump()
  const offset = arithFrom(cursor, 0)
  const size = cursor.accept(':') ? sizeOf(cursor) : 1
  if (cursor.accept(']')) return { is: 'load', proto, offset, size }
  throw cursor.expected('an operator, ":" or "]"')
}

function sizeOf(cursor: Cursor): number {
  const tok = cursor.peek()
  if (tok.is !== 'num' || (tok.value !== 1 && tok.value !== 2 && tok.value !== 4)) throw cursor.expected('a size of 1, 2 or 4')
  cursor.bump()
  return tok.value
}

const UNREADABLE: ReadonlySet<Proto> = new Set(['ah', 'esp', 'aarp', 'stp', 'ipx', 'netbeui', 'iso', 'clnp', 'esis', 'isis'])

/** The ranks of the operators that have one. */
const RANKS: Readonly<Partial<Record<ArithOp, number>>> = {
  '|': 1, '&': 2, '<<': 3, '>>': 3, '+': 4, '-': 4, '*': 5, '/': 5,
}

const OPERATORS: ReadonlySet<string> = new Set<ArithOp>(['|', '&', '<<', '>>', '+', '-', '*', '/', '%', '^'])

/** The arithmetic operator that a token is. */
export function binaryOf(tok: Tok): ArithOp | null {
  return OPERATORS.has(tok.is) ? (tok.is as ArithOp) : null
}
