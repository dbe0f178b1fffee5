/** All commands, and what they have in common. */
import { Command } from 'commander'
import { analyzeCommand } from './analyze.js'
import { benchCommand } from './bench.js'
import { complainOfUsage, explain } from './complain.js'
import { completionCommand } from './completion.js'
import { connectionsCommand } from './connections.js'
import { extractCommand } from './extract.js'
import { flowsCommand } from './flows.js'
import { decodeTcpCommand } from './decode-tcp.js'
import { followCommand } from './follow.js'
import { shareGrammar } from './grammar.js'
import { infoCommand } from './info.js'
import { interfacesCommand } from './interfaces.js'
import { mapCommand } from './map.js'
import { recordCommand } from './record.js'
import { reduceCommand } from './reduce.js'
import { reportCommand } from './report.js'
import { serveCommand } from './serve.js'
import { packageVersion } from './version.js'
import { traceCommand } from './trace.js'

/** Adds a command; `exit` takes the status when it has run. */
type AddCommand = (program: Command, exit: (status: number) => void) => void

/** In the order in which the help lists them. */
const COMMANDS: readonly AddCommand[] = [
  infoCommand,
  flowsCommand,
  connectionsCommand,
  analyzeCommand,
  reportCommand,
  serveCommand,
  followCommand,
  traceCommand,
  decodeTcpCommand,
  extractCommand,
  recordCommand,
  interfacesCommand,
  mapCommand,
  reduceCommand,
  benchCommand,
  completionCommand,
]

/** The program; `exit` takes the status of the command that ran. */
export function createProgram(exit: (status: number) => void): Command {
  const program = new Command('tcpskein')
    .description('TCP flows, connections and streams from packet captures')
    .usage('COMMAND [options] FILE...')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ outputError: complainOfUsage, writeErr: explain })
    .showHelpAfterError('(tcpskein --help shows what there is)')
  for (const add of COMMANDS) add(program, exit)
  shareGrammar(program)
  return program
}
