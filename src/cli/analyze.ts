/** `tcpskein analyze`: one record per TCP connection with its analysis, or the segments of one connection. */
import { InvalidArgumentError, type Command } from 'commander'
import { connections, series, type ColumnInfo, type FlowError, type StreamStats } from '../index.js'
import { complain } from './complain.js'
import { zeekOptions } from './connections.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { onInterrupt } from './interrupt.js'
import { captureSources } from './live.js'
import { openOutput, writeRecords } from './output.js'
import { addOutputOptions, addReadingOptions, isEndless, printRecords, readingOptions, type RunOptions } from './reading.js'
import { connectionTotals } from './totals.js'

interface AnalyzeOptions extends RunOptions {
  series?: number
}

/** What a table has room for. */
const SHOWN = [
  'connection_id',
  'client_addr',
  'client_port',
  'server_addr',
  'server_port',
  'conn_state',
  'history',
  'packets_fwd',
  'packets_rev',
  'irtt_ns',
  'rtt_median_ns_fwd',
  'rtt_median_ns_rev',
  'kind_retransmission_fwd',
  'kind_retransmission_rev',
  'kind_out_of_order_fwd',
  'kind_out_of_order_rev',
  'kind_lost_segment_fwd',
  'kind_lost_segment_rev',
]

/** Adds the command; `exit` takes the status. */
export function analyzeCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('analyze')
    .description("print each TCP connection's analysis: kinds of segments, round trips, windows, rates, ECN, Zeek's state")
    .argument('[file...]', 'captures in the order in which they were taken; - is standard input')
    .option('--series <id>', 'the segments of the connection with that connection_id instead', serial)
  addReadingOptions(addOutputOptions(command))
    .action(async (files: string[], options: AnalyzeOptions) => exit(await run(files, options)))
  withExamples(
    command,
    ['tcpskein analyze big.pcap', 'a table'],
    ['tcpskein analyze big.pcap --format csv > analysis.csv', 'all columns'],
    ['tcpskein analyze big.pcap --series 2', 'the segments of one connection'],
  )
}

function serial(text: string): number {
  const id = Number(text)
  if (text === '' || !Number.isSafeInteger(id) || id < 0) throw new InvalidArgumentError('Expected a connection_id.')
  return id
}

async function run(files: readonly string[], options: AnalyzeOptions): Promise<number> {
  const errors: FlowError[] = []
  const onError = (error: FlowError) => void errors.push(error)
  if (options.series !== undefined) return printSeries(files, options.series, options, errors)
  const records = connections(captureSources(files, options), {
    maxStreamBytes: 0,
    ...zeekOptions(options.format),
    ...readingOptions(options),
    analyse: true,
    onError,
  })
  const totals = ({ stats }: { stats: StreamStats }, seconds: number) => connectionTotals(stats, seconds)
  return printRecords(files, records, errors, totals, options, SHOWN)
}

const POINTS: readonly ColumnInfo[] = [
  { name: 'packet', type: 'u64', nullable: false },
  { name: 'ts_ns', type: 'time', nullable: false },
  { name: 'direction', type: 'text', nullable: false },
  { name: 'flags', type: 'u16', nullable: false },
  { name: 'offset', type: 'f64', nullable: false },
  { name: 'length', type: 'u32', nullable: false },
  { name: 'ack', type: 'f64', nullable: true },
  { name: 'window', type: 'u32', nullable: true },
  { name: 'sack', type: 'json', nullable: false },
  { name: 'kind', type: 'json', nullable: false },
]

async function printSeries(
  files: readonly string[],
  id: number,
  options: AnalyzeOptions,
  errors: FlowError[],
): Promise<number> {
  // The captures that come after the connection's end aren't read, so there is no choice of reading each by itself.
  const { separate: _, ...reading } = readingOptions(options)
  const points = series(captureSources(files, options), id, { ...reading, onError: error => errors.push(error) })
  const { format, output: path } = options
  const force = options.force === true
  const waits = isEndless(options)
  const output = await openOutput({ format, columns: POINTS, live: waits, force, inputs: files, ...(path === undefined ? {} : { output: path }) })
  const release = waits ? onInterrupt(() => points.finish()) : () => {}
  try {
    await writeRecords(output, points, errors)
  } finally {
    release()
    // Also where there is no such connection, because what could not be read may be why.
    for (const error of errors) complain(error)
  }
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}
