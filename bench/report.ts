/**
 * What reports, the analysis and Parquet cost beside what they are measured by, over a capture of your own:
 *
 *   node --import=@oxc-node/core/register bench/report.ts FILE [ROUNDS]
 *
 * Each job runs once in each round, one after another; minima are compared. The page is sorted in a headless Chromium,
 * where there is one.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
// The built package, as a user has it.
import { connections, exportRecords, flowTable, openExport, writeReport } from '../dist/index.js'

const [file, rounds = '3'] = process.argv.slice(2)
if (file === undefined) throw new Error('which capture?')
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-bench-'))
const page = join(folder, 'report.html')

const NAMES = ['connections', 'connections with analysis', 'analyze to NDJSON', 'report'] as const

const JOBS: Readonly<Record<(typeof NAMES)[number], () => Promise<unknown>>> = {
  connections: () => drain(connections(file, { maxStreamBytes: 0 })),
  'connections with analysis': () => drain(connections(file, { maxStreamBytes: 0, analyse: true })),
  'analyze to NDJSON': () => exportRecords(connections(file, { maxStreamBytes: 0, analyse: true }), join(folder, 'analysis.ndjson'), { format: 'ndjson' }),
  report: () => writeReport(file, page, { overwrite: true }),
}

async function drain(records: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of records);
}

async function seconds(job: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await job()
  return (performance.now() - start) / 1000
}

try {
  const least = new Map<string, number>()
  for (let round = 0; round < Number(rounds); round++)
    for (const name of NAMES) least.set(name, Math.min(least.get(name) ?? Infinity, await seconds(JOBS[name])))
  const of = (name: (typeof NAMES)[number]) => least.get(name)!
  for (const name of NAMES) console.log(`${name.padEnd(27)} ${of(name).toFixed(2)} s`)
  console.log(`analysis on top of connections: ${((of('connections with analysis') / of('connections') - 1) * 100).toFixed(1)} %`)
  console.log(`report by analyze to NDJSON: ${(of('report') / of('analyze to NDJSON')).toFixed(2)}, by the analysis alone: ${(of('report') / of('connections with analysis')).toFixed(2)}`)
  console.log(`page: ${statSync(page).size} octets`)
  await sortPage()
  await exportFlows()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Milliseconds from a click on a column's head to the table drawn anew. */
async function sortPage(): Promise<void> {
  const browser = await chromium.launch({
    executablePath: process.env.TCPSKEIN_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  const tab = await browser.newPage()
  await tab.goto(pathToFileURL(page).href)
  await tab.waitForSelector('html[data-ready="true"]', { timeout: 60_000 })
  const times = (await tab.evaluate(`[...document.querySelectorAll('.grid.connections [role="columnheader"] button')].map(head => {
    const start = performance.now()
    head.click()
    return [head.textContent, performance.now() - start]
  })`)) as [string, number][]
  console.log(`sorted in the browser, first click: ${times.map(([name, ms]) => `${name} ${ms.toFixed(0)}`).join(', ')} ms`)
  await browser.close()
}

/** A million flow records as NDJSON and as Parquet: those of the capture, again and again. */
async function exportFlows(): Promise<void> {
  const table = await flowTable(file!)
  const records = Array.from({ length: Math.min(table.length, 20_000) }, (_, row) => table.record(row))
  const { columns } = (await import('../dist/index.js')).observe(file!)
  const write = async (format: 'ndjson' | 'parquet') => {
    const writer = await openExport(columns, join(folder, `flows.${format}`), { format })
    for (let i = 0; i < 1_000_000; i++) {
      const wait = writer.write(records[i % records.length]!)
      if (wait) await wait
    }
    await writer.end()
  }
  const ndjson = Math.min(await seconds(() => write('ndjson')), await seconds(() => write('ndjson')))
  const parquet = Math.min(await seconds(() => write('parquet')), await seconds(() => write('parquet')))
  console.log(`1,000,000 flow records: NDJSON ${ndjson.toFixed(2)} s, Parquet ${parquet.toFixed(2)} s, ${(parquet / ndjson).toFixed(2)} times`)
}
