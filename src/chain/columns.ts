/** Readers of single columns, for chains whose columns are read one by one. */
import type { BatchView } from '../batch/view.js'

/** A column's value in a row. */
export type ColumnReader<Value> = (row: number) => Value

/** Reads numbers that are always there. */
export function numberColumn(view: BatchView, name: string): ColumnReader<number> {
  const values = view.numbers(name)
  return row => values[row]!
}

/** Reads numbers that may be missing. */
export function maybeNumberColumn(view: BatchView, name: string): ColumnReader<number | null> {
  const [values, there] = [view.numbers(name), view.flags(name)]
  return row => (there[row] === 1 ? values[row]! : null)
}

/** Reads truth values that are always there. */
export function booleanColumn(view: BatchView, name: string): ColumnReader<boolean> {
  const values = view.numbers(name)
  return row => values[row] === 1
}

/** Reads truth values that may be missing. */
export function maybeBooleanColumn(view: BatchView, name: string): ColumnReader<boolean | null> {
  const [values, there] = [view.numbers(name), view.flags(name)]
  return row => (there[row] === 1 ? values[row] === 1 : null)
}
