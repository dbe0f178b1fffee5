/** `tcpskein record`: packets of an interface into files. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Option, type Command } from 'commander'
import { record, type RecordOptions, type Recording } from '../index.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { onInterrupt } from './interrupt.js'
import { addLiveOptions, liveSource, octets, type LiveOptions } from './live.js'
import { positive, wholeNumber } from './numbers.js'
import { refuseToReplace } from './overwrite.js'
import { openProgress } from './progress.js'
import { recordTotals } from './totals.js'

interface Options extends LiveOptions {
  write: string
  force?: true
  format?: 'pcap' | 'pcapng'
  zstd?: true
  rotateSize?: number
  rotateTime?: number
  files?: number
  filter?: string
  quiet?: true
}

/** Adds the command; `exit` takes the status. */
export function recordCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('record')
    .description('write packets of a network interface to a file')
    .requiredOption('-w, --write <file>', 'the file; .zst at its end compresses it, .pcap or .pcapng is its format')
    .addOption(new Option('--format <format>', "the file's format, whatever its name").choices(['pcap', 'pcapng']))
    .option('--zstd', 'compress with Zstandard')
    .option('--rotate-size <size>', 'a new file before one gets longer, such as 100M', octets)
    .option('--rotate-time <seconds>', 'a new file after this time', positive)
    .option('--files <n>', 'with rotation: files that are kept', wholeNumber)
    .option('--force', 'replace a file that is there already')
    .option('--filter <expression>', "packets to take, in tcpdump's language")
    .option('-q, --quiet', 'no progress and no totals on stderr')
  addLiveOptions(command).action(async (options: Options) => exit(await run(options)))
  withExamples(
    command,
    ['tcpskein record -i eth0 -w trace.pcapng', 'until Ctrl-C'],
    ['tcpskein record -i eth0 -w trace.pcapng.zst --rotate-size 100M --files 10', 'the last gigabyte, compressed'],
  )
}

async function run(options: Options): Promise<number> {
  if (options.interface === undefined) {
    complain('record: which interface? (-i NAME; tcpskein interfaces lists them)')
    return EXIT.usage
  }
  if (options.write === '-') {
    complain('record: -w - is no file, and packets can not be written to standard output')
    return EXIT.usage
  }
  if (options.force !== true) refuseToReplace(firstFile(options))
  const source = liveSource(options.interface, options, options.filter)
  const recording = record(source, options.write, recordOptions(options))
  const release = onInterrupt(() => recording.stop())
  const progress = openProgress([], () => progressOf(recording), options.quiet !== true, true)
  let failure: unknown
  try {
    await recording.finished
  } catch (error) {
    failure = error
  } finally {
    release()
    progress.stop()
  }
  if (options.quiet !== true) process.stderr.write(recordTotals(recording.stats, progress.seconds()))
  if (failure === undefined) return EXIT.ok
  complain(failure as Error)
  return EXIT.capture
}

/** The file that the first packets would replace. */
function firstFile({ write, rotateSize, rotateTime }: Options): string | undefined {
  return rotateSize === undefined && rotateTime === undefined ? write : numberedFile(write)
}

/** A file of an earlier recording that got a number before its extension. */
function numberedFile(path: string): string | undefined {
  if (!existsSync(dirname(path))) return undefined
  const name = basename(path)
  const [, stem = name, ending = ''] = /^(.+?)(\.(?:pcap|cap|zst).*)$/.exec(name) ?? /^(.[^.]*)(.*)$/.exec(name) ?? []
  const isNumbered = (other: string) =>
    other.startsWith(`${stem}-`) && other.endsWith(ending) && /^\d{5,}$/.test(other.slice(stem.length + 1, other.length - ending.length))
  const found = readdirSync(dirname(path)).find(isNumbered)
  return found === undefined ? undefined : join(dirname(path), found)
}

function recordOptions({ format, zstd, rotateSize, rotateTime, files }: Options): RecordOptions {
  return {
    ...(format === undefined ? {} : { format }),
    ...(zstd === undefined ? {} : { zstd }),
    ...(rotateSize === undefined ? {} : { rotateBytes: rotateSize }),
    ...(rotateTime === undefined ? {} : { rotateSeconds: rotateTime }),
    ...(files === undefined ? {} : { maxFiles: files }),
  }
}

const progressOf = ({ stats }: Recording) => ({ inputBytes: stats.fileBytes, packets: stats.packets })
