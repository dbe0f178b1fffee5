/** `tcpskein report`: a page that shows what is in captures. */
import type { Command } from 'commander'
import { writeReport, type FlowError, type ReportProgress, type ReportSummary } from '../index.js'
import { complain, writeObject } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { octets } from './live.js'
import { wholeNumber } from './numbers.js'
import { openProgress } from './progress.js'
import { addReadingOptions, readingOptions, type ReadingOptions } from './reading.js'
import { count } from './totals.js'

/** Options of both commands that make the page. */
export interface PageOptions extends ReadingOptions {
  rows?: number
  segments?: number
  head?: number
  quiet?: true
  json?: true
}

interface ReportCommandOptions extends PageOptions {
  output: string
  connections: number
  maxSize: number
  force?: true
}

/** Adds the command; `exit` takes the status. */
export function reportCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('report')
    .description('write a page that shows what is in captures: tables, plots, streams; it opens from disk and asks for nothing')
    .argument('<file...>', 'captures in the order in which they were taken')
    .requiredOption('-o, --output <file>', 'the page; - is standard output')
    .option('--connections <n>', 'connections with segments, plots and streams: the most interesting ones', wholeNumber, 100)
    .option('--max-size <size>', 'octets of the page at most, such as 64M', octets, 2 ** 25)
    .option('--force', 'replace a page that is there already')
  addPageOptions(command, ['250,000', '10,000'])
    .action(async (files: string[], options: ReportCommandOptions) => exit(await report(files, options)))
  withExamples(
    command,
    ['tcpskein report big.pcap -o report.html', 'a page of one file'],
    ['tcpskein report capture-1.pcap capture-2.pcap --merge -o both.html', 'of two captures at once'],
    ["tcpskein report big.pcap -o web.html --filter 'tcp port 80' --connections 500 --max-size 100M", 'more in it'],
  )
}

/** Adds the options of what a page holds, and of how captures are read. */
export function addPageOptions(command: Command, [rows, segments]: readonly [string, string]): Command {
  command
    .option('--rows <n>', `rows of the table at most (default: ${rows})`, wholeNumber)
    .option('--segments <n>', `segments of a connection at most; of more, one in so many (default: ${segments})`, wholeNumber)
    .option('--head <octets>', 'octets shown from the start of each stream (default: 2048)', octets)
  return addReadingOptions(command, { separate: false, live: false })
}

/** The same as the library takes them. */
export function pageOptions(options: PageOptions, errors: FlowError[], onProgress: (progress: ReportProgress) => void) {
  const { rows, segments, head } = options
  const { separate: _, follow: __, ...reading } = readingOptions(options)
  return {
    ...reading,
    ...(rows === undefined ? {} : { maxRows: rows }),
    ...(segments === undefined ? {} : { maxSegments: segments }),
    ...(head === undefined ? {} : { headBytes: head }),
    onError: (error: FlowError) => void errors.push(error),
    onProgress,
  }
}

/** How far the passes are, as if there were one. */
export const onePass = ({ inputBytes, packets, passes }: ReportProgress) => ({ inputBytes: inputBytes / passes, packets: packets / passes })

async function report(files: readonly string[], options: ReportCommandOptions): Promise<number> {
  const errors: FlowError[] = []
  let now: ReportProgress = { inputBytes: 0, packets: 0, passes: 1 }
  const progress = openProgress(files, () => onePass(now), options.quiet !== true)
  let summary: ReportSummary
  try {
    summary = await writeReport([...files], options.output, {
      ...pageOptions(options, errors, at => (now = at)),
      maxDetails: options.connections,
      maxBytes: options.maxSize,
      overwrite: options.force === true,
    })
  } catch (error) {
    return noPage(error, errors)
  } finally {
    progress.stop()
  }
  for (const error of errors) complain(error)
  if (options.quiet !== true) tell(options, summary, progress.seconds())
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

/** What became of a page of which there is nothing: no capture could be opened, or it goes wrong otherwise. */
export function noPage(error: unknown, errors: readonly FlowError[]): number {
  for (const each of errors) complain(each)
  if (errors.includes(error as FlowError)) return EXIT.capture
  throw error
}

function tell({ json, output }: ReportCommandOptions, summary: ReportSummary, seconds: number): void {
  if (json === true) return writeObject({ stats: summary })
  const { packets, connections, bytes, leftOut } = summary
  const where = output === '-' ? '' : ` in ${output}`
  const lines = [`${count(packets, 'packet')}, ${count(connections, 'connection')} in ${seconds.toFixed(2)} s; ${count(bytes, 'octet')}${where}`]
  process.stderr.write(`${[...lines, ...leftOut.map(text => `  ${text}`)].join('\n')}\n`)
}
