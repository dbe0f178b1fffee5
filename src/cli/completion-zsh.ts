/** Completion for zsh: as a file `_tcpskein` of $fpath, or sourced. */
import type { CommandShape, OptionShape } from './completion-shape.js'

/** The script. */
export function zshCompletion(program: string, commands: readonly CommandShape[]): string {
  return `#compdef ${program}
_${program}() {
  local -a commands
  commands=(
${commands.map(({ name, does }) => `    ${quote(`${name}:${does}`)}\n`).join('')}    'help:show help'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
    help) _describe command commands ;;
${commands.map(command => `    ${command.name}) _arguments -s ${specs(command).map(spec => `\\\n      ${spec}`).join(' ')} ;;\n`).join('')}  esac
}
if [[ $funcstack[1] == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`
}

function specs({ options, words, takesFiles }: CommandShape): string[] {
  const rest = takesFiles ? [quote('*:file:_files')] : words.length > 0 ? [quote(`1:word:(${words.join(' ')})`)] : []
  return [...options.flatMap(optionSpecs), ...rest]
}

/** `--option[what it does]:value:(words)`, once for each of its names. */
function optionSpecs({ short, long, does, takesValue, words }: OptionShape): string[] {
  const value = takesValue ? `:value:${words.length > 0 ? `(${words.join(' ')})` : '_files'}` : ''
  const both = [short, long].filter(flag => flag !== undefined)
  return both.map(flag => quote(`(${both.join(' ')})${flag}[${does.replace(/[[\]:\\]/g, '\\$&')}]${value}`))
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
