/**
 * Comparisons of numbers. The usual ones, an accessor or `len` against a constant, become one step; all others are
 * computed on a small stack. Mirrors `core::filter::relation`.
 */
import { constantOf, type Arith, type Proto, type RelOp } from './ast.js'
import { masked, notOnThisLink, octet, swapped, type Emitter, type Field, type Ways } from './emit.js'
import { isOpaque } from './layout.js'
import { carries, IPV4 } from './link.js'
import { firstFragment, proto } from './primitives.js'
import { Source } from './program.js'

const ALL = 0xffff_ffff

/** Asks whether `a op b`. First, whether the packet has the protocols that both sides read. */
export function relation(e: Emitter, a: Arith, op: RelOp, b: Arith, ways: Ways): void {
  required(e, a, ways)
  required(e, b, ways)
  const onward = op === '!=' || op === '<=' || op === '<' ? swapped(ways) : ways
  const field = fieldOf(e, a)
  const value = constantOf(b)
  if (field === null || value < 0) computed(e, a, op, b, onward)
  else if (op === '=' || op === '!=') e.equal(field, value, onward)
  else if (op === '>=' || op === '<') e.atLeast(field, value, onward)
  else if (value < ALL) e.atLeast(field, value + 1, onward)
  // Nothing is greater, but the field must still be there to be read.
  else e.range(masked(field, 0), 1, 0, onward)
}

/** The slow way. The ways are swapped already for the negated comparisons. */
function computed(e: Emitter, a: Arith, op: RelOp, b: Arith, ways: Ways): void {
  const from = e.arith.length
  // `a >= b` is `not (b > a)`: the other way round.
  const isTurned = op === '>=' || op === '<'
  push(e, isTurned ? b : a)
  push(e, isTurned ? a : b)
  e.arith.push({ is: op === '=' || op === '!=' ? 'equal' : 'greater' })
  const field: Field = { source: Source.Relation, base: from, at: e.arith.length - from, mask: ALL }
  e.equal(field, 1, isTurned ? swapped(ways) : ways)
}

/** Asks for the protocols whose octets `arith` reads; goes on behind where they are there. */
function required(e: Emitter, arith: Arith, ways: Ways): void {
  if (arith.is === 'neg') required(e, arith.inner, ways)
  // As in libpcap, an operator's right side isn't checked: `ip[2:2] - tcp[12]` is computed for UDP too.
  else if (arith.is === 'binary') required(e, arith.left, ways)
  else if (arith.is === 'load') {
    required(e, arith.offset, ways)
    readable(e, arith.proto, ways)
  }
}

function readable(e: Emitter, name: Proto, ways: Ways): void {
  if (name === 'ether') return
  if (isOpaque(e.layout.kind)) throw notOnThisLink()
  const next = e.label()
  const onward = { yes: next, no: ways.no }
  if (BEHIND_IP4.has(name)) {
    const isFirst = (w: Ways) => e.and(w, v => carries(e, IPV4, v), v => firstFragment(e, v))
    e.and(onward, w => proto(e, name, w), isFirst)
  } else if (name === 'icmp6') {
    // Unlike the keyword alone, this doesn't look behind a fragment header.
    const field = octet(e.layout.network + 6)
    e.and(
      onward,
      w => proto(e, 'ip6', w),
      w => e.equal(field, 58, w),
    )
  } else proto(e, name, onward)
  e.place(next)
}

/** Where an accessor's octets are counted from. */
function origin(e: Emitter, name: Proto): number {
  if (name === 'ether') return e.layout.header
  return name === 'icmp6' ? e.layout.network + 40 : e.layout.network
}

/** A number that one step can read; null where there is none. */
function fieldOf(e: Emitter, arith: Arith): Field | null {
  if (arith.is === 'len') return { source: Source.WireLen, base: 0, at: 0, mask: ALL }
  if (arith.is === 'binary' && arith.op === '&') {
    const field = fieldOf(e, arith.left)
    const constant = constantOf(arith.right)
    if (field === null || constant < 0) return null
    const mask = (field.mask & constant) >>> 0
    // A step that reads the length under an empty mask stands for a known answer.
    return mask === 0 && field.source === Source.WireLen ? null : masked(field, mask)
  }
  if (arith.is !== 'load') return null
  const offset = constantOf(arith.offset)
  if (offset < 0) return null
  const base = origin(e, arith.proto)
  const beyond = BEHIND_IP4.has(arith.proto) ? 8 : 0
  // Wraps: `ip[-2:2]` is what stands before the IP header.
  return { source: arith.size | beyond, base, at: (base + offset) >>> 0, mask: ALL }
}

/** Appends `arith` in postfix order. */
function push(e: Emitter, arith: Arith): void {
  switch (arith.is) {
    case 'num':
    case 'len':
      e.arith.push(arith)
      return
    case 'neg':
      push(e, arith.inner)
      e.arith.push({ is: 'neg' })
      return
    case 'binary':
      push(e, arith.left)
      push(e, arith.right)
      e.arith.push({ is: 'binary', op: arith.op })
      return
    case 'load': {
      const header = origin(e, arith.proto)
      const constant = constantOf(arith.offset)
      // The same as in one step: a constant is part of the base.
      if (constant < 0) push(e, arith.offset)
      else e.arith.push({ is: 'num', value: 0 })
      const base = constant < 0 ? header : (header + constant) >>> 0
      e.arith.push({ is: 'load', header: BEHIND_IP4.has(arith.proto) ? header : null, base, size: arith.size })
    }
  }
}

/** Accessors that count from the end of an IPv4 header, as tcpdump's do: they never match IPv6. */
const BEHIND_IP4: ReadonlySet<Proto> = new Set(['tcp', 'udp', 'sctp', 'icmp', 'igmp', 'igrp', 'pim', 'vrrp', 'carp'])
