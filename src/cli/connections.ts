/** `tcpskein connections`: one record per TCP connection. */
import { Option, type Command } from 'commander'
import { connections, type FlowError, type StreamStats } from '../index.js'
import { withExamples } from './grammar.js'
import { captureSources } from './live.js'
import { addOutputOptions, addReadingOptions, printRecords, readingOptions, type RunOptions } from './reading.js'
import { connectionTotals } from './totals.js'
import type { Format } from './output.js'

interface ConnectionOptions extends RunOptions {
  hash?: 'sha256'
}

/** Adds the command; `exit` takes the status. */
export function connectionsCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('connections')
    .description('print one record per TCP connection, with what reassembly met')
    .argument('[file...]', 'captures in the order in which they were taken; - is standard input')
    .addOption(new Option('--hash <kind>', "add a digest of each direction's octets").choices(['sha256']))
  addReadingOptions(addOutputOptions(command))
    .action(async (files: string[], options: ConnectionOptions) => exit(await run(files, options)))
  withExamples(
    command,
    ['tcpskein connections big.pcap', 'a table'],
    ['zstdcat big.pcap.zst | tcpskein connections - --format ndjson --hash sha256', 'with digests of the streams'],
    ['tcpskein connections big.pcap small.pcap --separate', 'each capture by itself'],
  )
}

async function run(files: readonly string[], options: ConnectionOptions): Promise<number> {
  const errors: FlowError[] = []
  const records = connections(captureSources(files, options), {
    maxStreamBytes: 0,
    ...zeekOptions(options.format),
    ...readingOptions(options),
    onError: error => errors.push(error),
    ...(options.hash === undefined ? {} : { hash: options.hash }),
  })
  const totals = ({ stats }: { stats: StreamStats }, seconds: number) => connectionTotals(stats, seconds)
  return printRecords(files, records, errors, totals, options)
}

/** A log of Zeek's needs the analysis, and ends connections when Zeek does. */
export function zeekOptions(format: Format): { analyse?: boolean; idleTimeout?: number; linger?: number } {
  return format.startsWith('zeek') ? { analyse: true, idleTimeout: 300, linger: 5 } : {}
}
