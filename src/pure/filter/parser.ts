/**
 * From tokens to a tree: chains, negation, parentheses, qualifiers. Mirrors `core::filter::parser`.
 *
 * `and` and `or` have one precedence and go from left to right; `not` binds its operand alone. An operand without
 * keywords takes the qualifiers of the operand before it: `tcp dst port ftp or 80`.
 */
import { binaryOf, wholeArith } from './arith.js'
import { protoOf, type Control, type Dir, type Expr, type Joined, type Proto, type RelOp, type Test } from './ast.js'
import { Cursor, type Kind, type Quals } from './cursor.js'
import type { Tok } from './lexer.js'
import { operand, operands } from './operand.js'
import { llcType } from './words.js'

/** An expression, and the qualifiers that it leaves to the next operand. */
interface Read {
  readonly expr: Expr
  readonly quals: Quals | null
}

/** The tree of `text`. */
export function parse(text: string): Expr {
  const cursor = new Cursor(text)
  if (cursor.peek().is === 'end') return { is: 'any' }
  const { expr } = chain(cursor, null)
  if (cursor.peek().is === 'end') return expr
  throw cursor.expected('"and", "or" or the end')
}

/** Operands joined by `and` and `or`. */
function chain(cursor: Cursor, inherited: Quals | null): Read {
  const { expr: first, quals: left } = term(cursor, inherited)
  let quals = left
  const rest: Joined[] = []
  for (let tok = cursor.peek(); tok.is === 'and' || tok.is === 'or'; tok = cursor.peek()) {
    cursor.bump()
    const next = term(cursor, quals)
    quals = next.quals
    rest.push({ join: tok.is, expr: next.expr })
  }
  return { expr: rest.length === 0 ? first : { is: 'chain', first, rest }, quals }
}

function term(cursor: Cursor, inherited: Quals | null): Read {
  if (cursor.accept('not')) {
    const { expr: inner, quals } = cursor.nested(() => term(cursor, inherited))
    return { expr: { is: 'not', inner }, quals }
  }
  if (cursor.peek().is !== '(' || isArithmeticParenthesis(cursor)) return primitive(cursor, inherited)
  cursor.bump()
  const { expr } = cursor.nested(() => chain(cursor, inherited))
  if (!cursor.accept(')')) throw cursor.expected('"and", "or" or ")"')
  // What stands in parentheses leaves no qualifiers behind.
  return { expr, quals: inherited }
}

/** Whether the parenthesis that opens here holds a number: an operator stands behind it. */
function isArithmeticParenthesis(cursor: Cursor): boolean {
  const after = cursor.afterClose()
  return after > 0 && continuesNumber(cursor.peekAt(after))
}

function primitive(cursor: Cursor, inherited: Quals | null): Read {
  if (startsRelation(cursor)) return only(relation(cursor))
  const lone = loneKeyword(cursor)
  if (lone !== null) return only(lone)
  const start = cursor.at
  const proto = protoKeyword(cursor)
  const quals = qualifiers(cursor, proto)
  if (quals !== null) return { expr: cursor.nested(() => operands(cursor, quals)), quals }
  if (proto !== null) return only(afterProto(cursor, proto, start))
  const cast = castKeyword(cursor, null, start)
  if (cast !== null) return only(cast)
  const isOperand = startsOperand(cursor.peek())
  if (inherited !== null && isOperand) return { expr: { is: 'test', test: operand(cursor, inherited) }, quals: inherited }
  if (inherited === null && isOperand)
    throw cursor.expected('a keyword (host, net, port, …) before a name or number')
  throw cursor.expected('a primitive')
}

const only = (test: Test): Read => ({ expr: { is: 'test', test }, quals: null })

function startsRelation(cursor: Cursor): boolean {
  const tok = cursor.peek()
  if (tok.is === 'num') return continuesNumber(cursor.peekSecond())
  if (tok.is === '(' || tok.is === '-') return true
  if (tok.is !== 'word') return false
  if (tok.word === 'len' || tok.word === 'length') return true
  return cursor.peekSecond().is === '[' && protoOf(tok.word) !== undefined
}

function startsOperand(tok: Tok): boolean {
  return ['num', 'v4', 'v6', 'mac', 'word', 'escaped'].includes(tok.is)
}

const COMPARISONS: ReadonlySet<string> = new Set<RelOp>(['=', '!=', '>', '>=', '<', '<='])

function relation(cursor: Cursor): Test {
  const left = wholeArith(cursor)
  const { is } = cursor.peek()
  if (!COMPARISONS.has(is)) throw cursor.expected('a comparison (=, !=, <, <=, >, >=)')
  cursor.bump()
  return { is: 'relation', left, op: is as RelOp, right: wholeArith(cursor) }
}

