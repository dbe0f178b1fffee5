/** Packets in, a file per flow out, in any format: what tracing in TypeScript is made of. */
import type { TraceDumper } from './dumper.js'
import { OutputFiles, type OnExisting, type OutputFile } from './files.js'
import type { Format } from './formats.js'
import { flowLabel, numbered } from './label.js'
import type { CheckedTrace } from './options.js'
import type { TracePacket } from './packet.js'
import { Tracer, type OpenFlow, type TraceEndReason } from './tracer.js'

/** How files are held while they are written. */
export interface Holding {
  /** Octets that may wait for a file; 0 = everything is written at once. */
  readonly fileBufferBytes: number
  readonly maxBufferedBytes: number
  readonly onExisting: OnExisting
}

/** A flow and its file. */
export interface WrittenFlow {
  /** Serial number in order of first packets, from 0. */
  readonly id: number
  readonly label: string
  readonly file: OutputFile | undefined
  readonly dumper: TraceDumper
  readonly first: TracePacket
  last: TracePacket
  packets: number
  capturedBytes: number
  readonly index: number[]
}

const NO_OUTPUT = { path: '', tail: '', write: () => {} }

/** Formats whose files have one link type. */
const ONE_LINK: ReadonlySet<string> = new Set(['.pcap'])

/** Keeps the open flows, and writes their frames. */
export class FlowWriter {
  readonly files: OutputFiles
  readonly tracer: Tracer<WrittenFlow>
  readonly #options: CheckedTrace
  readonly #format: Format
  /** Frame numbers that may still be kept. */
  #room: number
  /** Frame numbers that were not. */
  droppedFrames = 0

  /**
   * `ended` hears of each flow that ended, whose file is complete then. Of all flows together, the numbers of `maxFrames`
   * frames are kept.
   */
  constructor(
    options: CheckedTrace,
    format: Format,
    holding: Holding,
    ended: (flow: WrittenFlow, reason: TraceEndReason) => void,
    maxFrames = Infinity,
  ) {
    this.#options = options
    this.#format = format
    this.#room = maxFrames
    this.files = new OutputFiles({ folder: options.fout, maxOpenFiles: options.maxOpenFiles, ...holding })
    const rules = { ...options, oneLink: ONE_LINK.has(format.extension) }
    this.tracer = new Tracer(rules, packet => this.#open(packet), (flow, reason) => this.#end(flow, reason, ended))
  }

  /** The open flows, the least recently seen first. */
  *open(): Generator<WrittenFlow, undefined> {
    for (const { content } of this.tracer.open()) yield content
  }

  /** Counts a packet to its flow, and writes it where that is wanted. */
  take(packet: TracePacket, write: boolean): WrittenFlow {
    const { flow, ends } = this.tracer.take(packet)
    const { content } = flow
    content.last = packet
    content.packets += 1
    content.capturedBytes += packet.frame.packet?.length ?? packet.frame.cap_len ?? 0
    if (this.#room > 0) {
      this.#room -= 1
      content.index.push(packet.index)
    } else this.droppedFrames += 1
    if (write) content.dumper.dump(packet.frame, `Frame ${packet.index}`)
    if (ends) this.tracer.end(flow, 'fin')
    return content
  }

  #open(packet: TracePacket): WrittenFlow {
    const { dumper: Dumper, extension } = this.#format
    const { byteorder, nanosecond } = this.#options
    const plain = flowLabel(packet)
    const made = extension === '' ? undefined : this.files.create(suffix => numbered(plain, suffix) + extension)
    const dumper = new Dumper(made?.file ?? NO_OUTPUT, { protocol: packet.protocol, byteorder, nanosecond })
    return {
      id: this.tracer.opened - 1,
      label: numbered(plain, made?.suffix ?? 0),
      file: made?.file,
      dumper,
      first: packet,
      last: packet,
      packets: 0,
      capturedBytes: 0,
      index: [],
    }
  }

  #end({ content }: OpenFlow<WrittenFlow>, reason: TraceEndReason, ended: (flow: WrittenFlow, reason: TraceEndReason) => void): void {
    content.file?.close()
    ended(content, reason)
  }
}
