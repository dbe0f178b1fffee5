/** Completion for bash, 3.2 and later; needs no other package. */
import { flagsOf, type CommandShape } from './completion-shape.js'

/** The script. */
export function bashCompletion(program: string, commands: readonly CommandShape[]): string {
  const names = commands.map(command => command.name).join(' ')
  return `# ${program} completion for bash: source this file
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= word
  COMPREPLY=()
  # bash takes --option=word apart.
  if [[ $current == '=' ]]; then current=
  elif [[ $before == '=' ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* ]]; then command=$word; break; fi
  done
  case $command in
    '') COMPREPLY=($(compgen -W '${names} help --help --version' -- "$current")); return ;;
    help) COMPREPLY=($(compgen -W '${names}' -- "$current")); return ;;
  esac
  case "$command $before" in
${commands.map(valueCases).join('')}  esac
  case $command in
${commands.map(command => `    ${command.name}) ${wordCase(command)} ;;\n`).join('')}  esac
}
complete -o default -F _${program} ${program}
`
}

/** After an option that takes a value: its words, or what the shell does by itself, which is to name files. */
function valueCases({ name, options }: CommandShape): string {
  const taking = options.filter(option => option.takesValue)
  return taking
    .map(option => {
      const patterns = flagsOf([option]).map(flag => `'${name} ${flag}'`).join('|')
      const reply = option.words.length > 0 ? `COMPREPLY=($(compgen -W '${option.words.join(' ')}' -- "$current")); ` : ''
      return `    ${patterns}) ${reply}return ;;\n`
    })
    .join('')
}

function wordCase({ options, words }: CommandShape): string {
  const flags = `if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '${flagsOf(options).join(' ')}' -- "$current"))`
  return words.length === 0 ? `${flags}; fi` : `${flags}; else COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current")); fi`
}
