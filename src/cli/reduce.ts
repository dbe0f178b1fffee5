/** `tcpskein reduce`: records of packets that `map` printed, the other half of a job for a cluster. */
import { createReadStream, readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import {
  connections,
  observe,
  OptionError,
  PartitionFeed,
  type AnyChain,
  type FlowError,
  type ObserveStats,
  type StreamStats,
} from '../index.js'
import { CHAINS } from './chains.js'
import { zeekOptions } from './connections.js'
import { chainOption } from './flows.js'
import { withExamples } from './grammar.js'
import { positive } from './numbers.js'
import {
  addDecodingOptions,
  addOutputOptions,
  decodingOptions,
  printRecords,
  type DecodingOptions,
  type PrintOptions,
} from './reading.js'
import { connectionTotals, flowTotals } from './totals.js'

interface ReduceOptions extends DecodingOptions, PrintOptions {
  chain: string[]
  connections?: true
  idleTimeout?: number
  expiryTimeout?: number
  maxFlows?: number
  hash?: 'sha256'
  clock?: string
  order: 'time' | 'capture'
}

/** Adds the command; `exit` takes the status. */
export function reduceCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('reduce')
    .description('print one record per flow, or per connection, of packets that map printed')
    .argument('[file]', 'an Arrow IPC stream, sorted by order_ns, capture and packet; - is standard input', '-')
    .addOption(chainOption())
    .option('--connections', 'one record per TCP connection')
    .option('--idle-timeout <seconds>', 'packet time without a packet that ends a flow or connection', positive)
    .option('--expiry-timeout <seconds>', 'packet time a complete flow waits for late packets', positive)
    .option('--max-flows <n>', 'most flows open at a time', positive)
    .addOption(new Option('--hash <kind>', "with --connections: a digest of each direction's octets").choices(['sha256']))
    .option('--clock <file>', "times of the whole job's packets in nanoseconds, one a line, in order")
    .addOption(new Option('--order <order>', 'how packets are sorted').choices(['time', 'capture']).default('time'))
  addDecodingOptions(addOutputOptions(command, 'ndjson'))
    .option('-q, --quiet', 'no progress and no totals on stderr')
    .action(async (file: string, options: ReduceOptions) => exit(await reduce(file, options)))
  withExamples(
    command,
    ['tcpskein map big.pcap | tcpskein reduce --chain basic,tcp', 'the same records as flows prints'],
    ['tcpskein map big.pcap --connections | tcpskein reduce --connections --format csv', 'the same as connections prints'],
  )
}

async function reduce(file: string, options: ReduceOptions): Promise<number> {
  if (options.hash !== undefined && options.connections !== true) throw new OptionError('--hash: only with --connections')
  const errors: FlowError[] = []
  const onError = (error: FlowError) => void errors.push(error)
  const stream: AsyncIterable<Uint8Array> = file === '-' ? process.stdin : createReadStream(file)
  const feed = new PartitionFeed(stream, { order: options.order, ...clockOf(options.clock) })
  const common = { ...decodingOptions(options), engine: 'native', onError } as const
  if (options.connections === true) {
    const { hash, idleTimeout } = options
    const own = { ...zeekOptions(options.format), ...defined({ hash, idleTimeout }) }
    const records = connections(feed, { maxStreamBytes: 0, ...own, ...common })
    const totals = ({ stats }: { stats: StreamStats }, seconds: number) => connectionTotals(stats, seconds)
    return printRecords([file], records, errors, totals, options)
  }
  const { idleTimeout, expiryTimeout, maxFlows } = options
  const chains = options.chain.map((name): AnyChain => CHAINS[name]!())
  const records = observe(feed, { chains, ...defined({ idleTimeout, expiryTimeout, maxFlows }), ...common })
  const totals = ({ stats }: { stats: ObserveStats }, seconds: number) => flowTotals(stats, seconds)
  return printRecords([file], records, errors, totals, options)
}

function clockOf(path: string | undefined): { clockNs?: bigint[] } {
  if (path === undefined) return {}
  try {
    const lines = readFileSync(path, 'utf8').split('\n')
    return { clockNs: lines.filter(line => line !== '').map(BigInt) }
  } catch (cause) {
    throw new OptionError(`--clock: ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** Members that are there. */
function defined<T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>
  }
}
