/** The table of connections as columns: what a row shows, which rows a search or a filter chooses. */
import type { Container, Numbers } from '../container.js'
import type { ColumnFacts, TableMeta } from '../shapes.js'

/** What can be wrong with a connection. */
export interface Problem {
  readonly name: string
  /** Columns of which one must be more than 0; with `none`, all must be 0. */
  readonly columns: readonly string[]
  readonly none?: boolean
}

const both = (...names: string[]): string[] => names.flatMap(name => [`${name}_fwd`, `${name}_rev`])

/** In the order of their bits. */
export const PROBLEMS: readonly Problem[] = [
  { name: 'retransmissions', columns: both('kind_retransmission') },
  { name: 'out of order', columns: both('kind_out_of_order') },
  { name: 'lost segments', columns: both('kind_lost_segment', 'kind_ack_lost_segment') },
  { name: 'duplicate acknowledgements', columns: both('kind_duplicate_ack') },
  { name: 'zero window', columns: both('kind_zero_window', 'kind_zero_window_probe') },
  { name: 'window full', columns: both('kind_window_full') },
  { name: 'keep-alive', columns: both('kind_keep_alive') },
  { name: 'reset', columns: both('rst') },
  { name: 'no handshake', columns: ['connected'], none: true },
  { name: 'gaps in a stream', columns: both('gap_bytes') },
  { name: 'conflicting octets', columns: both('conflict_bytes') },
]

/** What a reader of the page chose. */
export interface Choice {
  readonly search: string
  /** A `conn_state`; empty: all. */
  readonly state: string
  /** A place in {@link PROBLEMS}; -2: any of them; -1: all connections. */
  readonly problem: number
}

/** Addresses and ports by name and number. */
export class Table {
  readonly length: number
  readonly connections: number
  readonly base: bigint
  readonly facts: ReadonlyMap<string, ColumnFacts>
  readonly remarks: readonly string[]
  /** Bits in the order of {@link PROBLEMS}, for each row. */
  readonly problems: Uint16Array
  readonly #meta: TableMeta
  readonly #arrays: Readonly<Record<string, Numbers>>
  readonly #rowsById = new Map<number, number>()
  readonly #ranks = new Map<string, Uint32Array>()

  constructor({ meta, arrays }: Container<TableMeta>) {
    this.#meta = meta
    this.#arrays = arrays
    this.length = meta.length
    this.connections = meta.connections
    this.base = BigInt(meta.baseNs)
    this.remarks = meta.remarks
    this.facts = new Map(meta.columns.map(column => [column.name, column]))
    this.problems = Uint16Array.from({ length: meta.length }, () => 0)
    for (const [bit, problem] of PROBLEMS.entries()) this.#mark(bit, problem)
    this.column('connection_id').forEach((id, row) => this.#rowsById.set(id, row))
  }

  #mark(bit: number, { columns, none = false }: Problem): void {
    const values = columns.map(name => this.column(name))
    for (let row = 0; row < this.length; row++)
      if (values.some(column => column[row]! > 0) !== none) this.problems[row]! |= 1 << bit
  }

  /** A column's values as they are kept. */
  column(name: string): Numbers {
    return this.#arrays[name] ?? new Uint8Array(this.length)
  }

  /** A number, or null. */
  value(name: string, row: number): number | null {
    const flags = this.#arrays[`${name}?`]
    return flags === undefined || flags[row] === 1 ? (this.column(name)[row] ?? null) : null
  }

