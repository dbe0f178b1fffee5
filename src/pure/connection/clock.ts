/**
 * The time by which connections end: packet time without its accidents. Mirrors `core::connection::CaptureClock`.
 *
 * In: the time of each packet, as the capture has it. Out: a time that never runs backwards. Captures are put together
 * from several, pause for the night, or hold a packet with a wrong timestamp; a step of more than an hour in either
 * direction is such an accident, and for connections no time goes by in it.
 */
import { hasPassed, SECOND_NS } from '../span.js'

/** Longest step between two packets that counts as time: one hour. */
const LONGEST_STEP_SECOND = 3600

/** Nanoseconds of 64 bits go from -2^63 to 2^63 - 1: as seconds and nanoseconds, and what is 2^64 of them. */
const LEAST_SECOND = -9_223_372_037
const LEAST_NANOSECOND = 145_224_192
const GREATEST_SECOND = 9_223_372_036
const GREATEST_NANOSECOND = 854_775_807
const TURN_SECOND = 18_446_744_073
const TURN_NANOSECOND = 709_551_616

/** A clock that packets move on. */
export class CaptureClock {
  /** What it shows. */
  second = 0
  nanosecond = 0
  #isRunning = false
  /** What is added to packet times, modulo 2^64 nanoseconds: the accidents so far. */
  #shiftSecond = 0
  #shiftNanosecond = 0
  #shiftedSecond = 0
  #shiftedNanosecond = 0

  /** Takes in a packet's time. The clock's times have the same distances except over accidents. */
  tick(second: number, nanosecond: number): void {
    this.#shift(second + this.#shiftSecond, nanosecond + this.#shiftNanosecond)
    const shiftedSecond = this.#shiftedSecond
    const shiftedNanosecond = this.#shiftedNanosecond
    const steps = shiftedSecond - this.second
    if (!this.#isRunning) {
      this.#isRunning = true
    } else if ((steps >= LONGEST_STEP_SECOND || steps <= -LONGEST_STEP_SECOND) && this.#isAccident()) {
      this.#shift(this.second - second, this.nanosecond - nanosecond)
      this.#shiftSecond = this.#shiftedSecond
      this.#shiftNanosecond = this.#shiftedNanosecond
      return
    } else if (steps < 0 || (steps === 0 && shiftedNanosecond < this.nanosecond)) {
      return
    }
    this.second = shiftedSecond
    this.nanosecond = shiftedNanosecond
  }

  /** The step is longer than the longest, by a nanosecond or more. */
  #isAccident(): boolean {
    const from = [this.second, this.nanosecond] as const
    const to = [this.#shiftedSecond, this.#shiftedNanosecond] as const
    return hasPassed(...from, ...to, LONGEST_STEP_SECOND, 1) || hasPassed(...to, ...from, LONGEST_STEP_SECOND, 1)
  }

  /** Sets the shifted time to a sum of two times, or a difference, modulo 2^64 nanoseconds. */
  #shift(second: number, nanosecond: number): void {
    if (nanosecond >= SECOND_NS) {
      second += 1
      nanosecond -= SECOND_NS
    } else if (nanosecond < 0) {
      second -= 1
      nanosecond += SECOND_NS
    }
    this.#shiftedSecond = second
    this.#shiftedNanosecond = nanosecond
    if (second <= LEAST_SECOND || second >= GREATEST_SECOND) this.#turn(second, nanosecond)
  }

  /** Brings a time that 64 bits may not hold back among those that they do. */
  #turn(second: number, nanosecond: number): void {
    const isBelow = second < LEAST_SECOND || (second === LEAST_SECOND && nanosecond < LEAST_NANOSECOND)
    const isAbove = second > GREATEST_SECOND || (second === GREATEST_SECOND && nanosecond > GREATEST_NANOSECOND)
    if (isBelow) this.#shift(second + TURN_SECOND, nanosecond + TURN_NANOSECOND)
    else if (isAbove) this.#shift(second - TURN_SECOND, nanosecond - TURN_NANOSECOND)
  }
}
