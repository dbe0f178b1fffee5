/**
 * The clock of a pcapng interface: ticks of 64 bits in, seconds and nanoseconds out. What doesn't fit into 64 bits of
 * nanoseconds saturates. Mirrors `core::capture::timestamp`.
 */
import { MAX_NS, MIN_NS, secondOf } from '../time.js'
import type { Packet } from './packet.js'

const NS = 1_000_000_000n
/** Up to here, nanoseconds fit into 64 bits. */
const MOST_SECONDS = 9_223_372_035

/** Turns one interface's ticks into times. */
export class Clock {
  /** Ticks in a second, where the short way is exact: 10^3, 10^6 or 10^9, and no offset. */
  readonly #perSecond: number
  /** Nanoseconds of a tick, likewise. */
  readonly #unit: number
  readonly #resolution: number
  readonly #offsetSeconds: bigint

  /** @param resolution the octet of `if_tsresol` */
  constructor(resolution: number, offsetSeconds: bigint) {
    const short = offsetSeconds === 0n && resolution <= 9
    this.#perSecond = short ? 10 ** resolution : 0
    this.#unit = short ? 10 ** (9 - resolution) : 0
    this.#resolution = resolution
    this.#offsetSeconds = offsetSeconds
  }

  /** Sets a packet's time. */
  read(high: number, low: number, packet: Packet): void {
    const perSecond = this.#perSecond
    if (perSecond === 0) return this.#readLong(high, low, packet)
    // Long division, 32 bits and then 16 at a time, so that every number in it is exact in a double.
    const first = Math.floor(high / perSecond)
    const middle = (high - first * perSecond) * 65536 + (low >>> 16)
    const second = Math.floor(middle / perSecond)
    const last = (middle - second * perSecond) * 65536 + (low & 0xffff)
    const third = Math.floor(last / perSecond)
    const seconds = first * 4_294_967_296 + second * 65536 + third
    if (seconds > MOST_SECONDS) return this.#readLong(high, low, packet)
    packet.second = seconds
    packet.nanosecond = (last - third * perSecond) * this.#unit
  }

  #readLong(high: number, low: number, packet: Packet): void {
    const ticks = (BigInt(high) << 32n) | BigInt(low)
    // The offset alone saturates too, as it does where times are kept in 64 bits.
    const ns = saturated(this.#since(ticks) + saturated(this.#offsetSeconds * NS))
    const second = secondOf(ns)
    packet.second = second
    packet.nanosecond = Number(ns - BigInt(second) * NS)
  }

  /** Nanoseconds that `ticks` are, rounded down. */
  #since(ticks: bigint): bigint {
    const exponent = this.#resolution & 0x7f
    if (this.#resolution >= 0x80) return (ticks * NS) >> BigInt(exponent)
    return exponent <= 9 ? ticks * 10n ** BigInt(9 - exponent) : ticks / 10n ** BigInt(exponent - 9)
  }
}

function saturated(ns: bigint): bigint {
  return ns < MIN_NS ? MIN_NS : ns > MAX_NS ? MAX_NS : ns
}
