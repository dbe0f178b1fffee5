/**
 * How data gets into the page: typed arrays with a description, in one piece. Node writes it, the browser reads it, so
 * nothing here needs either.
 *
 * ```text
 * | octets of the description (32 bits) | description: JSON | array 0 | array 1 | …     each begins at a multiple of 8
 * ```
 */

/** Arrays that a container holds. */
export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** A description and named arrays. */
export interface Container<Meta> {
  readonly meta: Meta
  readonly arrays: Readonly<Record<string, Numbers>>
}

const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array } as const

type TypeName = keyof typeof TYPES

interface Description<Meta> {
  meta: Meta
  arrays: [name: string, type: TypeName, length: number][]
}

const padded = (octets: number): number => Math.ceil(octets / 8) * 8

/** Puts all in one piece. */
export function encodeContainer<Meta>({ meta, arrays }: Container<Meta>): Uint8Array<ArrayBuffer> {
  const list = Object.entries(arrays)
  const description: Description<Meta> = { meta, arrays: list.map(([name, array]) => [name, typeOf(array), array.length]) }
  const text = new TextEncoder().encode(JSON.stringify(description))
  const start = padded(4 + text.length)
  const out = new Uint8Array(start + list.reduce((sum, [, array]) => sum + padded(array.byteLength), 0))
  new DataView(out.buffer).setUint32(0, text.length, true)
  out.set(text, 4)
  let at = start
  for (const [, array] of list) {
    out.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at)
    at += padded(array.byteLength)
  }
  return out
}

/** Takes it apart; the arrays are views. */
export function decodeContainer<Meta>(octets: Uint8Array): Container<Meta> {
  const length = new DataView(octets.buffer, octets.byteOffset).getUint32(0, true)
  const { meta, arrays } = JSON.parse(new TextDecoder().decode(octets.subarray(4, 4 + length))) as Description<Meta>
  let at = octets.byteOffset + padded(4 + length)
  const views: Record<string, Numbers> = {}
  for (const [name, type, count] of arrays) {
    const view = new TYPES[type](octets.buffer as ArrayBuffer, at, count)
    views[name] = view
    at += padded(view.byteLength)
  }
  return { meta, arrays: views }
}

function typeOf(array: Numbers): TypeName {
  const found = (Object.keys(TYPES) as TypeName[]).find(name => array instanceof TYPES[name])
  if (found === undefined) throw new TypeError('a container holds numbers of four types only')
  return found
}

/** The same values in the smallest array that holds them. */
export function narrowed(values: ArrayLike<number>): Numbers {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!(value >= 0) || value > 0xffff_ffff || value !== Math.floor(value)) return Float64Array.from(values)
    if (value > most) most = value
  }
  if (most <= 0xff) return Uint8Array.from(values)
  return most <= 0xffff ? Uint16Array.from(values) : Uint32Array.from(values)
}
