/** `tcpskein extract`: each TCP stream to a file of its own, or to a database. */
import { join } from 'node:path'
import { Option, InvalidArgumentError, type Command } from 'commander'
import {
  CouchDbWriter,
  FlowSummaryWriter,
  OptionError,
  PcapWriter,
  TCPStreamExtractor,
  type ExtractStats,
  type FlowError,
  type OnWriterError,
  type StreamWriter,
} from '../index.js'
import { refuseInputIn } from '../same-file.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { onInterrupt } from './interrupt.js'
import { captureSources } from './live.js'
import { keepNewSpaceSmall } from './memory.js'
import { positive } from './numbers.js'
import { openProgress } from './progress.js'
import { addReadingOptions, isEndless, readingOptions, tell, type ReadingOptions } from './reading.js'
import { count, streamTotals } from './totals.js'

interface ExtractOptions extends ReadingOptions {
  out?: string
  writer: WriterName[]
  couchdb?: string
  database?: string
  stale: number
  flushPackets: number
  onWriterError: OnWriterError
  force?: true
  quiet?: true
  json?: true
}

const WRITERS = ['pcap', 'summary', 'couchdb'] as const
type WriterName = (typeof WRITERS)[number]

/** Failures that are told one by one. */
const MAX_TOLD = 10

/** Adds the command; `exit` takes the status. */
export function extractCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('extract')
    .description('write each TCP stream: as a capture, as a table of its packets, to a database')
    .argument('[file...]', 'captures in the order in which they were taken; - is standard input')
    .option('--out <folder>', 'where files go: captures to pcaps/, tables to flows/')
    .option('--writer <names>', `what to write, of ${WRITERS.join(', ')}`, writerNames, ['pcap', 'summary'])
    .addOption(new Option('--couchdb <url>', 'the database, http://USER:PASSWORD@HOST:PORT/NAME').env('COUCHDB_URL'))
    .option('--database <folder>', 'instead, an embedded database (needs the package pouchdb)')
    .option('--stale <seconds>', 'packet time without a packet after which a stream ends', positive, 180)
    .option('--flush-packets <n>', 'packets of a stream after which they are written', positive, 10_000)
    .addOption(
      new Option('--on-writer-error <what>', 'when a stream cannot be written')
        .choices(['stop', 'continue'])
        .default('stop'),
    )
    .option('--force', 'replace files of the same name')
  addReadingOptions(command, { separate: false })
    .action(async (files: string[], options: ExtractOptions) => exit(await run(files, options)))
  withExamples(
    command,
    ['tcpskein extract big.pcap --out ./all', 'captures and tables of packets'],
    ['tcpskein extract big.pcap --out ./web --writer pcap --filter "port 443" --stale 60', 'captures only'],
  )
}

function writerNames(text: string): WriterName[] {
  const names = text.split(',').filter(name => name !== '')
  const unknown = names.find(name => !(WRITERS as readonly string[]).includes(name))
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no writer '${unknown}'; there are ${WRITERS.join(', ')}.`)
  if (names.length === 0) throw new InvalidArgumentError(`Expected some of ${WRITERS.join(', ')}.`)
  return [...new Set(names as WriterName[])]
}

async function run(files: readonly string[], options: ExtractOptions): Promise<number> {
  keepNewSpaceSmall()
  const errors: FlowError[] = []
  const writers = openWriters(options)
  for (const folder of foldersOf(options)) refuseInputIn(folder, files)
  const { separate: _, ...reading } = readingOptions(options)
  const extractor = new TCPStreamExtractor(captureSources(files, options), {
    ...reading,
    writers: writers.map(({ writer }) => writer),
    staleTimeout: options.stale,
    flushPackets: options.flushPackets,
    onWriterError: options.onWriterError,
    onError: error => errors.push(error),
  })
  const waits = isEndless(options)
  const progress = openProgress(files, () => extractor.stats, options.quiet !== true, waits)
  const release = waits ? onInterrupt(() => extractor.finish()) : () => {}
  try {
    await extractor.run()
  } finally {
    release()
    progress.stop()
    complainOf(errors)
    if (options.quiet !== true) tell(options, extractor.stats, totals(extractor.stats, writers, progress.seconds()))
  }
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

/** A writer, and what it has written in words. */
interface NamedWriter {
  readonly writer: StreamWriter
  readonly told: () => string
}

function openWriters(options: ExtractOptions): NamedWriter[] {
  return options.writer.map(name => (name === 'couchdb' ? openDatabase(options) : openFiles(name, options)))
}

/** Folders whose files may be replaced. */
function foldersOf({ out, force }: ExtractOptions): string[] {
  return out === undefined || force !== true ? [] : [join(out, 'pcaps'), join(out, 'flows')]
}

function openFiles(name: 'pcap' | 'summary', { out, force }: ExtractOptions): NamedWriter {
  if (out === undefined) throw new OptionError(`--writer ${name} needs --out FOLDER`)
  const overwrite = force === true
  const writer = name === 'pcap' ? new PcapWriter(out, { overwrite }) : new FlowSummaryWriter(out, { overwrite })
  return { writer, told: () => `${count(writer.stats.files, 'file')}, ${count(writer.stats.bytes, 'octet')}` }
}

function openDatabase({ couchdb, database }: ExtractOptions): NamedWriter {
  if (couchdb === undefined && database === undefined) throw new OptionError('--writer couchdb needs --couchdb URL or --database FOLDER')
  const writer = new CouchDbWriter(database === undefined ? { url: couchdb! } : { path: database })
  const told = () => {
    const { added, existing, updated, failed, retries } = writer.stats
    const words = [[existing, 'there before'], [updated, 'updated'], [failed, 'failed'], [retries, 'requests repeated']] as const
    return [`${count(added, 'document')} added`, ...words.filter(([n]) => n > 0).map(([n, text]) => `${n} ${text}`)].join(', ')
  }
  return { writer, told }
}

/** One line for each error; of very many, the first ones and how many there are. */
function complainOf(errors: readonly FlowError[]): void {
  for (const error of errors.slice(0, MAX_TOLD)) complain(error)
  if (errors.length > MAX_TOLD) complain(`and ${errors.length - MAX_TOLD} errors more`)
}

function totals(stats: ExtractStats, writers: readonly NamedWriter[], seconds: number): string {
  const lines = writers.map(({ writer, told }) => `  ${writer.name}: ${told()}\n`)
  return streamTotals(stats, seconds) + lines.join('')
}
