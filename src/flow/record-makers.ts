/**
 * Records of flows whose chains have hooks in JavaScript.
 *
 * While a flow is open, only what its hooks write to is an object: the chains' columns. All else lies in typed arrays
 * (`slots.ts`), and the flow's record is made in one piece at its end. A garbage collector copies what lives long, and
 * remembers each new object that is put into an old one, so an object that waits for its last columns costs the most.
 *
 * V8 turns an object into a dictionary, several times slower, once a dozen properties were added to it under names that
 * are not written in the code, be it by `Object.assign`. So where Node allows it, both classes are compiled with the
 * columns' names in them.
 */
import type { FlowBase, FlowEndReason } from '../flow.js'
import type { Outer } from '../packet/columns.js'
import { EmptyRecord, recordClass } from '../record.js'

/** Where an open record's class keeps what makes flow records of it. */
const MAKE: unique symbol = Symbol('flow record')

/** Makes the flow's record at its end: base columns, `capture` where there are several, and the chains' columns. */
type MakeFlow = (
  columns: object,
  id: number,
  version: number,
  first: number,
  last: number,
  firstNs: bigint,
  lastNs: bigint,
  firstPacket: number,
  reason: FlowEndReason,
  outer: Outer,
  capture: string | undefined,
) => FlowBase

/** What the hooks of an open flow get: the columns of all chains. */
export interface OpenRecord {
  readonly [MAKE]: MakeFlow
}

/** Makes an open record of the columns that each chain gave, in order. */
export type MakeOpen = (fields: readonly object[]) => OpenRecord

/** What makes the flow's record of an open one. */
export function flowMaker(record: OpenRecord): MakeFlow {
  return record[MAKE]
}

/** For chains whose columns change, and where no code may be compiled. */
export function assigningMaker(hasCapture: boolean): MakeOpen {
  return hasCapture ? withCapture : withoutCapture
}

function makeAssigning(hasCapture: boolean): MakeOpen {
  class Columns extends EmptyRecord {}
  keepMaker(Columns, (columns, ...base) => {
    const flow = baseRecord(hasCapture, base)
    takeFurther(flow, columns)
    return flow
  })
  return fields => {
    const record = new Columns()
    for (const columns of fields) takeFurther(record, columns)
    return record as OpenRecord
  }
}

class FlowRow extends EmptyRecord {}

const withCapture = makeAssigning(true)
const withoutCapture = makeAssigning(false)

type Base = Parameters<MakeFlow> extends [object, ...infer Rest] ? Rest : never

function baseRecord(hasCapture: boolean, base: Base): FlowBase {
  const [id, version, first, last, firstNs, lastNs, firstPacket, reason, outer, capture] = base
  const record = Object.assign(new FlowRow(), {
    flow_id: id, ip_version: version, pkt_first: first, pkt_last: last, first_ns: firstNs, last_ns: lastNs,
    first_packet: firstPacket, end_reason: reason, vlan: outer.vlan, tunnel: outer.tunnel, tunnel_id: outer.tunnel_id,
  })
  return (hasCapture ? Object.assign(record, { capture }) : record) as FlowBase
}

/** By their code: the classes of one run serve the next, and so does what V8 made of the hooks. */
const kept = new Map<string, MakeOpen>()
const MOST_KEPT = 64

/** For chains with these columns. */
export function compileMaker(columns: readonly (readonly string[])[], hasCapture: boolean): MakeOpen {
  const source = code(columns, hasCapture)
  const known = kept.get(source)
  if (known !== undefined) return known
  const make = compile(source) ?? assigningMaker(hasCapture)
  for (const oldest of kept.keys()) if (kept.size >= MOST_KEPT) kept.delete(oldest)
  kept.set(source, make)
  return make
}

/** Undefined where no code may be compiled (node --disallow-code-generation-from-strings). */
function compile(source: string): MakeOpen | undefined {
  let compiled: Compiled
  try {
    // Columns' names are string literals in it, nothing else comes from outside.
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
    compiled = new Function('takeFurther', source)(takeFurther) as Compiled
  } catch {
    return undefined
  }
  recordClass(compiled.Columns)
  recordClass(compiled.FlowRow)
  keepMaker(compiled.Columns, compiled.makeFlow)
  return compiled.makeOpen
}

interface Compiled {
  readonly Columns: { prototype: object }
  readonly FlowRow: { prototype: object }
  readonly makeOpen: MakeOpen
  readonly makeFlow: MakeFlow
}

const BASE = 'id, version, first, last, firstNs, lastNs, firstPacket, reason, outer, capture'

function code(columns: readonly (readonly string[])[], hasCapture: boolean): string {
  const literals = columns.map(names => names.filter(name => name !== '__proto__').map(name => JSON.stringify(name)))
  const all = new Set(literals.flat())
  return `
const names = [${Array.from(all).join(', ')}]
class Columns {
  constructor(fields) {
    ${literals.flatMap((names, chain) => names.map(name => `this[${name}] = fields[${chain}][${name}]`)).join('\n')}
  }
}
class FlowRow {
  constructor(columns, ${BASE}) {
    this.flow_id = id
    this.ip_version = version
    this.pkt_first = first
    this.pkt_last = last
    this.first_ns = firstNs
    this.last_ns = lastNs
    this.first_packet = firstPacket
    this.end_reason = reason
    this.vlan = outer.vlan
    this.tunnel = outer.tunnel
    this.tunnel_id = outer.tunnel_id
    ${hasCapture ? 'this.capture = capture' : ''}
    ${Array.from(all, name => `this[${name}] = columns[${name}]`).join('\n')}
    let known = 0
    let others = 0
    for (const name in columns) if (name === names[known]) known++; else others++
    if (others > 0) takeFurther(this, columns)
  }
}
return {
  Columns,
  FlowRow,
  makeOpen: fields => new Columns(fields),
  makeFlow: (columns, ${BASE}) => new FlowRow(columns, ${BASE}),
}`
}

/** Copies columns that the record doesn't have, such as a hook adds and its chain's `newFlow` doesn't name. */
function takeFurther(flow: object, columns: object): void {
  const all = flow as Record<string, unknown>
  for (const [name, value] of Object.entries(columns)) if (!Object.hasOwn(all, name) && name !== '__proto__') all[name] = value
}

function keepMaker(of: { prototype: object }, value: MakeFlow): void {
  Object.defineProperty(of.prototype, MAKE, { value })
}
