/** What a page is made of: both passes over all packets at once, then the containers. */
import { statSync } from 'node:fs'
import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import type { CaptureInfo } from '../capture-info.js'
import { OptionError, type FlowError } from '../errors.js'
import { refuseInput } from '../same-file.js'
import { sourceName, type CaptureSource } from '../source.js'
import { encodeContainer, narrowed } from './container.js'
import { readingOf, type ReportReading } from './options.js'
import { gatherOverview, type OnBatch, type Overview } from './overview.js'
import type { CaptureFacts, OverviewMeta } from './shapes.js'
import { gatherTable, type ConnectionTable } from './table.js'
import { packageVersion } from './template.js'

/** What was found. */
export interface Gathered {
  readonly overview: Overview
  readonly table: ConnectionTable
  /** Captures that couldn't be read in full. */
  readonly errors: readonly FlowError[]
}

const deflate = promisify(deflateRaw)

/** Octets as the page takes them: quickly compressed, because tables of connections are mostly zeros. */
export async function packed(octets: Uint8Array): Promise<Buffer> {
  return deflate(octets, { level: 3 })
}

/** A pipe ends when it was read once, and a page over a capture loses it. */
export function checkFiles(sources: readonly CaptureSource[], output?: string): void {
  refuseInput(output, sources.flatMap(source => (source instanceof Uint8Array ? [] : sourceName(source))))
  for (const source of sources) {
    if (source instanceof Uint8Array) continue
    const name = sourceName(source)
    const found = statSync(name, { throwIfNoEntry: false })
    if (found !== undefined && !found.isFile() && !found.isDirectory())
      throw new OptionError(`source: a report reads its captures more than once, and ${name} is no file`)
  }
}

/** Reads the captures twice, side by side: for all packets, and for all connections. */
export async function gather(
  sources: readonly CaptureSource[],
  options: ReportReading,
  maxRows: number,
  progress: ProgressSum,
): Promise<Gathered> {
  const errors: FlowError[] = []
  const onError = (error: FlowError) => {
    errors.push(error)
    options.onError?.(error)
  }
  const reading = readingOf(options)
  const [overview, table] = await Promise.all([
    gatherOverview(sources, reading, progress.pass()),
    gatherTable(sources, { ...reading, onError }, maxRows, progress.pass()),
  ])
  const [first] = errors
  if (first !== undefined && (options.onError === undefined || !overview.captures.some(isOpened))) throw first
  return { overview, table, errors }
}

/** It is a capture; a format is what that is known by. */
const isOpened = ({ format }: CaptureInfo) => format !== ''

/** Adds up how far several passes are. */
export class ProgressSum {
  readonly #tell: ReportReading['onProgress']
  readonly #passes: number
  readonly #parts: { inputBytes: number; packets: number }[] = []

  constructor(tell: ReportReading['onProgress'], passes: number) {
    this.#tell = tell
    this.#passes = passes
  }

  /** What a pass tells of its batches. */
  pass(): OnBatch {
    const place = this.#parts.push({ inputBytes: 0, packets: 0 }) - 1
    return ({ inputBytes, packets }) => {
      this.#parts[place] = { inputBytes, packets }
      const sum = (of: 'inputBytes' | 'packets') => this.#parts.reduce((all, part) => all + part[of], 0)
      this.#tell?.({ inputBytes: sum('inputBytes'), packets: sum('packets'), passes: this.#passes })
    }
  }
}

/** The overview's container. */
export function overviewContainer(
  { overview, errors }: Gathered,
  sources: readonly CaptureSource[],
  filter: string | undefined,
  leftOut: string[],
): Uint8Array {
  const { captures, protocols, talkers, talkersApproximate, addresses, startMs, binMs } = overview
  const meta: OverviewMeta = {
    version: packageVersion(),
    captures: captures.map((capture, i) => captureFacts(capture, sources[i])),
    protocols,
    talkers,
    talkersApproximate,
    addresses,
    startMs,
    binMs,
    filter: filter ?? null,
    leftOut,
    errors: errors.map(error => error.message),
  }
  const [tcp, udp, other, packets] = overview.columns.map(narrowed)
  return encodeContainer({ meta, arrays: { tcp: tcp!, udp: udp!, other: other!, packets: packets! } })
}

function captureFacts(capture: CaptureInfo, source: CaptureSource | undefined): CaptureFacts {
  const { name, format, compression, packets, wireBytes, capturedBytes, firstNs, lastNs, inOrder, interfaces } = capture
  const path = source === undefined || source instanceof Uint8Array ? undefined : sourceName(source)
  const links = new Set(interfaces.map(one => one.linkTypeName ?? `link type ${one.linkType}`))
  return {
    name,
    format,
    compression,
    fileBytes: path === undefined ? null : (statSync(path, { throwIfNoEntry: false })?.size ?? null),
    packets,
    wireBytes,
    capturedBytes,
    firstNs: firstNs === null ? null : String(firstNs),
    lastNs: lastNs === null ? null : String(lastNs),
    inOrder,
    links: [...links],
    notes: [...capture.notes, ...capture.comments.slice(0, 16).map(text => `comment: ${text}`)],
  }
}
