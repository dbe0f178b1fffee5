/** Dumpers: what writes a flow's frames to its file. */
import type { TraceFrame } from './packet.js'

/** Where a dumper writes. */
export interface TraceOutput {
  /** The file, which is there and empty. */
  readonly path: string
  /** Adds text or octets at its end. */
  write(data: string | Uint8Array): void
  /** What stands at the end of the file whenever it is looked at; the next octets take its place. */
  tail: string
}

/** What a dumper is told of the files. */
export interface TraceDumperOptions {
  /** Link-layer header type of the flow's first frame. */
  readonly protocol: number
  /** Byte order of numbers, where the format has one. */
  readonly byteorder: 'little' | 'big'
  /** Times in nanoseconds, where the format has a choice. */
  readonly nanosecond: boolean
}

/** Writes the frames of one flow. */
export interface TraceDumper {
  /** Writes a frame; `name` is `Frame` and its number. */
  dump(frame: TraceFrame, name: string): void
}

/** Makes the dumper of a flow. */
export type TraceDumperClass = new (output: TraceOutput, options: TraceDumperOptions) => TraceDumper
