/**
 * What all commands have in common, added once all are there: `--quiet` and `--json`, examples in the help, and a way on
 * after a mistake. One grammar: `tcpskein COMMAND [options] FILE...`, options before or after the files.
 */
import { existsSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { complainOfUsage } from './complain.js'

/** One way to use a command, and what it does. */
export type Example = readonly [line: string, does: string]

const examplesOf = new WeakMap<Command, readonly Example[]>()
const wordsOf = new WeakMap<Option, readonly string[]>()

/** Adds examples to a command's help; they must run as they are, where `big.pcap` and the like are captures. */
export function withExamples(command: Command, ...examples: readonly Example[]): Command {
  examplesOf.set(command, examples)
  return command
}

/** Names words that an option takes, for completion, where it doesn't take those alone. */
export function offering(option: Option, words: readonly string[]): Option {
  wordsOf.set(option, words)
  return option
}

/** The words that an option takes, as far as they are known. */
export const wordsFor = (option: Option): readonly string[] => wordsOf.get(option) ?? option.argChoices ?? []

const EXIT_STATUS = `
Exit status:
  0  all well (also when who reads the output stops reading)
  1  a capture could not be read in full, or output not be written; what was read counts
  2  bad usage: an unknown command or option, a value that can't be used`

/** Completes the program. */
export function shareGrammar(program: Command): void {
  for (const command of program.commands) {
    const has = (long: string) => command.options.some(option => option.long === long)
    if (!has('--quiet')) command.option('-q, --quiet', 'nothing on stderr but errors')
    if (!has('--json')) command.addOption(jsonOption(command))
    addHelp(command)
    complainOfUnknownFirst(command)
  }
  program.addHelpText('after', `${exampleText(program.commands.flatMap(command => examplesOf.get(command)?.slice(0, 1) ?? []))}\n${EXIT_STATUS}
  
tcpskein COMMAND --help shows what a command takes; --quiet and --json may also stand before the command.`.replace(/\n {2}\n/, '\n\n'))
}

/** What commander's types leave out. */
interface Complaining {
  missingMandatoryOptionValue: (option: Option) => void
  unknownOption: (flag: string) => void
}

/** An option that is missing may be the one that nobody knows, misspelt. */
function complainOfUnknownFirst(command: Command): void {
  const complaining = command as unknown as Complaining
  let unknown: string | undefined
  const parse = command.parseOptions.bind(command)
  command.parseOptions = args => {
    const parsed = parse(args)
    unknown = parsed.unknown[0]
    return parsed
  }
  const miss = complaining.missingMandatoryOptionValue.bind(command)
  complaining.missingMandatoryOptionValue = option => {
    if (unknown !== undefined) complaining.unknownOption(unknown)
    miss(option)
  }
}

/** Records as NDJSON where there are records, and what is told on stderr as objects. */
function jsonOption(command: Command): Option {
  const formats = command.options.find(option => option.long === '--format')
  const prints = formats?.argChoices?.includes('ndjson') === true
  const option = new Option('--json', `${prints ? '--format ndjson, and ' : ''}on stderr JSON, one object per line`)
  return prints ? option.implies({ format: 'ndjson' }) : option
}

function addHelp(command: Command): void {
  const name = `tcpskein ${command.name()}`
  const examples = examplesOf.get(command) ?? []
  command.addHelpText('after', exampleText(examples))
  const [first] = examples
  const example = first === undefined ? '' : `, for example: ${first[0]}`
  command.showHelpAfterError(`(usage: ${name} ${command.usage()}${example}; ${name} --help shows more)`)
}

function exampleText(examples: readonly Example[]): string {
  if (examples.length === 0) return ''
  const width = Math.max(...examples.map(([line]) => line.length))
  return `\nExamples:\n${examples.map(([line, does]) => `  ${line.padEnd(width)}  # ${does}`).join('\n')}`
}

const SHARED = new Set(['--json', '--quiet', '-q'])

/** What all commands take may stand before the command, where it is meant for the command all the same. */
export function commandFirst(program: Command, args: readonly string[]): readonly string[] {
  const at = args.findIndex(arg => !SHARED.has(arg))
  if (at <= 0) return at === 0 ? args : []
  const [first, ...rest] = args.slice(at)
  const isCommand = program.commands.some(command => command.name() === first)
  return isCommand ? [first!, ...args.slice(0, at), ...rest] : args.slice(at)
}

/** `help NAME` where there is no such command is as wrong as `NAME`; commander would show the help of all. */
export function helpOfCommand(program: Command, args: readonly string[]): readonly string[] {
  const [first, name] = args
  if (first !== 'help' || name === undefined || name.startsWith('-') || name === 'help') return args
  return program.commands.some(command => command.name() === name) ? args : args.slice(1)
}

/** Someone gave a file where a command belongs: says so. */
export function isFileForCommand(program: Command, args: readonly string[]): boolean {
  const [first] = args
  if (first === undefined || first.startsWith('-') || first === 'help') return false
  if (program.commands.some(command => command.name() === first) || !existsSync(first)) return false
  complainOfUsage(`'${first}' is a file, and the command is missing\n(for example: tcpskein info ${first}; tcpskein --help shows all commands)`)
  return true
}
