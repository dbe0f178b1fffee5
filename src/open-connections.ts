/**
 * Who the open connections are, by the engine's slot numbers. In come rows of the table of connections that began; out
 * comes the identity of one of them when an event is asked for it.
 *
 * Most are never asked for, and an object with two address texts costs more than everything else that an open event
 * does: so the columns are copied as they are, and an identity is made when it is first needed.
 */
import { BatchView, type ColumnKind, type Layout } from './batch/view.js'
import { bindIdentity, type ConnectionIdentity, type RowReader } from './connection.js'
import type { EventSlot } from './stream-slot.js'

/** Slots whose columns lie in one store, a power of two: stores come as they are needed, and nothing is copied again. */
const STORED = 4096

/** Rows that there is room for at first. */
const FIRST_ROOM = 1024

/** Stands for "in no batch". */
const NOWHERE = -1

/** Octets of a value. */
const SIZES: Readonly<Record<ColumnKind, number>> = {
  bool: 1,
  u8: 1,
  word: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
  addr: 16,
  // Identities have no texts of their own.
  text: 0,
}

export class OpenConnections {
  readonly #layout: Layout
  readonly #captures: readonly string[] | null
  /** Words of a value of each column. */
  readonly #words: readonly number[]
  /** The columns of all slots, and what makes identities of them. */
  readonly #stores: Store[] = []
  /** The columns of each batch. */
  readonly #sources = new Map<BatchView, readonly Words[]>()
  /** Of slots up to the last that was asked for. */
  readonly #identities: (ConnectionIdentity | undefined)[] = []
  /** Rows in the batch at hand by slot. */
  #rows = new Int32Array(FIRST_ROOM).fill(NOWHERE)
  /** Slots of connections that began in the batch at hand. */
  #begun = new Uint32Array(FIRST_ROOM)
  #begunCount = 0
  #slot: EventSlot | undefined

  /** @param layout of the table of connections that began */
  constructor(layout: Layout, captures: readonly string[] | null) {
    this.#layout = layout
    this.#captures = captures
    this.#words = layout.columns.map(({ kind }) => (SIZES[kind] % 4 === 0 ? SIZES[kind] / 4 : SIZES[kind]))
  }

  /** A batch was filled. */
  enter(slot: EventSlot): void {
    this.#slot = slot
  }

  /** A connection began: its row in the batch at hand. */
  add(slot: number, row: number): void {
    if (slot >= this.#rows.length) this.#growRows(slot)
    if (slot < this.#identities.length) this.#identities[slot] = undefined
    this.#rows[slot] = row
    if (this.#begunCount === this.#begun.length) this.#growBegun()
    this.#begun[this.#begunCount++] = slot
  }

  /** Who the connection in that slot is; the same object each time. */
  get(slot: number): ConnectionIdentity {
    // Without holes it stays a plain array.
    while (this.#identities.length <= slot) this.#identities.push(undefined)
    return (this.#identities[slot] ??= this.#read(slot))
  }

  /** The connection ended. */
  delete(slot: number): void {
    if (slot < this.#identities.length) this.#identities[slot] = undefined
    this.#rows[slot] = NOWHERE
  }

  /** The batch at hand is about to be filled anew: what is still needed of it is copied. */
  keep(): void {
    const begun = this.#stillOpen()
    if (begun.length === 0) return
    const rows = this.#rows
    const sources = this.#source(this.#slot!.opens)
    for (let from = 0; from < begun.length; ) {
      const store = this.#store(begun[from]!)
      const to = endOfStore(begun, from)
      const slots = begun.subarray(from, to)
      for (let i = 0; i < sources.length; i++) copy(sources[i]!, rows, store.columns[i]!, slots, this.#words[i]!)
      from = to
    }
    for (const slot of begun) rows[slot] = NOWHERE
  }

  /** Slots of connections that began in the batch at hand, without those that ended in it too. */
  #stillOpen(): Uint32Array {
    const [begun, rows] = [this.#begun, this.#rows]
    let count = 0
    for (let i = 0; i < this.#begunCount; i++) if (rows[begun[i]!] !== NOWHERE) begun[count++] = begun[i]!
    this.#begunCount = 0
    return begun.subarray(0, count)
  }

  #read(slot: number): ConnectionIdentity {
    const row = this.#rows[slot]!
    return row === NOWHERE ? this.#store(slot).read(slot % STORED) : this.#slot!.readOpen(row)
  }

  #store(slot: number): Store {
    const at = Math.floor(slot / STORED)
    while (this.#stores.length <= at) this.#stores.push(new Store(this.#layout, this.#captures))
    return this.#stores[at]!
  }

  #source(batch: BatchView): readonly Words[] {
    let source = this.#sources.get(batch)
    if (!source) this.#sources.set(batch, (source = wordsOf(this.#layout, batch)))
    return source
  }

  #growRows(slot: number): void {
    const larger = new Int32Array(2 ** Math.ceil(Math.log2(slot + 1))).fill(NOWHERE)
    larger.set(this.#rows)
    this.#rows = larger
  }

  #growBegun(): void {
    const larger = new Uint32Array(2 * this.#begun.length)
    larger.set(this.#begun)
    this.#begun = larger
  }
}

type Words = Uint32Array | Uint8Array

/** Where the first slot stands, behind `from`, that isn't of the same store. */
function endOfStore(slots: Uint32Array, from: number): number {
  const store = Math.floor(slots[from]! / STORED)
  let to = from + 1
  while (to < slots.length && Math.floor(slots[to]! / STORED) === store) to++
  return to
}

/** Copies values of a column, of so many words each, from the slots' rows to their places in a store. */
function copy(source: Words, rows: Int32Array, target: Words, slots: Uint32Array, words: number): void {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    const [from, to] = [rows[slot]! * words, (slot % STORED) * words]
    for (let word = 0; word < words; word++) target[to + word] = source[from + word]!
  }
}

/** The columns of a batch as words of a size that they are copied in. */
function wordsOf(layout: Layout, batch: BatchView): Words[] {
  const { buffer } = batch.bytes
  return layout.columns.map(({ name, kind }) => {
    const start = batch.place(name).values
    return SIZES[kind] % 4 === 0 ? new Uint32Array(buffer, start) : new Uint8Array(buffer, start)
  })
}

/** The same columns as in a batch, for so many slots. */
class Store {
  readonly columns: readonly Words[]
  readonly read: RowReader<ConnectionIdentity>

  constructor(layout: Layout, captures: readonly string[] | null) {
    const own = layoutFor(layout, STORED)
    const view = new BatchView(own, new Uint8Array(own.byteLength))
    this.columns = wordsOf(own, view)
    this.read = bindIdentity(view, captures)
  }
}

/** The columns of `layout`, laid out for `room` rows. */
function layoutFor(layout: Layout, room: number): Layout {
  let byteLength = 0
  const columns = layout.columns.map(column => {
    const values = byteLength
    byteLength += Math.ceil((SIZES[column.kind] * room) / 8) * 8
    return { ...column, values }
  })
  return { byteLength, maxRows: room, stats: [], columns }
}
