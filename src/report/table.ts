/** One pass over all connections: the columns of their analysed records, copied batch by batch, without an object each. */
import { formatAddress } from '../address.js'
import { BatchView, type ColumnPlace } from '../batch/view.js'
import type { FlowError } from '../errors.js'
import { Drive, EVENT_SLOTS, makeSlots, type Slot } from '../iterate.js'
import { checkEngine, checkReading, type ReadOptions } from '../options.js'
import { platform } from '../platform.js'
import { sourceName, type CaptureSource } from '../source.js'
import type { StreamStats } from '../stream-events.js'
import { checkStreams } from '../stream-options.js'
import { parseEventLayouts, type EventLayouts } from '../stream-slot.js'
import { ColumnCopy, type Column } from '../table/column.js'
import { narrowed, type Container, type Numbers } from './container.js'
import type { OnBatch } from './overview.js'
import type { ColumnFacts, TableMeta } from './shapes.js'

/** Columns that say where something else lies, or which others matter, and nothing by themselves. */
const PLACES = new Set(['gaps_at', 'sha256_at', 'analysis_noted'])

/** The table, as the page gets it. */
export type ConnectionTable = Container<TableMeta>

/** Reads the captures; of more than `maxRows` connections the first that end are kept, and all are counted. */
export async function gatherTable(
  sources: readonly CaptureSource[],
  options: ReadOptions & { onError: (error: FlowError) => void },
  maxRows: number,
  onBatch: OnBatch,
): Promise<ConnectionTable> {
  const checked = { events: false, marks: false, sha256: false, analyse: true, ...checkStreams(options) }
  const engine = platform().engines(checkEngine(options.engine)).streams(checked)
  const layouts = parseEventLayouts(engine.layout())
  const length = engine.blockLength()
  const slots = makeSlots(engine, EVENT_SLOTS, () => closesSlot(layouts, length))
  const { merge, follow } = checkReading(options, sources.length)
  const drive = new Drive<ClosesSlot>(engine, { sources, merge, follow, signal: options.signal, onError: options.onError })
  const rows = new Rows(layouts, maxRows)
  let stats: StreamStats | undefined
  for await (const { slot, rows: count } of drive.batches(slots)) {
    rows.append(slot.closes, count)
    stats = slot.view.stats() as unknown as StreamStats
    onBatch(stats)
  }
  return rows.finish(sources.length > 1 ? sources.map(sourceName) : null, remarksOn(stats))
}

interface ClosesSlot extends Slot {
  readonly block: Uint8Array
  readonly closes: BatchView
}

function closesSlot(layouts: EventLayouts, length: number): ClosesSlot {
  const bytes = new Uint8Array(layouts.byteLength)
  return { view: new BatchView(layouts.events, bytes), closes: new BatchView(layouts.closes, bytes), block: new Uint8Array(length) }
}

/** Columns that grow. */
class Rows {
  readonly #places: readonly ColumnPlace[]
  readonly #copies = new Map<string, ColumnCopy>()
  readonly #texts = new Map<string, TextColumn>()
  readonly #most: number
  #length = 0
  #connections = 0

  constructor(layouts: EventLayouts, most: number) {
    this.#places = layouts.closes.columns.filter(({ name }) => !PLACES.has(name))
    this.#most = most
  }

