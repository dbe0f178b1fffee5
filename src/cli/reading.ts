/** What commands that read captures have in common: how several are read, growing files, and the loop over records. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ChecksumMode, FlowError } from '../index.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { openOutput, type Format } from './output.js'
import { openProgress, type Progressing } from './progress.js'

/** Options as commander gives them. */
export interface ReadingOptions {
  merge?: true
  separate?: true
  follow?: true
  filter?: string
  decap: boolean
  ignoreEncap?: true
  checksum: ChecksumMode
}

const CHECKSUMS: readonly ChecksumMode[] = ['ignore', 'count', 'drop']

/** Adds the options; `apart`: captures may be read each by itself. */
export function addReadingOptions(command: Command, apart = true): Command {
  if (apart) command.option('--separate', 'each capture by itself')
  return command
    .option('--merge', 'all captures at once, packets in order of time (at most 64 captures)')
    .option('--follow', 'at the end of the last capture wait for more, until Ctrl-C')
    .option('--filter <expression>', "packets to take, in tcpdump's language")
    .option('--no-decap', 'take tunnels as they are, without looking inside')
    .option('--ignore-encap', 'packets in different VLANs and tunnels may belong together')
    .addOption(new Option('--checksum <mode>', 'what to do about checksums').choices(CHECKSUMS).default('ignore'))
    .option('-q, --quiet', 'no progress and no totals on stderr')
}

/** The same as the library takes them. */
export function readingOptions({ merge, separate, follow, filter, decap, ignoreEncap, checksum }: ReadingOptions) {
  return {
    merge: merge === true,
    separate: separate === true,
    follow: follow === true,
    decap,
    ignoreEncap: ignoreEncap === true,
    checksum,
    ...(filter === undefined ? {} : { filter }),
  }
}

/** What is printed. */
export interface Records extends AsyncIterable<object> {
  readonly stats: Progressing
  /** Ends a wait for more. */
  finish(): void
}

/** What a run needs. */
export interface RunOptions extends ReadingOptions {
  format: Format
  quiet?: true
}

/**
 * Prints records, then errors and totals on stderr.
 *
 * @returns the exit status
 */
export async function printRecords<R extends Records>(
  files: readonly string[],
  records: R,
  errors: readonly FlowError[],
  totals: (records: R, seconds: number) => string,
  options: RunOptions,
): Promise<number> {
  const output = openOutput(options.format, options.follow === true)
  const progress = openProgress(files, () => records.stats, options.quiet !== true, options.follow === true)
  const release = options.follow === true ? onInterrupt(() => records.finish()) : () => {}
  try {
    for await (const record of records) await output.write(record)
    await output.end()
  } finally {
    release()
    progress.stop()
  }
  for (const error of errors) complain(error.message)
  if (options.quiet !== true) process.stderr.write(totals(records, progress.seconds()))
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

/** The first Ctrl-C ends the wait; a second one ends the program as it always does. */
export function onInterrupt(finish: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, finish)
  return () => {
    for (const signal of signals) process.removeListener(signal, finish)
  }
}

/** An argument that is a number, 0 or more. */
export function positive(text: string): number {
  const value = Number(text)
  if (text === '' || Number.isNaN(value) || value < 0) throw new InvalidArgumentError('Expected a number, 0 or more.')
  return value
}
