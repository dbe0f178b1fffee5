/** Tracing by the engine: it writes the files, and tells of flows that ended. */
import { formatAddress } from '../address.js'
import { BatchView, parseLayout, type Layout } from '../batch/view.js'
import type { CaptureInfo } from '../capture-info.js'
import type { Engine, TraceEngineOptions } from '../engine.js'
import { bindOuter } from '../flow.js'
import { Drive, type Slot } from '../iterate.js'
import { checkDecode, checkFilter } from '../options.js'
import { secondsOf } from '../record.js'
import { join } from 'node:path'
import { flowLabel, numbered } from './label.js'
import { FILE_BUFFER, type TraceRunner, type TraceTask } from './runner.js'
import { TracedRow, type TracedFlow, type TraceStats } from './traced-flow.js'
import type { TraceEndReason } from './tracer.js'

/** The tables that share a batch. */
interface TraceLayouts {
  readonly byteLength: number
  readonly flows: Layout
  readonly frames: Layout | null
}

/** A batch and what reads its rows. */
interface TraceSlot extends Slot {
  readonly read: (row: number) => TracedFlow
  readonly frames: Frames | null
}

/** Which flow got which frame. */
interface Frames {
  readonly flow: ArrayLike<number>
  readonly number: ArrayLike<number>
}

/** Makes an engine that traces. */
export type TraceEngines = (options: TraceEngineOptions) => Engine

/** Runs the engine's tracing. */
export class NativeTrace implements TraceRunner {
  readonly #task: TraceTask
  readonly #extension: string
  readonly #drive: Drive<TraceSlot>
  readonly #slots: readonly [TraceSlot, TraceSlot]
  #slot: TraceSlot
  /** Frames of open flows. */
  readonly #frames = new Map<number, number[]>()
  #room: number
  #dropped = 0

  constructor(engines: TraceEngines, task: TraceTask, extension: string) {
    this.#task = task
    this.#extension = extension
    this.#room = task.maxFrames
    const { trace, reading, force, maxBufferedBytes } = task
    const { fout, nanosecond, bidirectional, linger, maxFlows, maxOpenFiles } = trace
    const engine = engines({
      folder: fout,
      extension,
      pcapng: extension === '.pcapng',
      bigEndian: trace.byteorder === 'big',
      nanosecond,
      bidirectional,
      linger,
      maxFlows,
      maxOpenFiles,
      fileBufferBytes: FILE_BUFFER,
      maxBufferedBytes,
      overwrite: force,
      frames: task.maxFrames > 0,
      decode: checkDecode(reading),
      ...checkFilter(reading.filter),
    })
    const layouts = parseLayout(engine.layout()) as unknown as TraceLayouts
    this.#slots = [this.#makeSlot(layouts), this.#makeSlot(layouts)]
    this.#slot = this.#slots[0]
    this.#drive = new Drive(engine, task.drive)
  }

  async run(flow: (flow: TracedFlow) => void, batch: (stats: TraceStats) => void): Promise<void> {
    for await (const { slot, rows } of this.#drive.batches(this.#slots)) {
      this.#slot = slot
      if (slot.frames !== null) this.#takeFrames(slot.frames, slot.view.stats().frameRows!)
      for (let row = 0; row < rows; row++) flow(slot.read(row))
      batch(this.stats())
    }
  }

  stats(): TraceStats {
    const { frameRows: _, ...stats } = this.#slot.view.stats()
    return { ...stats, droppedFrames: this.#dropped } as unknown as TraceStats
  }

  captures(): readonly CaptureInfo[] {
    return this.#drive.captures
  }

  finish(): void {
    this.#drive.finish()
  }

  #takeFrames({ flow, number }: Frames, rows: number): void {
    const kept = Math.min(rows, this.#room)
    for (let row = 0; row < kept; row++) {
      const known = this.#frames.get(flow[row]!)
      if (known) known.push(number[row]!)
      else this.#frames.set(flow[row]!, [number[row]!])
    }
    this.#room -= kept
    this.#dropped += rows - kept
  }

  #makeSlot(layouts: TraceLayouts): TraceSlot {
    const bytes = new Uint8Array(layouts.byteLength)
    const view = new BatchView(layouts.flows, bytes)
    const frames = layouts.frames === null ? null : new BatchView(layouts.frames, bytes)
    return {
      view,
      read: this.#bind(view),
      frames: frames && { flow: frames.numbers('flow_id'), number: frames.numbers('number') },
    }
  }

  /** A reader of a batch's flows. */
  #bind(view: BatchView): (row: number) => TracedFlow {
    const numbers = (name: string) => view.numbers(name)
    const [flowId, version, srcport, dstport] = [numbers('flow_id'), numbers('ip_version'), numbers('srcport'), numbers('dstport')]
    const [firstPacket, capture, packets, octets] = [numbers('first_packet'), numbers('capture'), numbers('packets'), numbers('captured_bytes')]
    const [suffix, reason] = [numbers('suffix'), numbers('end_reason')]
    const [src, dst] = [view.addresses('src'), view.addresses('dst')]
    const [first, last] = [view.bigints('first_ns'), view.bigints('last_ns')]
    const reasons = view.words('end_reason') as readonly TraceEndReason[]
    const outer = bindOuter(view)
    const { captures, trace } = this.#task
    return row => {
      const ends = {
        src: formatAddress(src, row * 16, version[row]!),
        srcport: srcport[row]!,
        dst: formatAddress(dst, row * 16, version[row]!),
        dstport: dstport[row]!,
      }
      const label = numbered(flowLabel({ ...ends, timestamp: secondsOf(first[row]!) }), suffix[row]!)
      const index = this.#frames.get(flowId[row]!) ?? []
      this.#frames.delete(flowId[row]!)
      return new TracedRow({
        fpout: join(trace.fout, label + this.#extension),
        index,
        label,
        flow_id: flowId[row]!,
        ...ends,
        first_ns: first[row]!,
        last_ns: last[row]!,
        first_packet: firstPacket[row]!,
        ...(captures === null ? {} : { capture: captures[capture[row]!]! }),
        packets: packets[row]!,
        captured_bytes: octets[row]!,
        end_reason: reasons[reason[row]!]!,
        ...outer(row),
      }) as TracedFlow
    }
  }
}
