/** `tcpskein trace`: a file per TCP flow. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { traceFlows, type FlowError, type TraceStats } from '../index.js'
import { refuseInputIn } from '../same-file.js'
import { complain, writeObject } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { openProgress } from './progress.js'
import { onInterrupt } from './interrupt.js'
import { captureSources } from './live.js'
import { keepNewSpaceSmall } from './memory.js'
import { positive } from './numbers.js'
import { addReadingOptions, isEndless, readingOptions, type ReadingOptions } from './reading.js'
import { traceTotals } from './totals.js'

const FORMATS = ['pcap', 'cap', 'pcapng', 'json', 'ndjson', 'plist', 'xml', 'tree', 'txt', 'text'] as const

interface TraceOptions extends ReadingOptions {
  out: string
  format: (typeof FORMATS)[number]
  bidirectional?: true
  nanosecond?: true
  byteorder: 'little' | 'big'
  maxOpenFiles: number
  maxFlows: number
  force?: true
  quiet?: true
  json?: true
}

/** Adds the command; `exit` takes the status. */
export function traceCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('trace')
    .description('write a file for each TCP flow (one direction, until its FIN)')
    .argument('[file...]', 'captures in the order in which they were taken; - is standard input')
    .requiredOption('--out <folder>', 'where the files go; it is made')
    .addOption(new Option('--format <format>', 'what is written').choices(FORMATS).default('pcap'))
    .option('--bidirectional', 'both directions are one flow')
    .option('--nanosecond', 'times of pcap and pcapng files in nanoseconds')
    .addOption(new Option('--byteorder <order>', 'of pcap and pcapng files').choices(['little', 'big']).default('little'))
    .option('--max-open-files <n>', 'most files open at a time', whole, 256)
    .option('--max-flows <n>', 'most flows open at a time', whole, 1 << 19)
    .option('--force', 'replace files that are there already')
    .option('--json', 'on stderr JSON, one object per line')
  addReadingOptions(command, { separate: false })
    .action(async (files: string[], options: TraceOptions) => exit(await trace(files, options)))
  withExamples(
    command,
    ['tcpskein trace big.pcap --out by-direction', 'a pcap for each direction of each connection'],
    ['tcpskein trace big.pcap --out by-connection --bidirectional', 'one for both'],
    ["tcpskein trace big.pcap --out as-json --format json --filter 'tcp port 80'", 'headers and payload as JSON'],
  )
}

async function trace(files: readonly string[], options: TraceOptions): Promise<number> {
  keepNewSpaceSmall()
  const errors: FlowError[] = []
  const { out, format, byteorder, maxOpenFiles, maxFlows, quiet = false } = options
  const { separate: _, ...reading } = readingOptions(options)
  if (options.force === true) refuseInputIn(out, files)
  let stats: TraceStats | undefined
  const waits = isEndless(options)
  const progress = openProgress(files, () => stats ?? { inputBytes: 0, packets: 0 }, !quiet, waits)
  const until = new AbortController()
  const release = waits ? onInterrupt(() => until.abort()) : () => {}
  try {
    await traceFlows(captureSources(files, options), {
      ...reading,
      fout: out,
      format,
      byteorder,
      nanosecond: options.nanosecond === true,
      bidirectional: options.bidirectional === true,
      maxOpenFiles,
      maxFlows,
      force: options.force === true,
      until: until.signal,
      onFlow: () => {},
      onStats: now => (stats = now),
      onError: error => errors.push(error),
    })
  } finally {
    release()
    progress.stop()
  }
  for (const error of errors) complain(error)
  if (!quiet && stats) {
    if (options.json === true) writeObject({ stats })
    else process.stderr.write(traceTotals(stats, progress.seconds()))
  }
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

function whole(text: string): number {
  const value = positive(text)
  if (!Number.isInteger(value) || value === 0) throw new InvalidArgumentError('Expected a whole number, 1 or more.')
  return value
}
