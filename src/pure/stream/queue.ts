/**
 * What one stream keeps while something waits: the roots of its pieces, and its place in two lists. Mirrors
 * `core::stream::queue`.
 *
 * `age`: all waiting streams, the one that went longest without progress first; it gives up when the arena is full.
 * `due`: streams whose oldest hole was acknowledged, in the order that this was found out; they give up when the
 * patience is over, even if no packet of theirs comes any more.
 */
import { NIL } from './pieces.js'

/** What one stream keeps. The object is used again for another stream. */
export class Queue {
  /** The owner's name for the stream. */
  token = 0
  root = NIL
  head = NIL
  tail = NIL
  /** First piece that the peer's acknowledgement has not reached. */
  unacked = NIL
  /** Memory of the waiting octets. */
  octets = 0
  inDue = false
  /** When the oldest hole was acknowledged; meaningful while in `due`. */
  dueSecond = 0
  dueNanosecond = 0
  /** Neighbours in `age` and in `due`. */
  readonly prev: [Queue | null, Queue | null] = [null, null]
  readonly next: [Queue | null, Queue | null] = [null, null]
}

type List = 0 | 1
const AGE = 0
const DUE = 1

/** The queues of an arena. */
export class Queues {
  readonly #free: Queue[] = []
  readonly #first: [Queue | null, Queue | null] = [null, null]
  readonly #last: [Queue | null, Queue | null] = [null, null]

  /** A new queue, youngest of all. */
  open(token: number): Queue {
    const queue = this.#free.pop() ?? new Queue()
    queue.token = token
    queue.octets = 0
    this.#link(AGE, queue)
    return queue
  }

  /** Ends an empty queue. */
  close(queue: Queue): void {
    this.clearDue(queue)
    this.#unlink(AGE, queue)
    this.#free.push(queue)
  }

  /** The stream made progress: it is the youngest again, and its next hole has not been judged yet. */
  progressed(queue: Queue): void {
    this.clearDue(queue)
    this.#unlink(AGE, queue)
    this.#link(AGE, queue)
  }

  /** The oldest hole was acknowledged at that time. */
  setDue(queue: Queue, second: number, nanosecond: number): void {
    if (queue.inDue) return
    queue.inDue = true
    queue.dueSecond = second
    queue.dueNanosecond = nanosecond
    this.#link(DUE, queue)
  }

  /** The stream that went longest without progress. */
  get oldest(): Queue | null {
    return this.#first[AGE]
  }

  /** The stream whose oldest hole was found acknowledged first. */
  get firstDue(): Queue | null {
    return this.#first[DUE]
  }

  /** The oldest hole is to be judged anew. */
  clearDue(queue: Queue): void {
    if (!queue.inDue) return
    queue.inDue = false
    this.#unlink(DUE, queue)
  }

  #link(list: List, queue: Queue): void {
    const last = this.#last[list]
    queue.prev[list] = last
    queue.next[list] = null
    if (last === null) this.#first[list] = queue
    else last.next[list] = queue
    this.#last[list] = queue
  }

  #unlink(list: List, queue: Queue): void {
    const prev = queue.prev[list]
    const next = queue.next[list]
    if (prev === null) this.#first[list] = next
    else prev.next[list] = next
    if (next === null) this.#last[list] = prev
    else next.prev[list] = prev
  }
}
