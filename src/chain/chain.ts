/** What a chain is: a named set of columns, and how they are computed. */
import type { BatchView } from '../batch/view.js'

/** Writes a chain's columns of one row into a record that is being made. */
export type RowWriter<Fields> = (row: number, record: Fields) => void

/**
 * A chain that the engines compute themselves.
 *
 * @typeParam Fields the columns that it adds to a flow record
 */
export interface BuiltInChain<Fields extends object> {
  /** The chain's name, as in `--chain`. */
  readonly name: string
  /** Its columns, in order. */
  readonly columns: readonly (keyof Fields & string)[]
  /** @internal Binds the chain to the columns of a batch. */
  readonly bind: (view: BatchView) => RowWriter<Fields>
}

/** Any chain. */
// `never` would forbid calling bind; the chain's own fields are only known where it is made.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyChain = BuiltInChain<any>

/** The columns that a chain adds. */
export type FieldsOf<C> = C extends BuiltInChain<infer Fields> ? Fields : never

/** The columns that a list of chains adds. */
export type FieldsOfAll<Chains extends readonly AnyChain[]> = Chains extends readonly [
  infer First,
  ...infer Rest extends readonly AnyChain[],
]
  ? FieldsOf<First> & FieldsOfAll<Rest>
  : unknown
