/** The columns of flow records: names in a record's order, types from the engine's layout. */
import { parseLayout } from '../batch/view.js'
import { isBuiltIn } from '../chain/chain.js'
import { columnInfo, derived, type ColumnInfo } from '../export/columns.js'
import { BASE_COLUMNS } from './columns.js'
import { openEngine, type Run } from './open.js'

/** Describes them. */
export function flowColumns(run: Run): ColumnInfo[] {
  const engine = openEngine({ ...run, chains: run.chains.filter(isBuiltIn) })
  const { columns } = parseLayout(engine.layout())
  engine.close()
  const names = [...BASE_COLUMNS, ...run.chains.flatMap(chain => chain.columns ?? [])]
  return names
    .filter(name => name !== 'capture' || run.separate || run.captures !== null)
    .map(name => {
      if (name === 'capture') return derived(name, 'text')
      if (name === 'pkt_first' || name === 'pkt_last') return derived(name, 'f64')
      const place = columns.find(column => column.name === name)
      return place ? columnInfo(place) : derived(name, 'any', true)
    })
}
