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

/** Connections that there is room for at first. */
const FIRST_ROOM = 1024

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
  /** The columns of all slots, and what makes identities of them. */
  #store: Store
  readonly #identities: (ConnectionIdentity | undefined)[] = []
  /** Rows in the batch at hand by slot; -1: none there. */
  readonly #rows: number[] = []
  /** Slots of connections that began in the batch at hand. */
  #begun: number[] = []
  #slot: EventSlot | undefined

  /** @param layout of the table of connections that began */
  constructor(layout: Layout, captures: readonly string[] | null) {
    this.#layout = layout
    this.#captures = captures
    this.#store = new Store(layout, FIRST_ROOM, captures)
  }

  /** A batch was filled. */
  enter(slot: EventSlot): void {
    this.#slot = slot
  }

  /** A connection began: its row in the batch at hand. */
  add(slot: number, row: number): void {
    // Without holes, both stay plain arrays.
    while (this.#rows.length <= slot) {
      this.#rows.push(-1)
      this.#identities.push(undefined)
    }
    this.#identities[slot] = undefined
    this.#rows[slot] = row
    this.#begun.push(slot)
  }

  /** Who the connection in that slot is; the same object each time. */
  get(slot: number): ConnectionIdentity {
    return (this.#identities[slot] ??= this.#read(slot))
  }

  /** The connection ended. */
  delete(slot: number): void {
    this.#identities[slot] = undefined
    this.#rows[slot] = -1
  }

  /** The batch at hand is about to be filled anew: what is still needed of it is copied. */
  keep(): void {
    for (const slot of this.#begun) {
      const row = this.#rows[slot]!
      if (row === -1) continue
      if (slot >= this.#store.room) this.#grow(slot)
      this.#store.copy(row, slot, this.#slot!.opens)
      this.#rows[slot] = -1
    }
    this.#begun.length = 0
  }

  #read(slot: number): ConnectionIdentity {
    const row = this.#rows[slot]!
    return row === -1 ? this.#store.read(slot) : this.#slot!.readOpen(row)
  }

  #grow(slot: number): void {
    const larger = new Store(this.#layout, 2 ** Math.ceil(Math.log2(slot + 1)), this.#captures)
    larger.takeAll(this.#store)
    this.#store = larger
  }
}

/** Arrays of words of one size over a buffer. */
interface WordsOf {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, start: number): Uint32Array | Uint16Array | Uint8Array
}

/** The same columns as in a batch, with other room. */
class Store {
  readonly room: number
  readonly #layout: Layout
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #copiers = new Map<BatchView, ((from: number, to: number) => void)[]>()
  readonly read: RowReader<ConnectionIdentity>

  constructor(layout: Layout, room: number, captures: readonly string[] | null) {
    this.room = room
    this.#layout = layoutFor(layout, room)
    this.#bytes = new Uint8Array(this.#layout.byteLength)
    this.read = bindIdentity(new BatchView(this.#layout, this.#bytes), captures)
  }

  /** Copies row `from` of a batch to row `to`. */
  copy(from: number, to: number, batch: BatchView): void {
    let copiers = this.#copiers.get(batch)
    if (!copiers) this.#copiers.set(batch, (copiers = this.#bind(batch)))
    for (let i = 0; i < copiers.length; i++) copiers[i]!(from, to)
  }

  /** Takes over all rows of a smaller one. */
  takeAll(smaller: Store): void {
    for (const [i, { kind, values }] of this.#layout.columns.entries()) {
      const at = smaller.#layout.columns[i]!.values
      this.#bytes.set(smaller.#bytes.subarray(at, at + SIZES[kind] * smaller.room), values)
    }
  }

  #bind(batch: BatchView): ((from: number, to: number) => void)[] {
    return this.#layout.columns.map(({ name, kind, values }) => {
      const start = batch.place(name).values
      const size = SIZES[kind]
      const Words: WordsOf = size % 4 === 0 ? Uint32Array : size === 2 ? Uint16Array : Uint8Array
      const words = size / Words.BYTES_PER_ELEMENT
      const source = new Words(batch.bytes.buffer, start)
      const target = new Words(this.#bytes.buffer, values)
      return (from, to) => {
        for (let i = 0; i < words; i++) target[to * words + i] = source[from * words + i]!
      }
    })
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
