// Reassembly in TypeScript: tables of small cases, one line per step, what the sink hears as text. They stand beside
// those of crates/core/src/stream/tests.rs.
import test, { type ExecutionContext } from 'ava'
import { Arena } from '../../src/pure/stream/arena.js'
import { DEFAULT_LIMITS, type StreamLimits } from '../../src/pure/stream/limits.js'
import { POLICIES } from '../../src/pure/stream/policy.js'
import { Stream } from '../../src/pure/stream/reassembler.js'
import { StreamSegment } from '../../src/pure/stream/segment.js'
import type { Sink } from '../../src/pure/stream/sink.js'

const text = (octets: Uint8Array) => Buffer.from(octets).toString('latin1')

class Tape implements Sink {
  readonly #t: ExecutionContext
  events: string[] = []
  next = 0

  constructor(t: ExecutionContext) {
    this.#t = t
  }
  data(offset: number, octets: Uint8Array): void {
    this.#goOn(offset, octets.length)
    if (this.events.at(-1)?.startsWith('data')) this.events.push(this.events.pop()! + text(octets))
    else this.events.push(`data ${offset} ${text(octets)}`)
  }
  gap(offset: number, length: number): void {
    this.#goOn(offset, length)
    this.events.push(`gap ${offset} ${length}`)
  }
  conflict(offset: number, kept: Uint8Array, other: Uint8Array): void {
    this.events.push(`conflict ${offset} ${text(kept)}/${text(other)}`)
  }
  #goOn(offset: number, length: number): void {
    this.#t.is(offset, this.next, 'stream order')
    this.next += length
  }
}

/** A stream with its arena. Offsets count from `isn + 1`. */
class Lab {
  readonly arena: Arena
  readonly stream = new Stream(7)
  readonly tape: Tape
  isn = 4_294_967_290
  zeroWindow = false
  readonly #t: ExecutionContext
  readonly #segment = new StreamSegment()
  #now = 0

