/**
 * The index of waiting pieces: per stream a balanced tree by offset and a list in stream order, all in the same arrays.
 * Mirrors `core::stream::pieces`.
 *
 * The tree is a treap: heap order on pseudo-random priorities keeps it shallow (expected depth 2 ln n) whatever the
 * order of arrival. Pieces of one stream never overlap. Nodes that are not in use form a free list.
 */

/** No piece, and no queue. */
export const NIL = -1

/** Octets that one node counts for in the limits. */
export const NODE_OCTETS = 48

/** `ackedSecond` of a piece that the peer's acknowledgement has not reached. */
export const NOT_ACKED = -Infinity

/** All pieces of an arena: one number per piece in each array. `length > 0`, and the slot holds `skip + length` octets. */
export class Pieces {
  /** Position in the stream. */
  start = new Float64Array(0)
  length = new Uint32Array(0)
  /** When the peer's acknowledgement was seen to pass `start`: packet time. */
  ackedSecond = new Float64Array(0)
  ackedNanosecond = new Uint32Array(0)
  slot = new Uint32Array(0)
  /** Size of the slot. */
  slotLength = new Uint32Array(0)
  /** Octets at the slot's head that a later segment took away. */
  skip = new Uint32Array(0)
  prev = new Int32Array(0)
  next = new Int32Array(0)
  #left = new Int32Array(0)
  #right = new Int32Array(0)
  #priority = new Uint32Array(0)
  #used = 0
  #free = NIL
  #random = 0x9e37_79b9

  /** Octets of memory in nodes. */
  get memory(): number {
    return this.start.length * 60
  }

  /** Position after a piece's last octet. */
  end(id: number): number {
    return this.start[id]! + this.length[id]!
  }

  /** A node outside any tree. */
  create(start: number, length: number, slot: number, slotLength: number): number {
    let id = this.#free
    if (id !== NIL) {
      this.#free = this.next[id]!
    } else {
      if (this.#used === this.start.length) this.#grow()
      id = this.#used++
    }
    this.start[id] = start
    this.length[id] = length
    this.ackedSecond[id] = NOT_ACKED
    this.slot[id] = slot
    this.slotLength[id] = slotLength
    this.skip[id] = 0
    this.prev[id] = this.next[id] = this.#left[id] = this.#right[id] = NIL
    this.#priority[id] = this.#nextRandom()
    return id
  }

  /** Puts a node that is in no tree back on the free list. */
  discard(id: number): void {
    this.next[id] = this.#free
    this.#free = id
  }

  /** The last piece that begins at or before `at`. */
  floor(root: number, at: number): number {
    let id = root
    let best = NIL
    while (id !== NIL)
      if (this.start[id]! <= at) {
        best = id
        id = this.#right[id]!
      } else {
        id = this.#left[id]!
      }
    return best
  }

  /** Adds `id` to the tree; gives its new root. The list is the caller's. */
  insert(root: number, id: number): number {
    const start = this.start[id]!
    const priority = this.#priority[id]!
    let parent = NIL
    let at = root
    while (at !== NIL && this.#priority[at]! >= priority) {
      parent = at
      at = this.start[at]! < start ? this.#right[at]! : this.#left[at]!
    }
    this.#split(at, start, id)
    return this.#replaceChild(root, parent, start, id)
  }

  /** Takes `id` out of the tree; gives its new root. The list is the caller's. */
  remove(root: number, id: number): number {
    const start = this.start[id]!
    let parent = NIL
    let at = root
    while (at !== id && at !== NIL) {
      parent = at
      at = this.start[at]! < start ? this.#right[at]! : this.#left[at]!
    }
    return this.#replaceChild(root, parent, start, this.#merge(this.#left[id]!, this.#right[id]!))
  }

  #replaceChild(root: number, parent: number, start: number, child: number): number {
    if (parent === NIL) return child
    if (this.start[parent]! < start) this.#right[parent] = child
    else this.#left[parent] = child
    return root
  }

  /** Parts a tree into what begins before `at`, which becomes the left child of `id`, and the rest, its right one. */
  #split(root: number, at: number, id: number): void {
    let node = root
    let before = NIL
    let after = NIL
    this.#left[id] = this.#right[id] = NIL
    while (node !== NIL)
      if (this.start[node]! < at) {
        if (before === NIL) this.#left[id] = node
        else this.#right[before] = node
        before = node
        node = this.#right[node]!
      } else {
        if (after === NIL) this.#right[id] = node
        else this.#left[after] = node
        after = node
        node = this.#left[node]!
      }
    if (before !== NIL) this.#right[before] = NIL
    if (after !== NIL) this.#left[after] = NIL
  }

  /** Joins two trees; everything in `left` lies before everything in `right`. */
  #merge(left: number, right: number): number {
    if (left === NIL) return right
    if (right === NIL) return left
    if (this.#priority[left]! >= this.#priority[right]!) {
      this.#right[left] = this.#merge(this.#right[left]!, right)
      return left
    }
    this.#left[right] = this.#merge(left, this.#left[right]!)
    return right
  }

  /** Marsaglia's xorshift: good enough to keep the tree shallow, the same in every run. */
  #nextRandom(): number {
    this.#random ^= this.#random << 13
    this.#random ^= this.#random >>> 17
    this.#random ^= this.#random << 5
    return this.#random
  }

  #grow(): void {
    const room = Math.max(64, this.start.length * 2)
    this.start = grown(new Float64Array(room), this.start)
    this.length = grown(new Uint32Array(room), this.length)
    this.ackedSecond = grown(new Float64Array(room), this.ackedSecond)
    this.ackedNanosecond = grown(new Uint32Array(room), this.ackedNanosecond)
    this.slot = grown(new Uint32Array(room), this.slot)
    this.slotLength = grown(new Uint32Array(room), this.slotLength)
    this.skip = grown(new Uint32Array(room), this.skip)
    this.prev = grown(new Int32Array(room), this.prev)
    this.next = grown(new Int32Array(room), this.next)
    this.#left = grown(new Int32Array(room), this.#left)
    this.#right = grown(new Int32Array(room), this.#right)
    this.#priority = grown(new Uint32Array(room), this.#priority)
  }
}

/** A longer array with the numbers of a shorter one. */
function grown<T extends Float64Array | Uint32Array | Int32Array>(to: T, from: T): T {
  to.set(from)
  return to
}
