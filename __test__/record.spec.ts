// Times of records made in TypeScript: computed in parts, compared with plain bigints.
import test from 'ava'
import { nanosecondsAt, secondsAt, secondsOf } from '../src/record.js'

test('a time in two parts is the same number', t => {
  const seconds = [0, 1, 65_535, 65_536, 1_796_027_768, 4_294_967_295, 4_294_967_296, 8_999_999_999, 9_000_000_000, 9_000_000_001, 9_223_372_035, -1, -2_147_483_648]
  const nanoseconds = [0, 1, 999, 1000, 123_456_000, 379_784_123, 999_999_000, 999_999_999]
  for (let seed = 1, i = 0; i < 2000; i++) {
    seed = (seed * 48_271) % 0x7fff_ffff
    seconds.push(seed * 4 + (i & 3))
    nanoseconds.push(seed % 1_000_000_000)
  }
  const check = (second: number, nanosecond: number) => {
    const whole = BigInt(second) * 1_000_000_000n + BigInt(nanosecond)
    t.is(nanosecondsAt(second, nanosecond), whole)
    t.is(secondsAt(second, nanosecond), secondsOf(whole))
  }
  seconds.forEach((second, i) => {
    for (const nanosecond of nanoseconds.slice(0, 8)) check(second, nanosecond)
    check(second, nanoseconds[i % nanoseconds.length]!)
  })
})
