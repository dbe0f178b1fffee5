// Options of the command line as the rows of docs/command-line.md.
import type { Argument, Command, Option } from 'commander'

/** Text of a cell. */
export type Cells = readonly [flags: string, meaning: string, fallback: string]

const numbers = (value: unknown): string =>
  typeof value === 'number' ? value.toLocaleString('en') : Array.isArray(value) ? value.join(',') : String(value)

/** What an option's row says. */
export function cellsOf(option: Option): Cells {
  const [, text = '', said] = /^(?:with -i: )?(.*?)(?: \(default: (.*)\))?$/.exec(option.description)!
  const words = option.argChoices === undefined ? '' : `: ${option.argChoices.map(word => `\`${word}\``).join(', ')}`
  const fallback = said ?? (option.defaultValue === undefined || option.negate ? '' : numbers(option.defaultValue))
  return [`\`${option.flags}\``, `${text}${words}${option.mandatory ? ' (must be given)' : ''}`, fallback]
}

/** How a command is called. */
export const usageOf = (command: Command): string => `tcpskein ${command.name()} ${command.usage()}`

/** What the files of a command are. */
export const meaningOf = ({ description, argChoices }: Argument): string =>
  argChoices === undefined ? description : `${description}: ${argChoices.map(word => `\`${word}\``).join(', ')}`
