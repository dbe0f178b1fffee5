/** `tcpskein completion`: what a shell needs to complete commands, options, their words, and files. */
import { Argument, type Command } from 'commander'
import { bashCompletion } from './completion-bash.js'
import { fishCompletion } from './completion-fish.js'
import type { CommandShape, OptionShape } from './completion-shape.js'
import { zshCompletion } from './completion-zsh.js'
import { EXIT } from './exit.js'
import { withExamples, wordsFor } from './grammar.js'

const SHELLS: Readonly<Record<string, (program: string, commands: readonly CommandShape[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** Adds the command; `exit` takes the status. */
export function completionCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('completion')
    .description('print a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>', 'the shell it is for').choices(Object.keys(SHELLS)))
    .action((shell: string) => {
      process.stdout.write(SHELLS[shell]!(program.name(), program.commands.map(shapeOf)))
      exit(EXIT.ok)
    })
  withExamples(
    command,
    ['tcpskein completion bash > tcpskein.bash', 'then, in ~/.bashrc: source tcpskein.bash'],
    ['tcpskein completion zsh > _tcpskein', 'in a folder of $fpath'],
    ['tcpskein completion fish > tcpskein.fish', 'in ~/.config/fish/completions'],
  )
}

function shapeOf(command: Command): CommandShape {
  const help: OptionShape = { short: '-h', long: '--help', does: 'show help', takesValue: false, words: [] }
  const options = command.options
    .filter(option => !option.hidden)
    .map((option): OptionShape => {
      const { short, long, description, required, optional } = option
      return { short, long, does: description, takesValue: required || optional, words: wordsFor(option) }
    })
  const words = command.registeredArguments.flatMap(argument => argument.argChoices ?? [])
  const takesFiles = command.registeredArguments.length > 0 && words.length === 0
  return { name: command.name(), does: command.description(), options: [...options, help], words, takesFiles }
}
