/** What commands that read captures have in common: how several are read, growing files, and the loop over records. */
import { Option, type Command } from 'commander'
import { OptionError, type ChecksumMode, type EngineName, type Exportable, type FlowError } from '../index.js'
import { complain, writeObject } from './complain.js'
import { EXIT } from './exit.js'
import { onInterrupt } from './interrupt.js'
import { addLiveOptions, type LiveOptions } from './live.js'
import { wholeNumber } from './numbers.js'
import { FORMATS, openOutput, writeRecords, type Format } from './output.js'
import { openProgress, type Progressing } from './progress.js'

/** Options of how packets are decoded, as commander gives them. */
export interface DecodingOptions {
  decap: boolean
  ignoreEncap?: true
  checksum: ChecksumMode
  threads?: number
}

/** Options as commander gives them. */
export interface ReadingOptions extends LiveOptions, DecodingOptions {
  merge?: true
  separate?: true
  follow?: true
  filter?: string
  engine: EngineName
}

const CHECKSUMS: readonly ChecksumMode[] = ['ignore', 'count', 'drop']
const ENGINES: readonly EngineName[] = ['auto', 'native', 'js']

/** Adds the options; not every command can read captures separately, or what has no end yet. */
export function addReadingOptions(
  command: Command,
  { separate = true, live = true }: { separate?: boolean; live?: boolean } = {},
): Command {
  if (live) addLiveOptions(command)
  command.option('--merge', 'all captures at once, packets in order of time (at most 64 captures)')
  if (separate) command.option('--separate', 'each capture by itself')
  if (live) command.option('--follow', 'at the end of the last capture wait for more, until Ctrl-C')
  command.option('--filter <expression>', "packets to take, in tcpdump's language")
  return addDecodingOptions(command)
    .addOption(engineOption())
    .option('-q, --quiet', 'no progress and no totals on stderr')
}

/** Adds the options of how packets are decoded. */
export function addDecodingOptions(command: Command): Command {
  return command
    .option('--no-decap', 'take tunnels as they are, without looking inside')
    .option('--ignore-encap', 'packets in different VLANs and tunnels may belong together')
    .addOption(new Option('--checksum <mode>', 'what to do about checksums').choices(CHECKSUMS).default('ignore'))
    .option('--threads <n>', 'threads for a large capture (2, or 1 where there is one processor)', wholeNumber)
}

/** Which engine does the work. */
export function engineOption(): Option {
  return new Option('--engine <name>', 'which engine does the work').choices(ENGINES).default('auto')
}

/** The same as the library takes them. The filter of an interface goes with that. */
export function readingOptions(options: ReadingOptions) {
  const { merge, separate, follow, filter, engine } = options
  return {
    merge: merge === true,
    separate: separate === true,
    follow: follow === true,
    ...decodingOptions(options),
    engine,
    ...(filter === undefined || options.interface !== undefined ? {} : { filter }),
  }
}

/** How packets are decoded, as the library takes it. */
export function decodingOptions({ decap, ignoreEncap, checksum, threads }: DecodingOptions) {
  return { decap, ignoreEncap: ignoreEncap === true, checksum, ...(threads === undefined ? {} : { threads }) }
}

/** What is printed. */
export interface Records extends Exportable {
  readonly stats: Progressing
  /** Ends a wait for more. */
  finish(): void
}

/** What is printed, and how. */
export interface PrintOptions {
  format: Format
  output?: string
  force?: true
  quiet?: true
  json?: true
  follow?: true
  interface?: string
}

/** What a run needs. */
export interface RunOptions extends ReadingOptions, PrintOptions {}

/** Adds the options of what is printed, and how. */
export function addOutputOptions(command: Command, format: Format = 'table'): Command {
  return command
    .addOption(new Option('--format <format>', 'how to print').choices(FORMATS).default(format))
    .option('-o, --output <file>', 'write to a file (not with --format table)')
    .option('--force', 'replace a file that is there already')
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
  options: PrintOptions,
  shown?: readonly string[],
): Promise<number> {
  const { format, output: path } = options
  if (format === 'table' && path !== undefined) throw new OptionError('--output: a table goes to standard output only')
  const columns = format === 'table' ? [] : records.columns
  const waits = isEndless(options)
  const output = await openOutput({
    format,
    live: waits,
    columns,
    inputs: files,
    force: options.force === true,
    ...(path === undefined ? {} : { output: path }),
    ...(shown === undefined ? {} : { shown }),
  })
  const progress = openProgress(files, () => records.stats, options.quiet !== true, waits)
  const release = waits ? onInterrupt(() => records.finish()) : () => {}
  try {
    await writeRecords(output, records, errors)
  } finally {
    release()
    progress.stop()
  }
  for (const error of errors) complain(error)
  if (options.quiet !== true) tell(options, records.stats, totals(records, progress.seconds()))
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

/** Such a run ends with Ctrl-C at the latest. */
export function isEndless({ follow, interface: live }: { readonly follow?: true; readonly interface?: string }): boolean {
  return follow === true || live !== undefined
}

/** Totals for people, or the counters for programs. */
export function tell({ json }: { readonly json?: true }, stats: Progressing, text: string): void {
  if (json === true) writeObject({ stats })
  else process.stderr.write(text)
}
