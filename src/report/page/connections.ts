/** The section of all connections: search, filters, and the grid. */
import { announce, byId, el } from './dom.js'
import { duration, number, octets } from './format.js'
import { Grid, numberOrDash, zeroTone, type GridColumn } from './grid.js'
import { sortRows } from './sort.js'
import { PROBLEMS, type Table } from './table.js'

/** A column, and what it is sorted by. */
interface SortableColumn extends GridColumn {
  readonly keys: () => ArrayLike<number>
}

/** Milliseconds to wait for more of a word. */
const PATIENCE = 120

/** The section. */
export class Connections {
  readonly #table: Table
  readonly #grid: Grid
  readonly #columns: readonly SortableColumn[]
  readonly #search = el('input', { type: 'search', id: 'search', placeholder: 'address, port, address:port, #number', autocomplete: 'off', spellcheck: 'false' })
  readonly #state = el('select', { id: 'state' })
  readonly #problem = el('select', { id: 'problem' })
  readonly #count = el('span', { class: 'count', id: 'count' })
  /** Rows that search and filters leave. */
  #chosen: Uint32Array = new Uint32Array(0)
  /** What rows are sorted by, once it was asked for. */
  readonly #keys = new Map<string, ArrayLike<number>>()
  #sorted = 'id'
  #descending = false
  #timer = 0

  constructor(table: Table, open: (id: number) => void) {
    this.#table = table
    this.#columns = columnsOf(table)
    this.#grid = new Grid({
      label: 'Connections',
      className: 'connections',
      columns: this.#columns,
      width: table.facts.has('capture') ? 1320 : 1240,
      mostRows: table.length,
      nothing: 'No connection is like that.',
      onOpen: row => open(table.column('connection_id')[row]!),
      onSort: name => this.#sortBy(name),
    })
    this.#fillSelects()
    const tools = el('div', { class: 'tools', role: 'search', 'aria-label': 'Choose connections' },
      el('h2', { id: 'connections-title' }, 'Connections'),
      el('label', {}, 'Search', this.#search),
      el('label', {}, 'State', this.#state),
      el('label', {}, 'Problem', this.#problem),
      el('button', { type: 'button', class: 'plain-button', click: () => this.#reset() }, 'Show all'),
      this.#count,
    )
    byId('connections').append(tools, this.#grid.element)
    this.#search.addEventListener('input', () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#update(), PATIENCE)
    })
    for (const select of [this.#state, this.#problem]) select.addEventListener('change', () => this.#update())
    this.#update()
  }

  /** Marks a connection. */
  select(id: number): void {
    const row = this.#table.rowOf(id)
    if (row !== undefined) this.#grid.select(row)
  }

  /** Shows the connections of an address. */
  search(text: string): void {
    this.#search.value = text
    this.#update()
    byId('connections').scrollIntoView({ block: 'nearest' })
    this.#search.focus()
  }

  #fillSelects(): void {
    const counts = this.#table.counts()
    const any = this.#table.problems.reduce((sum, bits) => sum + Number(bits !== 0), 0)
    this.#state.append(el('option', { value: '' }, 'all'))
    for (const [state, count] of this.#table.states()) this.#state.append(el('option', { value: state, title: MEANINGS[state] ?? '' }, `${state} · ${number(count)}`))
    this.#problem.append(el('option', { value: -1 }, 'all'), el('option', { value: -2 }, `any problem · ${number(any)}`))
    for (const [bit, { name }] of PROBLEMS.entries())
      if (counts[bit]! > 0) this.#problem.append(el('option', { value: bit }, `${name} · ${number(counts[bit]!)}`))
  }

  #reset(): void {
    this.#search.value = ''
    this.#state.value = ''
    this.#problem.value = '-1'
    this.#update()
  }

  #sortBy(name: string): void {
    const column = this.#columns.find(each => each.name === name)
    // What there is most of comes first; names and times begin with the least.
    const first = column?.numeric === true && !['id', 'start'].includes(name)
    this.#descending = this.#sorted === name ? !this.#descending : first
    this.#sorted = name
    this.#show()
    announce(`Sorted by ${column?.hint ?? name}, ${this.#descending ? 'descending' : 'ascending'}`)
  }

  #update(): void {
    const chosen = this.#table.choose({ search: this.#search.value, state: this.#state.value, problem: Number(this.#problem.value) })
    this.#chosen = chosen
    this.#show()
    const text = chosen.length === this.#table.length ? `${number(chosen.length)} connections` : `${number(chosen.length)} of ${number(this.#table.length)} connections`
    this.#count.textContent = text
    announce(text)
  }

  #show(): void {
    let keys = this.#keys.get(this.#sorted)
    if (keys === undefined) {
      keys = this.#columns.find(({ name }) => name === this.#sorted)!.keys()
      this.#keys.set(this.#sorted, keys)
    }
    this.#grid.show(sortRows(this.#chosen, keys, this.#descending))
    this.#grid.sorted(this.#sorted, this.#descending)
  }
}

