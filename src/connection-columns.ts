/** The columns of connection records: names in a record's order, types from the engine's layout. */
import { recordNames } from './connection.js'
import type { StreamEngineOptions } from './engine.js'
import { columnInfo, derived, type ColumnInfo } from './export/columns.js'
import type { EngineName } from './options.js'
import { platform } from './platform.js'
import { parseEventLayouts } from './stream-slot.js'

/** What the records have beside their ordinary columns. */
interface Extra {
  readonly analyse: boolean
  readonly sha256: boolean
  readonly captures: boolean
}

/** Describes them. */
export function connectionColumns(
  options: Omit<StreamEngineOptions, 'events' | 'marks' | 'sha256' | 'analyse'>,
  { analyse, sha256, captures }: Extra,
  name: EngineName,
): ColumnInfo[] {
  const engine = platform().engines(name).streams({ ...options, events: false, marks: false, sha256, analyse })
  const { closes } = parseEventLayouts(engine.layout())
  engine.close()
  const columns = recordNames(closes).map(name => {
    const place = closes.columns.find(column => column.name === name)
    return place ? columnInfo(place) : derived(name, 'json')
  })
  if (captures) columns.push(derived('capture', 'text'))
  if (sha256) columns.push(derived('stream_sha256_fwd', 'text'), derived('stream_sha256_rev', 'text'))
  return columns
}
