/**
 * From the tree to a program for one kind of link layer. Operands are taken in written order, since `vlan`, `mpls` and
 * `pppoes` move the offsets of everything that is written behind them. Mirrors `core::filter::codegen`.
 */
import type { Expr, Joined, Test } from './ast.js'
import { Emitter, swapped, type Label, type Ways } from './emit.js'
import { geneve } from './geneve.js'
import { Layout, type LinkKind } from './layout.js'
import { carries } from './link.js'
import * as primitives from './primitives.js'
import type { Program } from './program.js'
import { relation } from './relation.js'

/**
 * Compiles `expr` for packets of `kind`.
 *
 * @throws Refusal where it can't be
 */
export function compileFor(expr: Expr, kind: LinkKind): Program {
  const emitter = new Emitter(new Layout(kind))
  return emitter.finish(ways => ask(emitter, expr, ways))
}

function ask(e: Emitter, expr: Expr, ways: Ways): void {
  switch (expr.is) {
    case 'any':
      return e.always(true, ways)
    case 'not':
      return ask(e, expr.inner, swapped(ways))
    case 'chain':
      return chain(e, expr.first, expr.rest, ways)
    case 'test':
      return test(e, expr.test, ways)
  }
}

/** `a op b op c` is `((a op b) op c)`: the ways of each prefix follow from those of the longer one. */
function chain(e: Emitter, first: Expr, rest: readonly Joined[], ways: Ways): void {
  let prefix = ways
  const plan: [start: Label, expr: Expr, ways: Ways][] = []
  for (const { join, expr } of rest.toReversed()) {
    const start = e.label()
    plan.push([start, expr, prefix])
    prefix = join === 'and' ? { yes: start, no: prefix.no } : { yes: prefix.yes, no: start }
  }
  ask(e, first, prefix)
  for (const [start, expr, onward] of plan.toReversed()) {
    e.place(start)
    ask(e, expr, onward)
  }
}

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

function test(e: Emitter, one: Test, ways: Ways): void {
  switch (one.is) {
    case 'proto':
      return primitives.proto(e, one.proto, ways)
    case 'etherType':
      return carries(e, one.number, ways)
    case 'ipProto':
      return primitives.ipProto(e, one.family, one.number, ways)
    case 'protoChain':
      return primitives.protoChain(e, one.family, one.number, ways)
    case 'host4':
      return primitives.host4(e, one.carrier, one.dir, one.addr, one.mask, ways)
    case 'host6':
      return primitives.host6(e, one.dir, one.addr, one.prefix, ways)
    case 'mac':
      return primitives.mac(e, one.dir, one.mac, ways)
    case 'port':
      return primitives.port(e, one.transport, one.dir, one.low, one.high, ways)
    case 'broadcast':
      return primitives.mac(e, 'dst', BROADCAST, ways)
    case 'multicast':
      return primitives.multicast(e, ways)
    case 'ipBroadcast':
      return primitives.ipBroadcast(e, ways)
    case 'ipMulticast':
      return primitives.ipMulticast(e, ways)
    case 'ip6Multicast':
      return primitives.ip6Multicast(e, ways)
    case 'outbound':
      return primitives.outbound(e, one.out, ways)
    case 'vlan':
      return primitives.vlan(e, one.id, ways)
    case 'mpls':
      return primitives.mpls(e, one.id, ways)
    case 'pppoed':
      return carries(e, 0x8863, ways)
    case 'pppoes':
      return primitives.pppoes(e, one.id, ways)
    case 'geneve':
      return geneve(e, one.id, ways)
    case 'llc':
      return primitives.llc(e, one.control, ways)
    case 'relation':
      return relation(e, one.left, one.op, one.right, ways)
  }
}