  append(view: BatchView, count: number): void {
    const rows = Math.min(count, this.#most - this.#length)
    this.#connections += count
    if (rows <= 0) return
    for (const place of this.#places) this.#appendColumn(view, place, rows)
    this.#length += rows
  }

  #appendColumn(view: BatchView, { name, kind, flags, words }: ColumnPlace, rows: number): void {
    if (kind === 'text') return getOr(this.#texts, name, () => new TextColumn()).append(view.texts(name), rows)
    const values = kind === 'addr' ? view.addresses(name) : kind === 'i64' ? view.bigints(name) : view.numbers(name)
    const copy = getOr(this.#copies, name, () => new ColumnCopy(kind, values, flags !== null, words))
    copy.append(values, flags === null ? null : view.flags(name), rows)
  }

  /** The table; `captures` names the captures of several. */
  finish(captures: readonly string[] | null, remarks: string[]): ConnectionTable {
    const columns = new Map(Array.from(this.#copies, ([name, copy]) => [name, copy.finish()]))
    const packer = new Packer(this.#length, columns)
    for (const { name, kind } of this.#places) {
      if (kind === 'text') packer.text(name, this.#texts.get(name) ?? new TextColumn())
      else if (name !== 'capture') packer.column(name, columns.get(name))
      else if (captures !== null) packer.words(name, columns.get(name), captures)
    }
    return packer.finish(this.#connections, remarks)
  }
}

/** Texts by number. */
class TextColumn {
  readonly words: string[] = []
  readonly values: number[] = []
  readonly #numbers = new Map<string, number>()

  append(read: (row: number) => string, rows: number): void {
    for (let row = 0; row < rows; row++) this.add(read(row))
  }

  add(text: string): void {
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.words.push(text) - 1
      this.#numbers.set(text, number)
    }
    this.values.push(number)
  }

  /** The same with the texts in order, so that the page sorts by numbers alone. */
  sorted(): { words: string[]; values: Uint32Array } {
    const order = [...this.words.keys()].toSorted((a, b) => (this.words[a]! < this.words[b]! ? -1 : 1))
    const ranks = new Uint32Array(order.length)
    for (const [rank, number] of order.entries()) ranks[number] = rank
    return { words: order.map(number => this.words[number]!), values: Uint32Array.from(this.values, number => ranks[number]!) }
  }
}

/** Makes columns as small as they can be. */
class Packer {
  readonly #length: number
  readonly #base: bigint
  readonly #addresses: AddressColumns
  readonly #facts: ColumnFacts[] = []
  readonly #arrays: Record<string, Numbers> = {}

  constructor(length: number, columns: ReadonlyMap<string, Column>) {
    this.#length = length
    this.#addresses = addressColumns(columns, length)
    this.#base = ((columns.get('first_ns')?.values ?? new BigInt64Array(0)) as BigInt64Array).reduce(
      (least, time, row) => (row === 0 || time < least ? time : least),
      0n,
    )
  }

  column(name: string, column: Column | undefined): void {
    if (column === undefined) return
    const { kind, values, words } = column
    if (words !== undefined) this.words(name, column, words)
    else if (kind === 'addr') this.#add(name, 'address', this.#addresses.numbers.get(name)!, column)
    else if (kind === 'i64') this.#add(name, 'time', Float64Array.from(values as BigInt64Array, time => Number(time - this.#base)), column)
    else this.#add(name, kind === 'bool' ? 'bool' : 'number', values as Float64Array, column)
  }

  words(name: string, column: Column | undefined, words: readonly string[]): void {
    if (column !== undefined) this.#add(name, 'text', column.values as Uint8Array, column, words)
  }

  text(name: string, column: TextColumn): void {
    const { values, words } = column.sorted()
    this.#add(name, 'text', values, { present: null }, words)
  }

  #add(
    name: string,
    kind: ColumnFacts['kind'],
    values: ArrayLike<number>,
    { present }: Pick<Column, 'present'>,
    words?: readonly string[],
  ): void {
    this.#facts.push({ name, kind, nullable: present !== null, ...(words === undefined ? {} : { words }) })
    this.#arrays[name] = narrowed(present === null ? values : Float64Array.from(values, (value, row) => (present[row] === 1 ? value : 0)))
    if (present !== null) this.#arrays[`${name}?`] = present
  }

  finish(connections: number, remarks: string[]): ConnectionTable {
    const meta = {
      length: this.#length,
      connections,
      baseNs: String(this.#base),
      columns: this.#facts,
      addresses: this.#addresses.texts,
      remarks,
    }
    return { meta, arrays: this.#arrays }
  }
}

/** All addresses in order of their octets, IPv4 first, and each column's as places among them. */
interface AddressColumns {
  readonly texts: string[]
  readonly numbers: ReadonlyMap<string, Uint32Array>
}

function addressColumns(columns: ReadonlyMap<string, Column>, length: number): AddressColumns {
  const versions = (columns.get('ip_version')?.values ?? []) as ArrayLike<number>
  const names = [...columns].filter(([, { kind }]) => kind === 'addr').map(([name]) => name)
  const all = new TextColumn()
  for (const name of names) {
    const octets = Buffer.from((columns.get(name)!.values as Uint8Array).buffer)
    for (let row = 0; row < length; row++) all.add(`${versions[row]!}${octets.toString('latin1', row * 16, row * 16 + 16)}`)
  }
  const { words, values } = all.sorted()
  const texts = words.map(word => formatAddress(Buffer.from(word.slice(1), 'latin1'), 0, Number(word[0])))
  return { texts, numbers: new Map(names.map((name, i) => [name, values.subarray(i * length, (i + 1) * length)])) }
}

/** What limits did to the records. */
function remarksOn(stats: StreamStats | undefined): string[] {
  const reasons: [number | undefined, string][] = [
    [stats?.filtered, 'packets left out by the filter'],
    [stats?.badSegments, 'packets with a broken or cut TCP header, in no connection'],
    [stats?.evicted, 'connections ended early: too many at a time'],
    [stats?.limitGaps, 'holes given up: too many octets waited'],
    [stats?.wildSegments, 'segments out of every window'],
  ]
  return reasons.filter(([count = 0]) => count > 0).map(([count = 0, words]) => `${count.toLocaleString('en')} ${words}`)
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
