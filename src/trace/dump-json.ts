/** JSON: one object per file with a member per frame, in the shape of PyPCAPKit's files; or a line per frame. */
import type { TraceDumper, TraceOutput } from './dumper.js'
import type { TraceFrame } from './packet.js'

/** `{"Frame 1": {…}, "Frame 2": {…}}`, indented with tabs, complete after every frame. */
export class JsonDumper implements TraceDumper {
  readonly #output: TraceOutput
  #separator = '{\n'

  constructor(output: TraceOutput) {
    this.#output = output
  }

  dump(frame: TraceFrame, name: string): void {
    const text = JSON.stringify(frame, plain, '\t').replaceAll('\n', '\n\t')
    this.#output.tail = '\n}\n'
    this.#output.write(`${this.#separator}\t${JSON.stringify(name)}: ${text}`)
    this.#separator = ',\n'
  }
}

/** A line per frame: its members, and its `name` before them. */
export class NdjsonDumper implements TraceDumper {
  readonly #output: TraceOutput

  constructor(output: TraceOutput) {
    this.#output = output
  }

  dump(frame: TraceFrame, name: string): void {
    this.#output.write(`${JSON.stringify({ name, ...frame }, plain)}\n`)
  }
}

const utf8 = new TextDecoder()

/** What JSON has no kind for: octets become text and hex, as the original has it; big integers become digits. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return bytes(value)
  // A Buffer has a toJSON, which comes before this function is asked.
  return isBufferJson(value) ? bytes(Uint8Array.from(value.data)) : value
}

function bytes(octets: Uint8Array): object {
  const hex = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex')
  return { type: 'bytes', value: utf8.decode(octets), hex }
}

function isBufferJson(value: unknown): value is { data: number[] } {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown }
  return type === 'Buffer' && Array.isArray(data)
}
