/** The command line: arguments to options, and an exit status. */
import { CommanderError } from 'commander'
import { FlowError, OptionError } from '../index.js'
import { complain, complainInJson, remark } from './complain.js'
import { EXIT } from './exit.js'
import { fileProblem } from './file-problem.js'
import { commandFirst, helpOfCommand, isFileForCommand } from './grammar.js'
import { inOptionNames } from './option-names.js'
import { createProgram } from './program.js'

/**
 * Runs the command line.
 *
 * @param given arguments without the program's name
 * @returns the exit status: 0, 1 (a capture could not be read in full) or 2 (bad usage)
 */
export async function main(given: readonly string[]): Promise<number> {
  let status: number = EXIT.ok
  const program = createProgram(code => (status = code))
  const args = helpOfCommand(program, commandFirst(program, given))
  // Asked before the arguments are understood, because not to understand them is an error too.
  complainInJson(given.includes('--json'))
  remarkOnWarnings()
  bearClosedPipes()
  if (isFileForCommand(program, args)) return EXIT.usage
  try {
    await program.parseAsync(args.length > 0 ? [...args] : ['--help'], { from: 'user' })
  } catch (error) {
    const command = program.commands.find(each => each.name() === args[0])
    return failure(error instanceof OptionError ? inOptionNames(error, command) : error)
  }
  return status
}

/** Node's own way to show a warning, with the number of the process, is for programmers. */
function remarkOnWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', remark)
}

/** What waits for its own writes hears there that they failed; help, and what goes to stderr, doesn't wait. */
function bearClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', error => {
      if (isClosedPipe(error) || stream.listenerCount('error') > 1) return
      const status = failure(error)
      // Whatever the command itself came to.
      process.once('exit', () => (process.exitCode = status))
    })
  }
}

function failure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (isClosedPipe(error)) return EXIT.ok
  if (error instanceof FlowError) {
    complain(fileProblem(error) ?? error)
    return error instanceof OptionError ? EXIT.usage : EXIT.capture
  }
  complain(fileProblem(error) ?? (error as Error))
  return EXIT.capture
}

/** Who reads our output went away: `| head`. */
function isClosedPipe(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'EPIPE'
}
