/** What is told of a capture when it was read, as JSON for whoever drives the engine. Mirrors `core::capture::report`. */
import type { Compression } from './compression.js'
import type { CaptureFacts, InterfaceFacts } from './info.js'
import type { PacketTotals } from './totals.js'

/** Reports that wait in a log at most; further ones are left out until these are taken. */
export const MAX_REPORTS = 1024

/** A capture that was read, as far as it could be. */
export interface CaptureReport {
  /** Number of the capture in its run, from 0. */
  readonly capture: number
  /** Its name as the user gave it. */
  readonly name: string
  readonly compression: Compression | null
  /** Octets of input read (of compressed input: compressed octets). */
  readonly inputBytes: number
  readonly totals: PacketTotals
  readonly info: CaptureFacts
}

/** Reports that nobody took yet. */
export class CaptureLog {
  #reports: CaptureReport[] = []

  /** Adds a report, unless there are {@link MAX_REPORTS}. */
  add(report: CaptureReport): void {
    if (this.#reports.length < MAX_REPORTS) this.#reports.push(report)
  }

  /** Takes all reports as a JSON array, by number of capture. */
  takeJson(): string {
    const reports = this.#reports.toSorted((a, b) => a.capture - b.capture)
    this.#reports = []
    return JSON.stringify(reports.map(told))
  }
}

function told({ capture, name, compression, inputBytes, totals, info }: CaptureReport): object {
  const span = totals.span()
  return {
    capture,
    name,
    format: info.format,
    byteOrder: info.bigEndian ? 'big' : 'little',
    compression,
    inputBytes,
    packets: totals.packets,
    capturedBytes: totals.capturedBytes,
    wireBytes: totals.wireBytes,
    // As text: more than 2^53.
    firstNs: span?.[0].toString() ?? null,
    lastNs: span?.[1].toString() ?? null,
    inOrder: totals.inOrder,
    sections: info.sections,
    interfaces: info.interfaces.map(toldInterface),
    interfaceCount: info.interfaceCount,
    hardware: info.hardware,
    os: info.os,
    application: info.application,
    comments: info.comments,
    commentCount: info.commentCount,
    untimedPackets: info.untimedPackets,
    shortWireLengths: info.shortWireLens,
    badOptions: info.badOptions,
    notes: info.notes,
  }
}

function toldInterface(one: InterfaceFacts): object {
  return {
    id: one.id,
    linkType: one.link,
    name: one.name,
    description: one.description,
    filter: one.filter,
    snaplen: one.snaplen,
    resolution: `${one.resolution >= 0x80 ? 2 : 10}^-${one.resolution & 0x7f}`,
    offsetSeconds: one.offsetSeconds.toString(),
    fcsLength: one.fcsLen,
    speed: number(one.speed),
    received: number(one.received),
    dropped: number(one.dropped),
    filterAccepted: number(one.filterAccepted),
    osDropped: number(one.osDropped),
    delivered: number(one.delivered),
    lostPackets: number(one.lostPackets),
  }
}

function number(count: bigint | null): number | null {
  return count === null ? null : Number(count)
}
