/** `tcpskein decode-tcp`: what each side of each connection sent, piece by piece, at each PSH or URG. */
import { Option, type Command } from 'commander'
import { connectionIdToString, decodeTcp, type DecodedData, type FlowError } from '../index.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { hexDump, plainText, type Piece, type Writer } from './follow-formats.js'
import { openProgress } from './progress.js'
import { onInterrupt } from './interrupt.js'
import { captureSources } from './live.js'
import { addReadingOptions, isEndless, readingOptions, tell, type ReadingOptions } from './reading.js'
import { openStdout } from './stdout.js'
import { connectionTotals } from './totals.js'

interface DecodeOptions extends ReadingOptions {
  file?: string[]
  since: 'start' | 'lastPush'
  hex?: true
  quiet?: true
  json?: true
}

/** Adds the command; `exit` takes the status. */
export function decodeTcpCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('decode-tcp')
    .description('print what each side of each connection sent, in order, at each PSH or URG')
    .addOption(new Option('-f, --file <file...>', 'captures in the order in which they were taken; - is standard input'))
    .addOption(new Option('--since <when>', 'print all from the start each time, or what is new').choices(['start', 'lastPush']).default('lastPush'))
    .addOption(new Option('--text', 'as text, other octets as dots (the default)').conflicts('hex'))
    .option('--hex', 'as a hex dump with offsets')
  addReadingOptions(command, { separate: false }).action(async (options: DecodeOptions) => exit(await run(options)))
  withExamples(
    command,
    ['tcpskein decode-tcp -f big.pcap', 'what is new at each push'],
    ['tcpskein decode-tcp -f big.pcap --since start --hex', 'all so far, as a hex dump'],
  )
}

async function run(options: DecodeOptions): Promise<number> {
  const { file: files = [], interface: name, since } = options
  if (files.length === 0 && name === undefined) {
    complain('decode-tcp: expected -f FILE to read a capture, or -i INTERFACE to capture from an interface')
    return EXIT.usage
  }
  const errors: FlowError[] = []
  const { separate: _, ...reading } = readingOptions(options)
  const pieces = decodeTcp(captureSources(files, options), {
    ...reading,
    since,
    onError: error => errors.push(error),
  })
  const stdout = openStdout()
  const waits = isEndless(options)
  const progress = openProgress(files, () => pieces.stats, options.quiet !== true, waits)
  const release = waits ? onInterrupt(() => pieces.finish()) : () => {}
  try {
    for await (const piece of pieces) await stdout.write(print(piece, options.hex === true))
    await stdout.end()
  } finally {
    release()
    progress.stop()
  }
  for (const error of errors) complain(error)
  if (options.quiet !== true) tell(options, pieces.stats, connectionTotals(pieces.stats, progress.seconds()))
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

/** The direction, then its octets, with what is missing where it is missing. */
function print(decoded: DecodedData, hex: boolean): string {
  const format: Writer = hex ? hexDump(false) : plainText(false)
  const text = piecesOf(decoded).map(piece => format.piece(piece) as string)
  return `${connectionIdToString(decoded.connectionId, decoded.ipVersion)}${hex ? '\n' : ' '}${text.join('')}${format.end()}`
}

/** Octets and gaps in stream order. */
function piecesOf({ data, gaps, offset }: DecodedData): Piece[] {
  const direction = 'fwd'
  const pieces: Piece[] = []
  let [taken, at] = [0, offset]
  const addData = (length: number) => {
    const part = data.subarray(taken, taken + length)
    taken += part.length
    if (part.length > 0) pieces.push({ type: 'data', direction, offset: at, length: part.length, data: part, copy: () => part.slice() })
  }
  for (const [start, length] of gaps) {
    addData(start - at)
    pieces.push({ type: 'gap', direction, offset: start, length })
    at = start + length
  }
  addData(data.length - taken)
  return pieces
}
