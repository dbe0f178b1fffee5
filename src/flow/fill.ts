/**
 * Copies chains' columns into a new record.
 *
 * V8 turns an object into a dictionary, several times slower, once a dozen properties were added to it under names that
 * are not written in the code, be it by `Object.assign`. So where Node allows it, the copying is compiled with the
 * columns' names in it.
 */

/** Copies the columns of each chain's object, in order. */
export type RecordFiller = (record: object, fields: readonly object[]) => void

/** The same by way of `Object.assign`, for chains whose columns change and where no code may be compiled. */
export const assignColumns: RecordFiller = (record, fields) => {
  for (const columns of fields) Object.assign(record, columns)
}

/** A copier for chains with these columns. */
export function compileFiller(columns: readonly (readonly string[])[]): RecordFiller {
  const lines = columns.flatMap((names, chain) =>
    names.filter(name => name !== '__proto__').map(name => `record[${JSON.stringify(name)}] = fields[${chain}][${JSON.stringify(name)}]`),
  )
  try {
    // The names are string literals in it, nothing else comes from outside.
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
    return new Function('record', 'fields', lines.join('\n')) as RecordFiller
  } catch {
    // node --disallow-code-generation-from-strings
    return assignColumns
  }
}
