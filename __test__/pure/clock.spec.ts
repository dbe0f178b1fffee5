// The clock of connections in TypeScript, beside the tests of crates/core/src/connection/clock.rs.
import test from 'ava'
import { CaptureClock } from '../../src/pure/connection/clock.js'

const NS = 1_000_000_000n
const HOUR = 3600n * NS
const [LEAST, GREATEST] = [-(2n ** 63n), 2n ** 63n - 1n]

const floor = (ns: bigint) => (ns - (((ns % NS) + NS) % NS)) / NS

function ticks(...times: bigint[]): bigint[] {
  const clock = new CaptureClock()
  return times.map(ns => {
    clock.tick(Number(floor(ns)), Number(ns - floor(ns) * NS))
    return BigInt(clock.second) * NS + BigInt(clock.nanosecond)
  })
}

test('the clock of plain times is their maximum', t => {
  t.deepEqual(ticks(5n, 9n, 7n, 12n, 11n, HOUR), [5n, 9n, 9n, 12n, 12n, HOUR])
})

test('it stands still over a long step, either way, to the nanosecond', t => {
  t.deepEqual(ticks(0n, HOUR, HOUR * 2n + 1n, HOUR * 2n + 8n), [0n, HOUR, HOUR, HOUR + 7n])
  t.deepEqual(ticks(HOUR + 5n, 5n, 4n, 6n), [HOUR + 5n, HOUR + 5n, HOUR + 5n, HOUR + 7n])
  t.deepEqual(ticks(HOUR + 5n, 5n, 8n), [HOUR + 5n, HOUR + 5n, HOUR + 5n])
})

test('one wrong time moves nothing', t => {
  const times = [100n, 90n * HOUR, 101n, 102n, -50n * HOUR, 103n, 110n]
  t.deepEqual(ticks(...times), [100n, 100n, 100n, 101n, 101n, 101n, 108n])
})

test('extreme times turn round as 64 bits do', t => {
  // As a model in wrapping arithmetic.
  const times = [LEAST, GREATEST, LEAST, 0n, GREATEST, GREATEST - 1n, -1n, 1n, LEAST + 7n, GREATEST - HOUR, GREATEST]
  let now: bigint | undefined
  let shift = 0n
  const expected = times.map(ns => {
    const shifted = BigInt.asIntN(64, ns + shift)
    const step = now === undefined ? 0n : shifted - now
    if (now !== undefined && (step > HOUR || -step > HOUR)) shift = BigInt.asIntN(64, now - ns)
    else if (now === undefined || shifted > now) now = shifted
    return now
  })
  t.deepEqual(ticks(...times), expected)
})