/** Primitives of one keyword and perhaps a number. */
function loneKeyword(cursor: Cursor): Test | null {
  const word = cursor.word()
  switch (word) {
    case 'less':
    case 'greater':
      return length(cursor, word === 'less' ? '<=' : '>=')
    case 'inbound':
    case 'outbound':
      cursor.bump()
      return { is: 'outbound', out: word === 'outbound' }
    case 'vlan':
      return { is: word, id: tag(cursor, 0xfff, 'a VLAN id of at most 4095') }
    case 'mpls':
      return { is: word, id: tag(cursor, 0xf_ffff, 'an MPLS label of at most 1048575') }
    case 'pppoes':
      return { is: word, id: tag(cursor, 0xffff, 'a PPPoE session id of at most 65535') }
    case 'geneve':
      return { is: word, id: tag(cursor, 0xff_ffff, 'a Geneve network identifier of at most 16777215') }
    case 'llc':
      cursor.bump()
      return { is: word, control: llcControl(cursor) }
    case 'pppoed':
      cursor.bump()
      return { is: word }
    default:
      return null
  }
}

function length(cursor: Cursor, op: RelOp): Test {
  cursor.bump()
  const tok = cursor.peek()
  if (tok.is !== 'num') throw cursor.expected('a length in octets')
  cursor.bump()
  return { is: 'relation', left: { is: 'len' }, op, right: tok }
}

/** The type of an LLC frame, where a word stands there. */
function llcControl(cursor: Cursor): Control | null {
  const tok = cursor.peek()
  if (tok.is !== 'word' && tok.is !== 'escaped') return null
  const control = llcType(tok.word)
  if (control === undefined)
    throw cursor.expected('an LLC frame type (i, s, u, rr, rnr, rej, ui, ua, disc, sabme, test, xid, frmr)')
  cursor.bump()
  return control
}

/** Steps over a keyword; gives the number behind it, if any. The number may be in parentheses. */
function tag(cursor: Cursor, max: number, what: string): number | null {
  cursor.bump()
  const parenthesis = cursor.peek().is === '(' && cursor.peekSecond().is === 'num'
  if (parenthesis) cursor.bump()
  const tok = cursor.peek()
  if (tok.is !== 'num') return null
  if (tok.value > max) throw cursor.expected(what)
  cursor.bump()
  if (parenthesis && !cursor.accept(')')) throw cursor.expected('")"')
  return tok.value
}

function protoKeyword(cursor: Cursor): Proto | null {
  const word = cursor.word()
  const proto = word === null ? undefined : protoOf(word)
  if (proto === undefined) return null
  cursor.bump()
  return proto
}

const KINDS: ReadonlySet<string> = new Set<Kind>(['host', 'net', 'port', 'portrange'])

/** `src`, `dst or src`, `host`, `port`, `proto` …: what stands before an operand. */
function qualifiers(cursor: Cursor, proto: Proto | null): Quals | null {
  const dir = direction(cursor)
  const word = cursor.word()
  let kind: Kind = 'unsaid'
  if (word !== null && KINDS.has(word)) kind = word as Kind
  else if ((word === 'proto' || word === 'protochain') && dir === null) kind = word
  else if (word === 'gateway') throw cursor.expected('"host" (gateway is not supported)')
  if (kind !== 'unsaid') cursor.bump()
  else if (dir === null) return null
  return { proto, dir: dir ?? 'either', kind }
}

function direction(cursor: Cursor): Dir | null {
  const word = cursor.word()
  if (word !== 'src' && word !== 'dst') return null
  cursor.bump()
  const second = cursor.peekSecond()
  const isBoth = second.is === 'word' && second.word === (word === 'src' ? 'dst' : 'src')
  const { is } = cursor.peek()
  if (!isBoth || (is !== 'or' && is !== 'and')) return word
  cursor.bump()
  cursor.bump()
  return is === 'or' ? 'either' : 'both'
}

/** A protocol's keyword without qualifiers: alone, or with `broadcast` or `multicast`. */
function afterProto(cursor: Cursor, proto: Proto, start: number): Test {
  const cast = castKeyword(cursor, proto, start)
  if (cast !== null) return cast
  if (proto === 'ether') throw cursor.expected('host, src, dst, proto, broadcast, multicast or "["')
  return { is: 'proto', proto }
}

function castKeyword(cursor: Cursor, proto: Proto | null, start: number): Test | null {
  const word = cursor.word()
  if (word !== 'broadcast' && word !== 'multicast') return null
  cursor.bump()
  if (proto === null || proto === 'ether') return { is: word }
  if (proto === 'ip') return { is: word === 'broadcast' ? 'ipBroadcast' : 'ipMulticast' }
  if (word === 'broadcast') throw cursor.expectedFrom(start, '"ether" or "ip" before "broadcast"')
  if (proto === 'ip6') return { is: 'ip6Multicast' }
  throw cursor.expectedFrom(start, '"ether", "ip" or "ip6" before "multicast"')
}

/** Whether a number before `tok` goes on: an arithmetic operator or a comparison. */
function continuesNumber(tok: Tok): boolean {
  return binaryOf(tok) !== null || COMPARISONS.has(tok.is)
}