  constructor(t: ExecutionContext, limits: Partial<StreamLimits> = {}) {
    this.#t = t
    this.arena = new Arena({ ...DEFAULT_LIMITS, ...limits })
    this.tape = new Tape(t)
  }
  push(at: number, payload: string, syn = false, fin = false, missing = 0): this {
    const { second, nanosecond } = this.now
    Object.assign(this.#segment, {
      seq: (this.isn + 1 + at) | 0, syn, fin, payload: Buffer.from(payload, 'latin1'),
      wireLength: payload.length + missing, zeroWindow: this.zeroWindow, second, nanosecond,
    })
    this.stream.push(this.arena, this.#segment, this.tape)
    return this
  }
  syn(isn = -1, payload = ''): this {
    return this.push(isn, payload, true)
  }
  seg(at: number, payload: string): this {
    return this.push(at, payload)
  }
  fin(at: number, payload: string): this {
    return this.push(at, payload, false, true)
  }
  ack(at: number): this {
    const { second, nanosecond } = this.now
    this.stream.onAck(this.arena, (this.isn + 1 + at) >>> 0, second, nanosecond, this.tape)
    return this
  }
  get now(): { second: number; nanosecond: number } {
    return { second: Math.floor(this.#now), nanosecond: (this.#now % 1) * 1e9 }
  }
  wait(seconds: number): this {
    this.#now += seconds
    return this
  }
  window(zero: boolean): this {
    this.zeroWindow = zero
    return this
  }
  end(): this {
    this.stream.finish(this.arena, this.tape)
    this.#t.deepEqual([this.arena.waitingOctets, this.stream.queue], [0, null], 'the arena is free again')
    return this
  }
  hears(...expected: string[]): this {
    this.#t.deepEqual(this.tape.events, expected)
    this.tape.events.length = 0
    return this
  }
}

test('any order of arrival gives the stream', t => {
  const lab = () => new Lab(t).syn()
  lab().seg(0, 'abc').seg(3, 'def').hears('data 0 abcdef').end().hears()
  lab().seg(3, 'def').hears().seg(0, 'abc').hears('data 0 abcdef')
  lab().seg(6, 'g').seg(3, 'def').seg(0, 'abc').hears('data 0 abcdefg')
  lab().seg(2, 'cd').seg(6, 'gh').seg(0, 'abcdefghij').hears('data 0 abcdefghij')
  lab().seg(1, 'b').seg(2, 'c').seg(3, 'd').seg(4, 'e').seg(6, 'g').seg(0, 'a').hears('data 0 abcde')
})

test('the start: SYN with data, late SYN, stray segments, midstream', t => {
  const lab = new Lab(t).syn(-1, 'hello').seg(5, '!').hears('data 0 hello!').syn(-1, 'hello').hears()
  t.is(lab.stream.retransmittedBytes, 5)
  new Lab(t).seg(0, 'abc').syn().seg(3, 'd').hears('data 0 abcd')
  new Lab(t).seg(342_679_577, '').syn().seg(0, 'abc').hears('data 0 abc').end().hears()
  new Lab(t).seg(-1_342_679_577, '').seg(0, 'abc').hears('data 0 abc').end().hears()
  new Lab(t).seg(100, 'abc').seg(103, 'd').hears('data 0 abcd')
  new Lab(t).seg(100, '').seg(105, 'f').seg(100, 'abcde').hears('data 0 abcdef')
  new Lab(t).seg(110, '').seg(100, '0123').seg(104, '456789').seg(110, 'a').hears('data 0 0123456789a')
  const late = new Lab(t).seg(110, 'a').seg(100, '0123456789').seg(111, 'b').hears('data 0 ab')
  t.is(late.arena.totals.beforeStartOctets, 10)
  new Lab(t).syn().seg(0, 'ab').syn().syn(5000, 'x').seg(2, 'c').hears('data 0 abc')
  const again = new Lab(t).syn().syn(2_000_000_000).ack(2_000_000_001).syn(77)
  again.seg(2_000_000_001, 'abc').hears('data 0 abc').end().hears()
})

test('a keep-alive is never the start, never reaches the stream, never conflicts', t => {
  new Lab(t).ack(100).seg(99, '\0').seg(100, 'abc').hears('data 0 abc').end().hears()
  new Lab(t).ack(100).seg(99, '').seg(100, 'abc').hears('data 0 abc').end().hears()
  new Lab(t).seg(99, '').seg(100, 'abc').hears('data 0 abc').end().hears()
  new Lab(t).seg(100, '').seg(99, '\0').seg(100, 'abc').hears('data 0 abc').end().hears()
  const lab = new Lab(t).syn().seg(0, 'abc').seg(2, '\0').seg(2, '').seg(-1, '\0').seg(3, 'd').hears('data 0 abcd')
  t.deepEqual([lab.arena.totals.keepAlives, lab.stream.conflictBytes, lab.stream.retransmittedBytes], [1, 0, 0])
  new Lab(t).syn().seg(3, 'def').ack(6).seg(5, '\0').seg(0, 'abc').hears('data 0 abcdef')
  new Lab(t).syn().seg(0, 'abc').ack(2).seg(2, 'X').hears('data 0 abc', 'conflict 2 c/X')
  new Lab(t).syn().seg(-1, '\0').seg(0, 'a').hears('data 0 a')
})

test("a zero-window probe's octet is held back until it is known what became of it", t => {
  const refused = new Lab(t).syn().seg(0, 'abc').ack(3).window(true).seg(3, 'X').seg(3, 'X').hears('data 0 abc')
  refused.window(false).seg(3, 'def').hears('data 3 def').end().hears()
  const taken = new Lab(t).syn().seg(0, 'abc').ack(3).window(true).seg(3, 'd').hears('data 0 abc')
  taken.ack(4).hears('data 3 d').window(false).seg(4, 'e').hears('data 4 e')
  new Lab(t).syn().window(true).seg(0, 'a').hears().window(false).seg(1, 'bc').hears('data 0 abc')
})

test('a FIN stands after its payload, and is not believed below what was seen', t => {
  const lab = new Lab(t).syn().fin(3, 'def').hears().seg(0, 'abc').hears('data 0 abcdef')
  t.is(lab.stream.fin, lab.stream.rcvNxt)
  lab.fin(3, 'def').seg(6, 'XY').seg(4, 'efZ').ack(7).end().hears()
  t.is(lab.arena.totals.afterFinOctets, 3)
  const low = new Lab(t).syn().seg(0, 'abcdef').fin(2, '').seg(6, 'g').hears('data 0 abcdefg')
  t.is(low.stream.fin, -Infinity)
})

test('sequence numbers wrap, and offsets pass 4 GiB and 2^50', t => {
  const lab = new Lab(t)
  lab.isn = 2 ** 32 - 2
  lab.syn().seg(0, 'a').seg(1, 'b').seg(3, 'd').seg(2, 'c').hears('data 0 abcd')
  for (const far of [2 ** 32 + 17, 2 ** 50 + 3]) {
    const long = new Lab(t).syn().seg(0, 'abc').hears('data 0 abc')
    long.stream.rcvNxt += far - 3
    long.stream.sndNxt = long.stream.rcvNxt
    long.tape.next = far
    long.seg(far % 2 ** 32 + 1, 'b').seg(far % 2 ** 32, 'a').hears(`data ${far} ab`)
    long.seg(far % 2 ** 32, 'aX').hears(`conflict ${far + 1} b/X`)
    t.is(long.stream.endOffset, far + 2)
  }
})

test('a gap waits for acknowledgement and patience, each hole for its own', t => {
  const lab = new Lab(t).syn().seg(3, 'def').wait(100).seg(6, 'g').hears().ack(2).wait(5).ack(2).hears()
  lab.ack(7).wait(1).ack(7).hears().wait(1).ack(7).hears('gap 0 3', 'data 3 defg').seg(0, 'abc').hears().end().hears()
  t.is(lab.arena.totals.ackedGaps, 1)
  const two = new Lab(t).syn().seg(1, 'b').ack(2).wait(1).seg(3, 'd').ack(4).wait(1).seg(5, 'f')
  two.hears('gap 0 1', 'data 1 b').wait(1).seg(7, 'h').hears('gap 2 1', 'data 3 d')
  new Lab(t).syn().seg(3, 'def').ack(6).wait(1).seg(0, 'abc').wait(9).ack(6).end().hears('data 0 abcdef')
})

test('a quiet stream is named by the arena when its patience is over', t => {
  const lab = new Lab(t).syn().seg(1, 'b').ack(2).wait(1)
  const due = () => lab.arena.due(lab.now.second, lab.now.nanosecond)
  t.is(due(), -1)
  lab.wait(0.75)
  t.is(due(), -1)
  lab.wait(0.25)
  t.is(due(), 7)
  lab.stream.onTime(lab.arena, lab.now.second, lab.now.nanosecond, lab.tape)
  t.is(due(), -1)
  lab.hears('gap 0 1', 'data 1 b')
})

test('the end gives all that waits, and says what is missing behind', t => {
  const lab = new Lab(t).syn().seg(2, 'c').seg(5, 'f').end().hears('gap 0 2', 'data 2 c', 'gap 3 2', 'data 5 f')
  t.deepEqual([lab.stream.delivered, lab.stream.gapBytes, lab.stream.endOffset], [2, 4, 6])
  new Lab(t).syn().seg(0, 'abc').ack(10).end().hears('data 0 abc', 'gap 3 6')
  new Lab(t).syn().seg(0, 'abc').ack(4).end().hears('data 0 abc')
  new Lab(t).syn().seg(0, 'abc').ack(900_000_000).end().hears('data 0 abc')
})

test('octets that were not captured are a hole that can be filled; padding is no payload', t => {
  const lab = new Lab(t).syn().push(0, 'abc', false, false, 3).seg(6, 'gh').hears('data 0 abc')
  lab.seg(0, 'abcdef').hears('data 3 defgh')
  new Lab(t).syn().push(0, 'abc', false, true, 3).end().hears('data 0 abc', 'gap 3 3')
  new Lab(t).syn().push(0, 'abc', false, false, 3).seg(6, 'ghi').end().hears('data 0 abc', 'gap 3 3', 'data 6 ghi')
  new Lab(t).syn().push(0, 'abc\0\0\0', false, false, -3).hears('data 0 abc')
})

test('wild segments are left out, unless they continue each other', t => {
  const lab = new Lab(t).syn().seg(0, 'abc').seg(1_500_000_000, 'garbage').seg(-1_500_000_000, 'garbage').seg(3, 'def')
  lab.hears('data 0 abcdef').end().hears()
  t.is(lab.arena.totals.wildSegments, 2)
  const jump = new Lab(t).syn().seg(0, 'abc').seg(1_500_000_000, 'd').seg(1_500_000_001, 'e').hears('data 0 abc')
  jump.seg(1_500_000_002, 'f').seg(1_500_000_003, 'g').hears('gap 3 1499999999', 'data 1500000002 fg').end().hears()
  t.is(jump.arena.totals.resyncs, 1)
})

test('counters tell retransmission, overlap and order apart', t => {
  const lab = new Lab(t).syn().seg(0, 'abcd').seg(1, 'bcd').seg(2, 'cdef').seg(8, 'ij').seg(8, 'ij').seg(7, 'hij')
  const { stream } = lab.seg(6, 'g').end().hears('data 0 abcdefghij')
  t.deepEqual([stream.retransmittedBytes, stream.overlapBytes, stream.outOfOrder], [5, 4, 3])
  t.deepEqual([stream.gapBytes, stream.conflictBytes, stream.ignored], [0, 0, 0])
})

test('conflicts have both versions', t => {
  const lab = new Lab(t).syn().seg(0, 'abc').seg(3, 'defgh').hears('data 0 abcdefgh')
  lab.seg(1, 'bXdeYg').hears('conflict 2 cdef/XdeY')
  t.is(lab.stream.conflictBytes, 2)
  lab.seg(6, 'gZij').hears('conflict 7 h/Z', 'data 8 ij')
  const waiting = new Lab(t).syn().seg(3, 'def').seg(2, 'cXeY').hears('conflict 3 def/XeY')
  waiting.seg(0, 'ab').hears('data 0 abcdef')
  const last = new Lab(t, { newWins: POLICIES.last! }).syn().seg(1, 'bcdef').seg(3, 'X').hears('conflict 3 X/d')
  last.seg(0, 'a').hears('data 0 abcXef')
  t.is(last.stream.conflictBytes, 1)
  new Lab(t, { historyOctets: 0 }).syn().seg(0, 'abc').seg(0, 'xyz').hears('data 0 abc')
})

test('octets are held back until they are acknowledged, where that is asked for', t => {
  const lab = new Lab(t, { acked: true }).syn().seg(0, 'abc').seg(5, 'f').hears().ack(2).hears('data 0 ab')
  lab.ack(3).seg(3, 'de').hears('data 2 c').ack(6).hears('data 3 def')
  lab.ack(8).seg(6, 'ghi').hears('data 6 gh').end().hears('data 8 i')
})

test('limits: the direction gives up its oldest hole, all streams the one that waited longest', t => {
  const lab = new Lab(t, { directionOctets: 2 * 112 }).syn().seg(1, 'b').seg(3, 'd').hears()
  lab.seg(5, 'f').hears('gap 0 1', 'data 1 b')
  t.is(lab.arena.totals.directionLimitHits, 1)
  const all = new Lab(t, { totalOctets: 112 }).syn().seg(1, 'b')
  t.is(all.arena.overLimit(), -1)
  const segment = Object.assign(new StreamSegment(), { seq: 10 })
  const [other, tape] = [new Stream(8), new Tape(t)]
  other.push(all.arena, segment, tape)
  other.push(all.arena, Object.assign(segment, { seq: 12, payload: Uint8Array.of(120), wireLength: 1 }), tape)
  t.is(all.arena.overLimit(), 7)
  all.stream.relieve(all.arena, all.tape)
  all.hears('gap 0 1', 'data 1 b')
  t.is(all.arena.overLimit(), -1)
  const none = new Lab(t, { totalOctets: 0 }).syn().seg(1, 'b').seg(3, 'd')
  none.hears('gap 0 1', 'data 1 b', 'gap 2 1', 'data 3 d')
})

test('what nobody wants is forgotten', t => {
  const lab = new Lab(t).syn().seg(3, 'def').seg(9, 'x')
  lab.stream.discard(lab.arena)
  t.is(lab.arena.waitingOctets, 0)
  lab.hears()
})

test('policies: what each leaves of an earlier segment and a later one', t => {
  const names = ['first', 'last', 'bsd', 'linux', 'old-linux', 'solaris']
  const cases: [first: [number, string], second: [number, string], left: string[]][] = [
    [[1, 'aaa'], [1, 'bbb'], ['aaa', 'bbb', 'aaa', 'aaa', 'bbb', 'bbb']],
    [[1, 'aaa'], [1, 'bbbb'], ['aaab', 'bbbb', 'aaab', 'bbbb', 'bbbb', 'bbbb']],
    [[1, 'aaa'], [1, 'bb'], ['aaa', 'bba', 'aaa', 'aaa', 'aaa', 'aaa']],
    [[2, 'aa'], [1, 'bb'], ['baa', 'bba', 'bba', 'bba', 'bba', 'baa']],
    [[2, 'aa'], [1, 'bbb'], ['baa', 'bbb', 'bbb', 'bbb', 'bbb', 'bbb']],
    [[2, 'aa'], [1, 'bbbb'], ['baab', 'bbbb', 'bbbb', 'bbbb', 'bbbb', 'bbbb']],
    [[1, 'aaa'], [2, 'bb'], ['aaa', 'abb', 'aaa', 'aaa', 'aaa', 'aaa']],
    [[1, 'aaa'], [2, 'bbb'], ['aaab', 'abbb', 'aaab', 'aaab', 'aaab', 'abbb']],
    [[1, 'aaaa'], [2, 'b'], ['aaaa', 'abaa', 'aaaa', 'aaaa', 'aaaa', 'aaaa']],
  ]
  t.deepEqual(Object.keys(POLICIES), names)
  for (const [first, second, left] of cases)
    for (const [i, name] of names.entries()) {
      const lab = new Lab(t, { newWins: POLICIES[name]! }).syn().seg(...first).seg(...second)
      lab.tape.events.length = 0
      lab.seg(0, ' ').end().hears(`data 0  ${left[i]}`)
    }
})
