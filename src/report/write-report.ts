/** `writeReport`: captures in, one page that needs nothing else out. */
import { existsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { FileExistsError, OutputError } from '../errors.js'
import { flag, integer } from '../options.js'
import type { CaptureSource } from '../source.js'
import { encodeContainer } from './container.js'
import { gatherDetails } from './details.js'
import { checkFiles, gather, overviewContainer, packed, ProgressSum, type Gathered } from './gather.js'
import { mostInteresting } from './interest.js'
import { checkLimits, checkSources, readingOf, type CheckedLimits, type ReportLimits, type ReportReading } from './options.js'
import type { ConnectionTable } from './table.js'
import { dataElement, embeddedPage } from './template.js'

/** What `writeReport` takes. */
export interface ReportOptions extends ReportReading, ReportLimits {
  /**
   * Most connections whose segments and first octets are in the page: the most interesting ones, by marked segments
   * (retransmissions, zero windows, resets and the like) and then by octets.
   * @defaultValue 100
   */
  maxDetails?: number
  /**
   * Octets of the page at most. Connections' segments are left out first, then rows of the table.
   * @defaultValue 32 MiB
   */
  maxBytes?: number
  /**
   * Replaces a file that is there already.
   * @defaultValue false: that is a {@link FileExistsError}
   */
  overwrite?: boolean
}

/** What a report came to. */
export interface ReportSummary {
  /** Octets of the page. */
  readonly bytes: number
  /** Packets in the captures. */
  readonly packets: number
  /** Connections in the captures. */
  readonly connections: number
  /** Rows in the page's table. */
  readonly rows: number
  /** Connections whose segments and first octets are in the page. */
  readonly details: number
  /** What the page doesn't hold, in sentences; the page says it too. */
  readonly leftOut: readonly string[]
}

const DEFAULTS: CheckedLimits = { maxRows: 250_000, maxSegments: 10_000, headBytes: 2048 }

/** As `writeReport` says. */
export async function makeReport(
  source: CaptureSource | readonly CaptureSource[],
  path: string,
  options: ReportOptions = {},
): Promise<ReportSummary> {
  const sources = checkSources(source, options, ['maxDetails', 'maxBytes', 'overwrite'])
  const limits = checkLimits(options, DEFAULTS)
  const maxDetails = integer('maxDetails', options.maxDetails, 100, 0, 100_000)
  const maxBytes = integer('maxBytes', options.maxBytes, 2 ** 25, 2 ** 20, 2 ** 28)
  const overwrite = flag('overwrite', options.overwrite, false)
  checkFiles(sources, path)
  // Said before the captures are read, which may take long.
  if (path !== '-' && !overwrite && existsSync(path)) throw new FileExistsError(`${path}: the file exists already`)
  const progress = new ProgressSum(options.onProgress, 3)
  const gathered = await gather(sources, options, limits.maxRows, progress)
  const ids = mostInteresting(gathered.table, maxDetails)
  const details = await gatherDetails(sources, readingOf(options), ids, limits, progress.pass())
  const page = new Page(maxBytes)
  const table = await page.addTable(gathered.table)
  const kept = await page.addDetails(ids, details)
  const leftOut = describe(gathered.table, table.meta.length, kept)
  await page.addOverview(overviewContainer(gathered, sources, options.filter, leftOut))
  const bytes = await page.write(path, overwrite)
  return { bytes, ...sizes(gathered), rows: table.meta.length, details: kept, leftOut }
}

const sizes = ({ overview, table }: Gathered) => ({
  packets: overview.captures.reduce((sum, { packets }) => sum + packets, 0),
  connections: table.meta.connections,
})

/** What isn't in the page. */
function describe({ meta }: ConnectionTable, rows: number, details: number): string[] {
  const n = (count: number) => count.toLocaleString('en')
  const out: string[] = []
  if (rows < meta.connections) out.push(`The table has the ${n(rows)} connections that ended first, of ${n(meta.connections)}.`)
  if (details < meta.connections)
    out.push(`Segments, plots and streams are in this page for the ${n(details)} most interesting of ${n(meta.connections)} connections.`)
  return out
}

/** The parts of a page, up to a number of octets. */
class Page {
  readonly #head: string
  readonly #tail: string
  readonly #most: number
  readonly #parts: string[] = []
  #octets: number

  constructor(most: number) {
    ;[this.#head, this.#tail] = embeddedPage()
    this.#most = most
    // The overview is small: it has at most 100 addresses and 1200 bins.
    this.#octets = Buffer.byteLength(this.#head) + Buffer.byteLength(this.#tail) + 2 ** 17
  }

  /** Adds as many rows as there is room for. */
  async addTable(table: ConnectionTable): Promise<ConnectionTable> {
    let rows = table.meta.length
    for (;;) {
      const part = firstRows(table, rows)
      if (this.#add(dataElement('table', await packed(encodeContainer(part)))) || rows <= 1) return part
      rows = Math.floor(rows / 2)
    }
  }

  /** Adds connections in that order, as many as there is room for. */
  async addDetails(ids: readonly number[], details: ReadonlyMap<number, Uint8Array>): Promise<number> {
    let added = 0
    for (const id of ids) {
      const octets = details.get(id)
      if (octets !== undefined && this.#add(dataElement(`c${id}`, await packed(octets)))) added += 1
    }
    return added
  }

  async addOverview(octets: Uint8Array): Promise<void> {
    this.#parts.unshift(dataElement('overview', await packed(octets)))
  }

  #add(part: string): boolean {
    if (this.#octets + part.length > this.#most) return false
    this.#octets += part.length
    this.#parts.push(part)
    return true
  }

  /** Writes the page; a file that can't be written in full is taken away. */
  async write(path: string, overwrite: boolean): Promise<number> {
    const octets = Buffer.from([this.#head, ...this.#parts, this.#tail].join(''))
    if (path === '-') await toStdout(octets)
    else await toFile(path, octets, overwrite)
    return octets.length
  }
}

/** The first rows of a table. */
function firstRows({ meta, arrays }: ConnectionTable, rows: number): ConnectionTable {
  if (rows === meta.length) return { meta, arrays }
  const cut = Object.entries(arrays).map(([name, values]) => [name, values.slice(0, rows)])
  return { meta: { ...meta, length: rows }, arrays: Object.fromEntries(cut) as ConnectionTable['arrays'] }
}

async function toFile(path: string, octets: Buffer, overwrite: boolean): Promise<void> {
  const file = await open(path, overwrite ? 'w' : 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new FileExistsError(`${path}: the file exists already`, { cause: error })
    throw new OutputError(error.message, { cause: error })
  })
  try {
    await file.writeFile(octets)
    await file.close()
  } catch (error) {
    await file.close().catch(() => {})
    await rm(path, { force: true })
    throw new OutputError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function toStdout(octets: Buffer): Promise<void> {
  return new Promise((resolve, reject) => process.stdout.write(octets, error => (error ? reject(error) : resolve())))
}
