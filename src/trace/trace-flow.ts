/** `TraceFlow`: PyPCAPKit's class, packet by packet. */
import { OptionError } from '../errors.js'
import { knownNames } from '../options.js'
import { callable } from './callable.js'
import type { TraceDumper, TraceDumperClass } from './dumper.js'
import { FlowWriter, type WrittenFlow } from './flow-writer.js'
import { openFormat, registerFormat } from './formats.js'
import { checkTrace, TRACE_OPTION_NAMES, type TraceFlowOptions } from './options.js'
import { checkTracePacket, type TracePacket } from './packet.js'

/** A traced flow, as `submit()` gives it. */
export interface TraceIndex {
  /** Its file; not there where no files are written. */
  readonly fpout?: string
  /** The numbers of its frames. */
  readonly index: readonly number[]
  /** Its label. */
  readonly label: string
}

/** Called for each flow that ended with a FIN, or because a SYN began a new one. */
export type TraceCallback = (flow: TraceIndex) => void

const CALLBACKS: TraceCallback[] = []

/**
 * Traces TCP flows packet by packet, and writes a file for each. `traceFlows` does a whole capture at once.
 *
 * An object can be called with a packet, which is what `dump` does: every packet that it is given is in its file when it
 * returns. `typeof` such an object is `'function'`.
 *
 * @example
 * const flows = new TraceFlow({ fout: './flows', format: 'json' })
 * for await (const packet of tracePackets('capture.pcap')) flows(packet)
 * for (const { label, index } of flows.submit()) console.log(label, index.length)
 */
export class TraceFlow extends callable<TracePacket>() {
  readonly #writer: FlowWriter
  readonly #callbacks: TraceCallback[] = []
  readonly #ended: TraceIndex[] = []

  /**
   * @throws {@link OptionError}; {@link FileExistsError} where `fout` is no folder; {@link OutputError} where it can't be
   * made
   */
  constructor(options: TraceFlowOptions = {}) {
    super()
    knownNames(options, TRACE_OPTION_NAMES)
    const checked = checkTrace(options, null)
    const format = openFormat(checked.fout, checked.format)
    const held = { fileBufferBytes: 0, maxBufferedBytes: 0, onExisting: 'suffix' } as const
    this.#writer = new FlowWriter(checked, format, held, flow => this.#end(flow))
  }

  /**
   * Finds a format and makes the folder for its files.
   *
   * A format that isn't known gives a `FormatWarning`, and none (`null`) with a file at `fout` a `FileWarning`.
   *
   * @returns the format's dumper, and what file names end with: `.pcap`, …; '' where no files are written
   * @throws {@link FileExistsError} where `fout` is no folder, {@link OutputError} where it can't be made
   */
  static makeFout(fout = './tmp', format: string | null = 'pcap'): [dumper: TraceDumperClass, extension: string] {
    const { dumper, extension } = openFormat(fout, format)
    return [dumper, extension]
  }

  /**
   * Adds a format for all tracers made from then on.
   *
   * @param ext what file names end with, such as `.txt`
   */
  static registerDumper(format: string, dumper: TraceDumperClass, ext: string): void {
    registerFormat(format, dumper, ext)
  }

  /** Calls back for each flow of any tracer that ended; returns what takes the callback away again. */
  static registerCallback(callback: TraceCallback, { index = CALLBACKS.length }: { index?: number } = {}): () => void {
    return addCallback(CALLBACKS, callback, index)
  }

  /** Calls back for each flow of this tracer that ended; returns what takes the callback away again. */
  registerCallback(callback: TraceCallback, { index = this.#callbacks.length }: { index?: number } = {}): () => void {
    return addCallback(this.#callbacks, callback, index)
  }

  /** Flows so far: as {@link TraceFlow.submit}. */
  get index(): readonly TraceIndex[] {
    return this.submit()
  }

  /** Files open now; never more than `maxOpenFiles`. */
  get openFiles(): number {
    return this.#writer.files.stats.openFiles
  }

  /**
   * Writes a frame to its flow's file, as a call of the object does. It is bound: `packets.forEach(flows.dump)`.
   *
   * @throws {@link OptionError} for a packet that is none; {@link OutputError} where the file can't be written
   */
  readonly dump = (packet: TracePacket): void => {
    checkTracePacket(packet)
    this.#writer.take(packet, true)
  }

  /**
   * Counts a packet to its flow without writing it.
   *
   * @param options `check` (true): the packet is checked first; `output` (false): the dumper is wanted
   * @returns the flow's label, or its dumper
   * @throws {@link OptionError} for a packet that is none
   */
  trace(packet: TracePacket, options: { check?: boolean; output: true }): TraceDumper
  trace(packet: TracePacket, options?: { check?: boolean; output?: false }): string
  trace(packet: TracePacket, options?: { check?: boolean; output?: boolean }): string | TraceDumper
  trace(packet: TracePacket, { check = true, output = false }: { check?: boolean; output?: boolean } = {}): string | TraceDumper {
    if (check) checkTracePacket(packet)
    const { label, dumper } = this.#writer.take(packet, false)
    return output ? dumper : label
  }

  /** Flows so far: those that are open, then those that ended. Files are closed; tracing may go on. */
  submit(): readonly TraceIndex[] {
    this.#writer.files.closeAll()
    return [...Array.from(this.#writer.open(), indexOf), ...this.#ended]
  }

  #end(ended: WrittenFlow): void {
    const flow = indexOf(ended)
    this.#ended.push(flow)
    for (const callback of [...CALLBACKS, ...this.#callbacks]) callback(flow)
  }
}

function indexOf({ label, file, index }: WrittenFlow): TraceIndex {
  return file === undefined ? { index: [...index], label } : { fpout: file.path, index: [...index], label }
}

function addCallback(list: TraceCallback[], callback: TraceCallback, index: number): () => void {
  if (typeof callback !== 'function') throw new OptionError('callback: expected a function')
  list.splice(index, 0, callback)
  return () => {
    const at = list.indexOf(callback)
    if (at >= 0) list.splice(at, 1)
  }
}
