/** Rows in the order of a column, by counting digits: no comparison, so it takes the same few milliseconds whatever they hold. */

const DIGITS = 1 << 16

/**
 * Sorts rows by their keys; rows with equal keys stay in the order that they have. NaN comes last either way.
 *
 * @param rows row numbers, in their present order
 * @param keys a number for each row number
 */
export function sortRows(rows: Uint32Array, keys: ArrayLike<number>, descending: boolean): Uint32Array {
  const count = rows.length
  const [low, high] = bitsOf(rows, keys, descending)
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  let spare = new Uint32Array(count)
  const starts = new Uint32Array(DIGITS)
  for (const [words, shift] of [[low, 0], [low, 16], [high, 0], [high, 16]] as const) {
    starts.fill(0)
    for (let i = 0; i < count; i++) starts[(words[i]! >>> shift) & 0xffff]! += 1
    // All have the same digit.
    if (count === 0 || starts[(words[0]! >>> shift) & 0xffff] === count) continue
    let sum = 0
    for (let digit = 0; digit < DIGITS; digit++) {
      const here = starts[digit]!
      starts[digit] = sum
      sum += here
    }
    for (let i = 0; i < count; i++) {
      const from = order[i]!
      spare[starts[(words[from]! >>> shift) & 0xffff]!++] = from
    }
    ;[order, spare] = [spare, order]
  }
  for (let i = 0; i < count; i++) spare[i] = rows[order[i]!]!
  return spare
}

/** Doubles as unsigned integers of the same order, low and high words. */
function bitsOf(rows: Uint32Array, keys: ArrayLike<number>, descending: boolean): [low: Uint32Array, high: Uint32Array] {
  const count = rows.length
  const doubles = new Float64Array(count)
  for (let i = 0; i < count; i++) doubles[i] = keys[rows[i]!]!
  const words = new Uint32Array(doubles.buffer)
  const [low, high] = [new Uint32Array(count), new Uint32Array(count)]
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(doubles[i])) {
      low[i] = high[i] = 0xffff_ffff
      continue
    }
    const [l, h] = [words[2 * i]!, words[2 * i + 1]!]
    // Negative numbers: all bits turned; others: the sign's bit. All turned again where the greatest comes first.
    const turn = h >>> 31 === 1
    low[i] = (turn ? ~l : l) ^ (descending ? -1 : 0)
    high[i] = (turn ? ~h : h | 0x8000_0000) ^ (descending ? -1 : 0)
  }
  return [low, high]
}
