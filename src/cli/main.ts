/** The command line: arguments to options, and an exit status. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { FlowError, OptionError } from '../index.js'
import { complain } from './complain.js'
import { connectionsCommand } from './connections.js'
import { EXIT } from './exit.js'
import { extractCommand } from './extract.js'
import { flowsCommand } from './flows.js'
import { followCommand } from './follow.js'
import { infoCommand } from './info.js'

/**
 * Runs the command line.
 *
 * @param args arguments without the program's name
 * @returns the exit status: 0, 1 (a capture could not be read in full) or 2 (bad usage)
 */
export async function main(args: readonly string[]): Promise<number> {
  let status: number = EXIT.ok
  const program = new Command('tcpskein')
    .description('TCP flows, connections and streams from packet captures')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'tcpskein: ')) })
    .showHelpAfterError('(tcpskein --help shows what there is)')
  const exit = (code: number) => (status = code)
  flowsCommand(program, exit)
  connectionsCommand(program, exit)
  infoCommand(program, exit)
  followCommand(program, exit)
  extractCommand(program, exit)
  try {
    await program.parseAsync(args.length > 0 ? [...args] : ['--help'], { from: 'user' })
  } catch (error) {
    return failure(error)
  }
  return status
}

function failure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (isClosedPipe(error)) return EXIT.ok
  if (error instanceof FlowError) {
    complain(error.message)
    return error instanceof OptionError ? EXIT.usage : EXIT.capture
  }
  const { message, code } = error as { message?: string; code?: string }
  complain(`${message ?? String(error)}${code === undefined ? '' : ` (${code})`}`)
  return EXIT.capture
}

/** Who reads our output went away: `| head`. */
function isClosedPipe(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'EPIPE'
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
