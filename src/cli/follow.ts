/** `tcpskein follow`: what the two sides of one connection said, as text, as a hex dump, or octet by octet. */
import { Option, type Command } from 'commander'
import { streamEvents, type EngineName, type FlowError, type StreamEvents } from '../index.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { hexDump, plainText, rawOctets, type Piece, type Writer } from './follow-formats.js'
import { onInterrupt } from './interrupt.js'
import { addLiveOptions, captureSources, type LiveOptions } from './live.js'
import { addDecodingOptions, decodingOptions, engineOption, type DecodingOptions } from './reading.js'
import { openStdout } from './stdout.js'

interface FollowOptions extends LiveOptions, DecodingOptions {
  connection: number
  client?: true
  server?: true
  both?: true
  raw?: true
  merge?: true
  text?: true
  hex?: true
  filter?: string
  engine: EngineName
}

/** Adds the command; `exit` takes the status. */
export function followCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('follow')
    .description('print the streams of one connection; octets that are missing are marked')
    .argument('[file...]', 'captures in the order in which they were taken; - is standard input')
    .addOption(
      new Option('--connection <number>', 'which connection: its connection_id, from 0')
        .argParser(wholeNumber)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--client', 'only what the client sent').conflicts(['server', 'both']))
    .addOption(new Option('--server', 'only what the server sent').conflicts('both'))
    .option('--both', 'both, in the order of the capture (the default)')
    .addOption(new Option('--text', 'as text, other octets as dots (the default)').conflicts(['raw', 'hex']))
    .addOption(new Option('--hex', 'as a hex dump with offsets, the server indented').conflicts('raw'))
    .option('--raw', 'the octets themselves; what is missing is told on stderr')
    .option('--filter <expression>', "packets to take, in tcpdump's language")
    .option('--merge', 'all captures at once, packets in order of time (at most 64 captures)')
    .addOption(engineOption())
  addLiveOptions(addDecodingOptions(command)).action(async (files: string[], options: FollowOptions) => exit(await run(files, options)))
  withExamples(
    command,
    ['tcpskein follow big.pcap --connection 2', 'both sides, as text'],
    ['tcpskein follow big.pcap --connection 2 --hex', 'as a hex dump'],
    ['tcpskein follow big.pcap --connection 2 --server --raw > answer', 'what the server sent, octet by octet'],
  )
}

function wholeNumber(text: string): number {
  // What isn't a number matches no connection, and says so.
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}

async function run(files: readonly string[], options: FollowOptions): Promise<number> {
  if (Number.isNaN(options.connection)) {
    complain('--connection: expected a whole number, 0 or more')
    return EXIT.usage
  }
  const errors: FlowError[] = []
  const events = streamEvents(captureSources(files, options), {
    want: connection => connection.connection_id === options.connection,
    onError: error => errors.push(error),
    engine: options.engine,
    merge: options.merge === true,
    ...decodingOptions(options),
    ...(options.filter === undefined || options.interface !== undefined ? {} : { filter: options.filter }),
  })
  const stdout = openStdout()
  const release = options.interface === undefined ? () => {} : onInterrupt(() => events.finish())
  const found = await follow(events, options, writer(options, stdout.colors), stdout.write)
  release()
  await stdout.end()
  for (const error of errors) complain(error)
  if (!found) {
    complain(`there is no connection ${options.connection}: the input has ${events.stats.flows}, counted from 0`)
    return EXIT.usage
  }
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

function writer(options: FollowOptions, colors: boolean): Writer {
  if (options.raw) return rawOctets(gap => complain(gap))
  return options.hex ? hexDump(colors) : plainText(colors)
}

/** Writes pieces until the connection is closed; the rest of the input isn't read. False: there was no such one. */
async function follow(
  events: StreamEvents,
  { connection, client, server }: FollowOptions,
  format: Writer,
  write: (octets: string | Uint8Array) => Promise<void> | undefined,
): Promise<boolean> {
  for await (const event of events) {
    if (event.connection.connection_id !== connection) continue
    if (event.type === 'close') {
      const last = format.end()
      if (last.length > 0) await write(last)
      return true
    }
    if (event.type !== 'data' && event.type !== 'gap') continue
    if ((client && event.direction === 'rev') || (server && event.direction === 'fwd')) continue
    await write(format.piece(event satisfies Piece))
  }
  return false
}