  /** A word or an address. */
  text(name: string, row: number): string {
    const { kind, words } = this.facts.get(name) ?? { kind: 'text' }
    const place = this.column(name)[row]!
    return (kind === 'address' ? this.#meta.addresses[place] : words?.[place]) ?? ''
  }

  /** The row of a connection. */
  rowOf(id: number): number | undefined {
    return this.#rowsById.get(id)
  }

  /** What rows are sorted by: numbers, and places in order for texts and addresses; NaN where there is nothing. */
  keys(name: string): ArrayLike<number> {
    const facts = this.facts.get(name)
    const values = this.column(name)
    if (facts?.kind === 'text') {
      const ranks = this.#rank(name, facts)
      return Uint32Array.from(values, place => ranks[place]!)
    }
    const flags = this.#arrays[`${name}?`]
    return flags === undefined ? values : Float64Array.from(values, (value, row) => (flags[row] === 1 ? value : Number.NaN))
  }

  #rank(name: string, { words = [] }: ColumnFacts): Uint32Array {
    let ranks = this.#ranks.get(name)
    if (ranks !== undefined) return ranks
    const order = [...words.keys()].toSorted((a, b) => (words[a]! < words[b]! ? -1 : 1))
    ranks = new Uint32Array(words.length)
    for (const [rank, place] of order.entries()) ranks[place] = rank
    this.#ranks.set(name, ranks)
    return ranks
  }

  /** Rows that a choice leaves, in order of their numbers. */
  choose({ search, state, problem }: Choice): Uint32Array {
    const stateNumber = this.facts.get('conn_state')?.words?.indexOf(state) ?? -1
    const states = this.column('conn_state')
    const matches = this.#matcher(search)
    const mask = problem === -1 ? 0 : problem === -2 ? 0xffff : 1 << problem
    const rows = new Uint32Array(this.length)
    let count = 0
    for (let row = 0; row < this.length; row++) {
      if (mask !== 0 && (this.problems[row]! & mask) === 0) continue
      if (state !== '' && states[row] !== stateNumber) continue
      if (matches === null || matches(row)) rows[count++] = row
    }
    return rows.subarray(0, count)
  }

  /** How many rows have each problem. */
  counts(): number[] {
    return PROBLEMS.map((_, bit) => this.problems.reduce((sum, bits) => sum + ((bits >>> bit) & 1), 0))
  }

  /** States that rows have, and how many. */
  states(): [state: string, count: number][] {
    const words = this.facts.get('conn_state')?.words ?? []
    const counts = words.map(() => 0)
    for (const place of this.column('conn_state')) counts[place]! += 1
    return words.map((word, i): [string, number] => [word, counts[i]!]).filter(([, count]) => count > 0)
  }

  /** Every word of the search must be in an address, be a port or a state, be `address:port`, or `#` and a number. */
  #matcher(search: string): ((row: number) => boolean) | null {
    const words = search.toLowerCase().split(/\s+/).filter(word => word !== '')
    if (words.length === 0) return null
    const tests = words.map(word => this.#wordMatcher(word))
    return row => tests.every(test => test(row))
  }

  /** One word's part of it. */
  #wordMatcher(word: string): (row: number) => boolean {
    const [, id] = /^#(\d+)$/.exec(word) ?? []
    const ids = this.column('connection_id')
    if (id !== undefined) return row => ids[row] === Number(id)
    const [client, server] = [this.column('client_addr'), this.column('server_addr')]
    const [clientPort, serverPort] = [this.column('client_port'), this.column('server_port')]
    const inAddress = this.#places(this.#meta.addresses, word)
    const port = /^\d{1,5}$/.test(word) ? Number(word) : -1
    const states = this.#places(this.facts.get('conn_state')?.words ?? [], word, true)
    const state = this.column('conn_state')
    const [, address, itsPort] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(word) ?? []
    const exactly = address === undefined ? null : this.#places(this.#meta.addresses, address, true)
    const at = Number(itsPort)
    return row =>
      inAddress[client[row]!] === 1 || inAddress[server[row]!] === 1 ||
      clientPort[row] === port || serverPort[row] === port || states[state[row]!] === 1 ||
      (exactly !== null &&
        ((exactly[client[row]!] === 1 && clientPort[row] === at) || (exactly[server[row]!] === 1 && serverPort[row] === at)))
  }

  /** 1 for each text that has the word in it, or is it. */
  #places(texts: readonly string[], word: string, whole = false): Uint8Array {
    return Uint8Array.from(texts, text => Number(whole ? text.toLowerCase() === word : text.toLowerCase().includes(word)))
  }
}
