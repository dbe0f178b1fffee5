/** `tcpskein map`: packets with partition keys, for jobs that are done in several places. */
import { createReadStream, readFileSync } from 'node:fs'
import { InvalidArgumentError, type Command } from 'commander'
import {
  OptionError,
  partition,
  PartitionFeed,
  surveyCaptures,
  writePartition,
  type CaptureSource,
  type FlowError,
  type FragmentFlow,
  type ObserveStats,
  type PartitionOptions,
  type Survey,
} from '../index.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { chainOption } from './flows.js'
import { withExamples } from './grammar.js'
import { wholeNumber } from './numbers.js'
import { openProgress } from './progress.js'
import { addDecodingOptions, decodingOptions, tell, type DecodingOptions } from './reading.js'
import { openStdout } from './stdout.js'
import { packetTotals } from './totals.js'

interface MapOptions extends DecodingOptions {
  chain: string[]
  connections?: true
  payload?: true
  range?: [number, number]
  survey?: true
  capture: number
  packetsBefore: number
  timeBefore?: bigint
  fragments?: string
  arrow?: true
  filter?: string
  quiet?: true
  json?: true
}

/** Chains that look at what packets carry. */
const PAYLOAD_CHAINS = new Set(['dns'])

/** Adds the command; `exit` takes the status. */
export function mapCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('map')
    .description('print packets with the key of their flow, as an Arrow IPC stream: half of a job for a cluster')
    .argument('<file...>', 'captures in the order in which they were taken; - is standard input')
    .addOption(chainOption())
    .option('--connections', 'for records of connections: only TCP, with payloads')
    .option('--payload', 'whole frames, not headers only')
    .option('--range <start-end>', 'only records that begin in these octets of each file', range)
    .option('--survey', 'print one JSON object instead: what other parts of the job have to know')
    .option('--capture <n>', 'number of the first capture', wholeNumber, 0)
    .option('--packets-before <n>', 'packets of the capture before the range', wholeNumber, 0)
    .option('--time-before <ns>', 'the latest time among those, in nanoseconds', nanoseconds)
    .option('--fragments <file>', 'NDJSON: capture, packet and key of fragments whose flow was found elsewhere')
    .option('--arrow', 'what is read is such a stream itself')
    .option('--filter <expression>', "packets to take, in tcpdump's language")
  addDecodingOptions(command)
    .option('-q, --quiet', 'no progress and no totals on stderr')
    .action(async (files: string[], options: MapOptions) => exit(await map(files, options)))
  withExamples(
    command,
    ['tcpskein map big.pcap > packets.arrows', 'headers, with keys'],
    ['tcpskein map eth0.pcap --survey', 'how many packets, and when'],
    ['tcpskein map big.pcap --range 0-67108864 --connections > packets.arrows', 'the first 64 MiB'],
  )
}

async function map(files: readonly string[], options: MapOptions): Promise<number> {
  const errors: FlowError[] = []
  const partitionOptions = { ...partitionOf(options), onError: (error: FlowError) => void errors.push(error) }
  const sources = options.arrow === true ? [arrowSource(files)] : files
  if (options.survey === true) await printSurvey(await surveyCaptures(sources, partitionOptions))
  else await printPackets(files, sources, partitionOptions, options)
  for (const error of errors) complain(error)
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

function partitionOf(options: MapOptions): PartitionOptions {
  const { chain, connections, payload, range, capture, packetsBefore, timeBefore, fragments, filter } = options
  return {
    payload: payload === true || connections === true || chain.some(name => PAYLOAD_CHAINS.has(name)),
    tcpOnly: connections === true,
    firstCapture: capture,
    packetsBefore,
    ...decodingOptions(options),
    ...(timeBefore === undefined ? {} : { timeBeforeNs: timeBefore }),
    ...(range === undefined ? {} : { range }),
    ...(fragments === undefined ? {} : { fragmentFlows: readFragments(fragments) }),
    ...(filter === undefined ? {} : { filter }),
  }
}

async function printPackets(
  files: readonly string[],
  sources: readonly CaptureSource[],
  partitionOptions: PartitionOptions,
  options: MapOptions,
): Promise<void> {
  const packets = partition(sources, partitionOptions)
  const stats = () => packets.stats as ObserveStats
  const progress = openProgress(files, stats, options.quiet !== true)
  const stdout = openStdout()
  const names = [...Array<string>(options.capture).fill(''), ...files]
  try {
    for await (const octets of writePartition(packets, options.capture > 0 ? [] : names)) await stdout.write(octets)
    await stdout.end()
  } finally {
    progress.stop()
  }
  if (options.quiet !== true) tell(options, stats(), packetTotals(stats(), progress.seconds()))
}

async function printSurvey({ packets, clockNs, fragments }: Survey): Promise<void> {
  const loose = fragments.map(({ capture, packet, timeNs, link, wireLen, data }) => ({
    capture,
    packet,
    time_ns: String(timeNs),
    link,
    wire_len: wireLen,
    bytes: Buffer.from(data).toString('base64'),
  }))
  const stdout = openStdout()
  await stdout.write(`${JSON.stringify({ packets, clock_ns: clockNs.map(String), fragments: loose })}\n`)
  await stdout.end()
}

function arrowSource(files: readonly string[]): PartitionFeed {
  const [file, ...rest] = files
  if (file === undefined || rest.length > 0) throw new OptionError('--arrow: one stream can be read')
  return new PartitionFeed(file === '-' ? process.stdin : createReadStream(file), { order: 'capture' })
}

function readFragments(path: string): FragmentFlow[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n')
    return lines.filter(line => line !== '').map(line => JSON.parse(line) as FragmentFlow)
  } catch (cause) {
    throw new OptionError(`--fragments: ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** Nanoseconds since the Unix epoch. */
function nanoseconds(text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('Expected nanoseconds since 1970.')
  return BigInt(text)
}

/** `START-END`, or `START-` up to the end. */
function range(text: string): [number, number] {
  const [, start, end] = /^(\d+)-(\d*)$/.exec(text) ?? []
  const numbers: [number, number] = [Number(start), end === '' ? Number.MAX_SAFE_INTEGER : Number(end)]
  if (start === undefined || !numbers.every(Number.isSafeInteger) || numbers[0] > numbers[1])
    throw new InvalidArgumentError('Expected octets, such as 0-67108864.')
  return numbers
}
