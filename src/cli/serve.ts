/** `tcpskein serve`: the page of a report from a server on this machine. */
import { InvalidArgumentError, type Command } from 'commander'
import { serveReport, type FlowError, type ReportProgress, type ReportServer } from '../index.js'
import { complain, writeObject } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { onInterrupt } from './interrupt.js'
import { openProgress } from './progress.js'
import { addPageOptions, noPage, onePass, pageOptions, type PageOptions } from './report.js'
import { openStdout } from './stdout.js'
import { count } from './totals.js'

interface ServeCommandOptions extends PageOptions {
  port?: number
}

/** Adds the command; `exit` takes the status. */
export function serveCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('serve')
    .description('show the page of a report from a server on this machine (127.0.0.1), until Ctrl-C; connections are read when asked for')
    .argument('<file...>', 'captures in the order in which they were taken')
    .option('--port <n>', 'the port to listen on (default: one that is free)', portNumber)
  addPageOptions(command, ['1,000,000', '200,000'])
    .action(async (files: string[], options: ServeCommandOptions) => exit(await serve(files, options)))
  withExamples(
    command,
    ['tcpskein serve big.pcap', 'prints where the page is, with the token that it asks for'],
    ["tcpskein serve big.pcap --filter 'tcp port 443' --port 8100", 'some packets, on a port of your choice'],
  )
}

function portNumber(text: string): number {
  const port = Number(text)
  if (text === '' || !Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('Expected a port, 0 to 65535.')
  return port
}

async function serve(files: readonly string[], options: ServeCommandOptions): Promise<number> {
  const errors: FlowError[] = []
  let now: ReportProgress = { inputBytes: 0, packets: 0, passes: 1 }
  const progress = openProgress(files, () => onePass(now), options.quiet !== true)
  const until = new AbortController()
  const interrupted = new Promise<void>(resolve => until.signal.addEventListener('abort', () => resolve()))
  onInterrupt(() => until.abort())
  let server: ReportServer
  try {
    server = await serveReport([...files], {
      ...pageOptions(options, errors, at => (now = at)),
      ...(options.port === undefined ? {} : { port: options.port }),
      signal: until.signal,
    })
  } catch (error) {
    if (until.signal.aborted) return EXIT.ok
    return noPage(error, errors)
  } finally {
    progress.stop()
  }
  for (const error of errors) complain(error)
  await openStdout().write(`${server.url}\n`)
  if (options.quiet !== true) tell(options, server, progress.seconds())
  await interrupted
  await server.close()
  return errors.length > 0 ? EXIT.capture : EXIT.ok
}

function tell({ json }: ServeCommandOptions, { connections, rows, leftOut }: ReportServer, seconds: number): void {
  if (json === true) return writeObject({ stats: { connections, rows, leftOut } })
  const lines = [`${count(connections, 'connection')} read in ${seconds.toFixed(2)} s; Ctrl-C ends the server`]
  process.stderr.write(`${[...lines, ...leftOut.map(text => `  ${text}`)].join('\n')}\n`)
}
