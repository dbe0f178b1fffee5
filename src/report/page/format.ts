/** Numbers, sizes and times for people. */

const whole = new Intl.NumberFormat('en')

/** A whole number with thousands apart. */
export const number = (n: number): string => whole.format(n)

const UNITS = ['', 'k', 'M', 'G', 'T', 'P']

function scaled(n: number, unit: string): string {
  let [value, step] = [n, 0]
  while (Math.abs(value) >= 1000 && step < UNITS.length - 1) {
    value /= 1000
    step += 1
  }
  const places = step === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return `${value.toFixed(places)} ${UNITS[step]}${unit}`
}

/** Octets. */
export const octets = (n: number): string => scaled(n, 'B')

/** Bits a second. */
export const rate = (n: number): string => scaled(n, 'bit/s')

/** A duration with three digits that count: `1.24 ms`. */
export function duration(ns: number): string {
  const size = Math.abs(ns)
  if (size < 1e3) return `${ns} ns`
  if (size < 1e6) return `${digits(ns / 1e3)} µs`
  if (size < 1e9) return `${digits(ns / 1e6)} ms`
  if (size < 600e9) return `${digits(ns / 1e9)} s`
  const seconds = Math.round(ns / 1e9)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${number(hours)} h ${minutes} min` : `${minutes} min ${seconds % 60} s`
}

function digits(value: number): string {
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** Seconds with as many places as a step needs. */
export function seconds(value: number, step: number): string {
  const places = Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9)))
  return `${value.toFixed(places)} s`
}

/** A packet time, UTC, with microseconds. */
export function time(ns: bigint): string {
  const us = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const text = new Date(Number((ns - us) / 1_000_000n)).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${String(us / 1000n).padStart(6, '0')} UTC`
}

/** Texts of a capture: nothing in them may turn the line round or hide. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, c => `\\u{${c.codePointAt(0)!.toString(16)}}`)
}

/** TCP's flags by their letters. */
export function flagLetters(flags: number): string {
  return [...'FSRPAUEC'].filter((_, bit) => (flags >>> bit) & 1).join('') + (flags & 256 ? ' AE' : '')
}
