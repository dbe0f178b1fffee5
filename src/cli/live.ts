/** What commands have in common that read packets of an interface: options, and which sources a command reads. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { OptionError, type CaptureSource, type LiveSource } from '../index.js'
import { positive, wholeNumber } from './numbers.js'

/** Options as commander gives them. */
export interface LiveOptions {
  interface?: string
  snaplen?: number
  promiscuous: boolean
  ring?: number
  direction?: 'in' | 'out' | 'both'
  count?: number
  duration?: number
  microseconds?: true
  backend?: 'auto' | 'kernel' | 'pcap'
}

/** Adds the options. */
export function addLiveOptions(command: Command): Command {
  if (command.registeredArguments.length > 0) command.hook('preAction', checkFiles)
  const others = command.options.length + 1
  command
    .option('-i, --interface <name>', 'packets of a network interface, until Ctrl-C; any is all (see: tcpskein interfaces)')
    .option('-c, --count <n>', 'with -i: end after so many packets', wholeNumber)
    .option('--duration <seconds>', 'with -i: end after this time', positive)
    .option('-s, --snaplen <octets>', 'with -i: octets kept of each packet', wholeNumber)
    .option('-p, --no-promiscuous', 'with -i: only packets for this machine')
    .option('--ring <size>', 'with -i: octets in which packets wait, such as 64M', octets)
    .addOption(new Option('--direction <way>', 'with -i: packets received or sent').choices(['in', 'out', 'both']))
    .option('--microseconds', 'with -i: times without nanoseconds')
    .addOption(new Option('--backend <name>', 'with -i: who captures').choices(['auto', 'kernel', 'pcap']))
  const ofInterfaces = command.options.slice(others)
  return command.hook('preAction', (_, action) => checkInterface(action, ofInterfaces))
}

/** Without an interface a file is needed; commander's own word for it, since only it knows how to show help behind it. */
function checkFiles(_: Command, action: Command): void {
  const { interface: live } = action.opts<LiveOptions>()
  if (live === undefined && action.args.length === 0)
    action.error("error: missing required argument 'file' (or -i for an interface)", { code: 'commander.missingArgument' })
}

/** What only an interface can do would be lost on a file. */
function checkInterface(action: Command, ofInterfaces: readonly Option[]): void {
  if (action.opts<LiveOptions>().interface !== undefined) return
  const lost = ofInterfaces.find(option => action.getOptionValueSource(option.attributeName()) === 'cli')
  if (lost !== undefined) action.error(`error: option '${lost.flags}' needs an interface (-i)`)
}

/** The interface that was asked for. */
export function liveSource(name: string, options: LiveOptions, filter: string | undefined): LiveSource {
  const { snaplen, promiscuous, ring, direction, count, duration, microseconds, backend } = options
  return {
    interface: name,
    promiscuous,
    nanoseconds: microseconds !== true,
    ...defined({ filter, snaplen, ringBytes: ring, direction, packetLimit: count, timeLimit: duration, backend }),
  }
}

/** What a command reads: captures, or an interface. */
export function captureSources(
  files: readonly string[],
  options: LiveOptions & { filter?: string },
): readonly CaptureSource[] {
  if (options.interface === undefined) return files
  if (files.length > 0) throw new OptionError(`-i: ${files[0]!} can not be read at the same time`)
  return [liveSource(options.interface, options, options.filter)]
}

/** Members that are there. */
function defined<T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** A number of octets, perhaps with K, M or G behind it. */
export function octets(text: string): number {
  const [, number, unit] = /^(\d+)([KMG]?)$/i.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('Expected octets, such as 65536, 64K, 16M or 1G.')
  return Number(number) * UNITS[unit!.toUpperCase()]!
}
