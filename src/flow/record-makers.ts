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
import { EmptyRecord } from '../record.js'

/** Where an open record's class keeps what makes flow records of it. */
const MAKE: unique symbol = Symbol('flow record')

/** The base columns. A constructor that names them gets them in one piece; `capture` stands there where there are several. */
const BaseRow = class FlowRow extends EmptyRecord {
  constructor(
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
  ) {
    super()
    const row = this as { -readonly [Column in keyof FlowBase]?: FlowBase[Column] }
    row.flow_id = id
    row.ip_version = version
    row.pkt_first = first
    row.pkt_last = last
    row.first_ns = firstNs
    row.last_ns = lastNs
    row.first_packet = firstPacket
    row.end_reason = reason
    row.vlan = outer.vlan
    row.tunnel = outer.tunnel
    row.tunnel_id = outer.tunnel_id
    if (capture !== undefined) row.capture = capture
  }
}

/** What it takes, and the same as code. */
type Base = ConstructorParameters<typeof BaseRow>
const BASE = 'id, version, first, last, firstNs, lastNs, firstPacket, reason, outer, capture'

/** Makes the flow's record at its end: the base columns, then the chains'. */
type MakeFlow = (columns: object, ...base: Base) => FlowBase

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

class AssignedColumns extends EmptyRecord {}
keepMaker(AssignedColumns, (columns, ...base) => {
  const flow = new BaseRow(...base)
  takeFurther(flow, columns)
  return flow as FlowBase
})

/** For chains whose columns change, and where no code may be compiled. */
export const assignColumns: MakeOpen = fields => {
  const record = new AssignedColumns()
  for (const columns of fields) takeFurther(record, columns)
  return record as OpenRecord
}

/** By their code: the classes of one run serve the next, and so does what V8 made of the hooks. */
const kept = new Map<string, MakeOpen>()
const MOST_KEPT = 64

/** For chains with these columns. */
export function compileMaker(columns: readonly (readonly string[])[]): MakeOpen {
  const source = code(columns)
  const known = kept.get(source)
  if (known !== undefined) return known
  const make = compile(source) ?? assignColumns
  for (const oldest of kept.keys()) if (kept.size >= MOST_KEPT) kept.delete(oldest)
  kept.set(source, make)
  return make
}

/** Undefined where no code may be compiled (node --disallow-code-generation-from-strings). */
function compile(source: string): MakeOpen | undefined {
  const used = { EmptyRecord, BaseRow, keepMaker, takeFurther }
  try {
    // Columns' names are string literals in it, nothing else comes from outside.
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
    return new Function(...Object.keys(used), source)(...Object.values(used)) as MakeOpen
  } catch {
    return undefined
  }
}

function code(columns: readonly (readonly string[])[]): string {
  const literals = columns.map(names => names.filter(name => name !== '__proto__').map(name => JSON.stringify(name)))
  const all = literals.flat()
  return `
const names = [${all.join(', ')}]
class Columns extends EmptyRecord {
  constructor(fields) {
    super()
    ${literals.flatMap((names, chain) => names.map(name => `this[${name}] = fields[${chain}][${name}]`)).join('\n')}
  }
}
class FlowRow extends BaseRow {
  constructor(columns, ${BASE}) {
    super(${BASE})
    ${all.map(name => `this[${name}] = columns[${name}]`).join('\n')}
    let known = 0
    let others = 0
    for (const name in columns) if (name === names[known]) known++; else others++
    if (others > 0) takeFurther(this, columns)
  }
}
keepMaker(Columns, (columns, ${BASE}) => new FlowRow(columns, ${BASE}))
return fields => new Columns(fields)`
}

/** Copies columns that the record doesn't have, such as a hook adds and its chain's `newFlow` doesn't name. */
function takeFurther(flow: object, columns: object): void {
  const all = flow as Record<string, unknown>
  for (const [name, value] of Object.entries(columns)) if (!Object.hasOwn(all, name) && name !== '__proto__') all[name] = value
}

function keepMaker(of: { prototype: object }, value: MakeFlow): void {
  Object.defineProperty(of.prototype, MAKE, { value })
}
