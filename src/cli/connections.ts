/** `tcpskein connections`: one record per TCP connection. */
import { Option, type Command } from 'commander'
import { connections, type FlowError } from '../index.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { FORMATS, openOutput, type Format } from './output.js'
import { openProgress } from './progress.js'
import { connectionTotals } from './totals.js'

interface ConnectionOptions {
  format: Format
  separate?: true
  hash?: 'sha256'
  filter?: string
  quiet?: true
}

/** Adds the command; `exit` takes the status. */
export function connectionsCommand(program: Command, exit: (status: number) => void): void {
  program
    .command('connections')
    .description('print one record per TCP connection, with what reassembly met')
    .argument('<file...>', 'captures in the order in which they were taken; - is standard input')
    .option('--separate', 'each capture by itself')
    .addOption(new Option('--hash <kind>', "add a digest of each direction's octets").choices(['sha256']))
    .addOption(new Option('--format <format>', 'how to print').choices(FORMATS).default('table'))
    .option('--filter <expression>', "packets to take, in tcpdump's language")
    .option('-q, --quiet', 'no progress and no totals on stderr')
    .action(async (files: string[], options: ConnectionOptions) => exit(await run(files, options)))
}

async function run(files: readonly string[], options: ConnectionOptions): Promise<number> {
  const errors: FlowError[] = []
  const records = connections(files, {
    maxStreamBytes: 0,
    separate: options.separate === true,
    onError: error => errors.push(error),
    ...(options.hash === undefined ? {} : { hash: options.hash }),
    ...(options.filter === undefined ? {} : { filter: options.filter }),
  })
  const output = openOutput(options.format)
  const progress = openProgress(files, () => records.stats, options.quiet !== true)
  try {
    for await (const record of records) await output.write(record)
    await output.end()
  } finally {
    progress.stop()
  }
  for (const error of errors) complain(error.message)
  if (options.quiet !== true) process.stderr.write(connectionTotals(records.stats, progress.seconds()))
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}
