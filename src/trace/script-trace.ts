/** Tracing by dumpers in TypeScript: the formats that the engine doesn't write, and those that were registered. */
import type { CaptureInfo } from '../capture-info.js'
import { badTimesOf } from './dump-capture.js'
import { FlowWriter, type WrittenFlow } from './flow-writer.js'
import type { Format } from './formats.js'
import type { TracePacket } from './packet.js'
import { FILE_BUFFER, type TraceRunner, type TraceTask } from './runner.js'
import { PacketRun } from './trace-packets.js'
import { TracedRow, type TracedFlow, type TraceStats } from './traced-flow.js'
import type { TraceEndReason } from './tracer.js'

/** Runs packets through a flow writer. */
export class ScriptTrace implements TraceRunner {
  readonly #packets: PacketRun
  readonly #writer: FlowWriter
  #flow: (flow: TracedFlow) => void = () => {}
  #ended = 0
  #badTimes = 0

  constructor(task: TraceTask, format: Format) {
    const { trace, reading, drive, force, maxBufferedBytes, captures, maxFrames } = task
    const held = { fileBufferBytes: FILE_BUFFER, maxBufferedBytes, onExisting: force ? 'replace' : 'refuse' } as const
    this.#packets = new PacketRun(reading, drive, captures)
    this.#writer = new FlowWriter(trace, format, held, (flow, reason) => this.#end(flow, reason), maxFrames)
  }

  async run(flow: (flow: TracedFlow) => void, batch: (stats: TraceStats) => void): Promise<void> {
    this.#flow = flow
    try {
      for await (const packets of this.#packets.batches()) {
        for (const packet of packets) this.#writer.take(packet, true)
        batch(this.stats())
      }
      this.#writer.tracer.endAll()
      batch(this.stats())
    } finally {
      this.#writer.files.discard()
    }
  }

  stats(): TraceStats {
    const { tracer, files } = this.#writer
    const { packets, stats } = this.#packets
    return {
      ...stats,
      flows: tracer.opened,
      evicted: tracer.evicted,
      openFlows: tracer.size,
      notTcp: this.#packets.others,
      tracedPackets: packets,
      badTimes: this.#badTimes,
      lostFragments: this.#packets.fragments,
      ended: this.#ended,
      droppedFrames: this.#writer.droppedFrames,
      ...files.stats,
    }
  }

  captures(): readonly CaptureInfo[] {
    return this.#packets.captures
  }

  finish(): void {
    this.#packets.finish()
  }

  #end(flow: WrittenFlow, reason: TraceEndReason): void {
    this.#ended += 1
    this.#badTimes += badTimesOf(flow.dumper)
    this.#flow(rowOf(flow, reason))
  }
}

function rowOf({ id, label, file, index, first, last, packets, capturedBytes }: WrittenFlow, end_reason: TraceEndReason): TracedFlow {
  const { src, srcport, dst, dstport, capture, vlan = null, tunnel = null, tunnel_id = null } = first
  return new TracedRow({
    ...(file === undefined ? {} : { fpout: file.path }),
    index,
    label,
    flow_id: id,
    src,
    srcport,
    dst,
    dstport,
    first_ns: nanoseconds(first),
    last_ns: nanoseconds(last),
    first_packet: first.index,
    ...(capture === undefined ? {} : { capture }),
    packets,
    captured_bytes: capturedBytes,
    end_reason,
    vlan,
    tunnel,
    tunnel_id,
  }) as TracedFlow
}

/** A frame's time has every digit: six of a fraction, or nine. */
function nanoseconds({ frame }: TracePacket): bigint {
  const [whole, fraction = ''] = (frame.time_epoch ?? '0').split('.')
  return BigInt(whole! + fraction.padEnd(9, '0'))
}
