/** Completion for fish. */
import type { CommandShape, OptionShape } from './completion-shape.js'

/** The script. */
export function fishCompletion(program: string, commands: readonly CommandShape[]): string {
  const names = commands.map(command => command.name).join(' ')
  const first = `complete -c ${program} -n '__fish_use_subcommand'`
  return [
    `# ${program} completion for fish`,
    `${first} -f`,
    ...commands.map(({ name, does }) => `${first} -a ${name} -d ${quote(does)}`),
    `${first} -a help -d 'show help'`,
    `complete -c ${program} -n '__fish_seen_subcommand_from help' -f -a '${names}'`,
    ...commands.flatMap(command => commandLines(program, command)),
    '',
  ].join('\n')
}

function commandLines(program: string, { name, options, words, takesFiles }: CommandShape): string[] {
  const start = `complete -c ${program} -n '__fish_seen_subcommand_from ${name}'`
  const noFiles = takesFiles ? [] : [`${start} -f${words.length > 0 ? ` -a '${words.join(' ')}'` : ''}`]
  return [...noFiles, ...options.map(option => `${start}${optionWords(option)}`)]
}

function optionWords({ short, long, does, takesValue, words }: OptionShape): string {
  const names = `${short === undefined ? '' : ` -s ${short.slice(1)}`}${long === undefined ? '' : ` -l ${long.slice(2)}`}`
  // -x: a word of these and no file; -r: a value, which may be a file.
  const value = !takesValue ? '' : words.length > 0 ? ` -x -a '${words.join(' ')}'` : ' -r'
  return `${names}${value} -d ${quote(does)}`
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