/** Zeek's words for a state. */
const MEANINGS: Readonly<Record<string, string>> = {
  S0: 'attempt seen, no reply',
  S1: 'established, not closed',
  SF: 'established and closed',
  REJ: 'attempt rejected',
  S2: 'established, client closed, no reply from the server',
  S3: 'established, server closed, no reply from the client',
  RSTO: 'established, client reset',
  RSTR: 'server reset',
  RSTOS0: 'client sent SYN and RST, no reply',
  RSTRH: 'server sent SYN ACK and RST, no SYN seen',
  SH: 'client sent SYN and FIN, no reply',
  SHR: 'server sent SYN ACK and FIN, no SYN seen',
  OTH: 'no SYN seen',
}

function columnsOf(table: Table): SortableColumn[] {
  const numbers = (name: string) => (row: number) => table.value(name, row)
  const sum = (name: string) => {
    const [fwd, rev] = [table.column(`${name}_fwd`), table.column(`${name}_rev`)]
    return (row: number) => fwd[row]! + rev[row]!
  }
  const plain = (name: string) => ({ numeric: true, text: (row: number) => numberOrDash(numbers(name)(row)), tone: (row: number) => zeroTone(numbers(name)(row)), keys: () => table.keys(name) })
  const amount = (name: string) => ({ ...plain(name), text: (row: number) => octets(table.column(name)[row]!) })
  const trouble = (name: string) => {
    const of = sum(name)
    return { numeric: true, text: (row: number) => number(of(row)), tone: (row: number) => zeroTone(of(row), true), keys: () => Float64Array.from({ length: table.length }, (_, row) => of(row)) }
  }
  const end = (side: 'client' | 'server') => ({
    text: (row: number) => endpoint(table, side, row),
    tone: () => 'mono' as const,
    keys: () => endpointKeys(table, side),
  })
  const capture: SortableColumn[] = table.facts.has('capture')
    ? [{ name: 'capture', title: 'capture', track: 'minmax(80px, 1fr)', text: row => table.text('capture', row), keys: () => table.keys('capture') }]
    : []
  return [
    { name: 'id', title: '#', hint: 'number of the connection', track: '66px', ...plain('connection_id'), tone: () => '', text: row => String(table.column('connection_id')[row]!) },
    ...capture,
    { name: 'start', title: 'start', hint: 'time of the first segment, seconds after the first of all', track: '88px', numeric: true, text: row => `${(table.column('first_ns')[row]! / 1e9).toFixed(6)}`, keys: () => table.keys('first_ns') },
    { name: 'duration', title: 'duration', hint: 'from the first segment to the last', track: '78px', numeric: true, text: row => duration(table.column('last_ns')[row]! - table.column('first_ns')[row]!), keys: () => lengths(table) },
    { name: 'client', title: 'client', track: 'minmax(140px, 2fr)', ...end('client') },
    { name: 'server', title: 'server', track: 'minmax(140px, 2fr)', ...end('server') },
    { name: 'state', title: 'state', hint: "state at the end, in Zeek's words", track: '60px', text: row => table.text('conn_state', row), keys: () => table.keys('conn_state') },
    { name: 'history', title: 'history', hint: "what happened, in Zeek's letters", track: 'minmax(80px, 1fr)', text: row => table.text('history', row), tone: () => 'mono', keys: () => table.keys('history') },
    { name: 'packets_fwd', title: 'pkts →', hint: 'packets from the client', track: '60px', ...plain('packets_fwd') },
    { name: 'packets_rev', title: 'pkts ←', hint: 'packets from the server', track: '60px', ...plain('packets_rev') },
    { name: 'bytes_fwd', title: 'data →', hint: 'octets of payload from the client', track: '74px', ...amount('payload_bytes_fwd') },
    { name: 'bytes_rev', title: 'data ←', hint: 'octets of payload from the server', track: '74px', ...amount('payload_bytes_rev') },
    { name: 'irtt', title: 'iRTT', hint: 'initial round trip, by the handshake', track: '74px', numeric: true, text: row => optionalDuration(table.value('irtt_ns', row)), tone: row => zeroTone(table.value('irtt_ns', row)), keys: () => table.keys('irtt_ns') },
    { name: 'retransmissions', title: 'retr.', hint: 'retransmissions, both ways', track: '62px', ...trouble('kind_retransmission') },
    { name: 'disorder', title: 'o-o-o', hint: 'segments out of order, both ways', track: '64px', ...trouble('kind_out_of_order') },
    { name: 'lost', title: 'lost', hint: 'segments that were not captured, both ways', track: '60px', ...trouble('kind_lost_segment') },
    { name: 'zero', title: 'zero', hint: 'windows of zero, both ways', track: '60px', ...trouble('kind_zero_window') },
  ]
}

const optionalDuration = (ns: number | null): string => (ns === null ? '–' : duration(ns))

/** `address:port`. */
export function endpoint(table: Table, side: 'client' | 'server', row: number): string {
  const address = table.text(`${side}_addr`, row)
  return `${address.includes(':') ? `[${address}]` : address}:${table.column(`${side}_port`)[row]!}`
}

function endpointKeys(table: Table, side: 'client' | 'server'): Float64Array {
  const [ranks, ports] = [table.keys(`${side}_addr`), table.column(`${side}_port`)]
  return Float64Array.from({ length: table.length }, (_, row) => ranks[row]! * 65_536 + ports[row]!)
}

function lengths(table: Table): Float64Array {
  const [first, last] = [table.column('first_ns'), table.column('last_ns')]
  return Float64Array.from(last, (ns, row) => ns - first[row]!)
}
