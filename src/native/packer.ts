/** Columns of packets, packed by the addon into a stream that its readers take as a capture. */
import type { NativePacker } from '../binding/index.js'
import { loadBinding } from './load.js'

/** A packer: see `RecordWriter` in the core. */
export function nativePacker(clock: BigInt64Array, inOrder: boolean): NativePacker {
  const { NativePacker: Packer } = loadBinding()
  return new Packer(clock, inOrder)
}
