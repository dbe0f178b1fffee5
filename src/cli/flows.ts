/** `tcpskein flows`: one record per flow. */
import { Option, InvalidArgumentError, type Command } from 'commander'
import { observe, type AnyChain, type FlowError, type ObserveStats } from '../index.js'
import { CHAINS } from './chains.js'
import { captureSources } from './live.js'
import { positive } from './numbers.js'
import { FORMATS } from './output.js'
import { addReadingOptions, printRecords, readingOptions, type RunOptions } from './reading.js'
import { flowTotals } from './totals.js'

interface FlowOptions extends RunOptions {
  chain: string[]
  idleTimeout: number
  expiryTimeout: number
  maxFlows: number
  aggregate?: true
}

/** Adds the command; `exit` takes the status. */
export function flowsCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('flows')
    .description('print one record per flow (both directions of a 5-tuple)')
    .argument('[file...]', 'captures in the order in which they were taken; - is standard input')
    .option('--chain <names>', `what to record, of ${Object.keys(CHAINS).join(', ')}`, chainNames, ['basic', 'tcp'])
    .addOption(new Option('--format <format>', 'how to print').choices(FORMATS).default('table'))
    .option('--idle-timeout <seconds>', 'packet time without a packet that ends a flow', positive, 30)
    .option('--expiry-timeout <seconds>', 'packet time a complete flow waits for late packets', positive, 5)
    .option('--max-flows <n>', 'most flows open at a time', positive, 1 << 20)
    .option('--aggregate', 'one flow for all packets')
  addReadingOptions(command)
    .action(async (files: string[], options: FlowOptions) => exit(await flows(files, options)))
}

async function flows(files: readonly string[], options: FlowOptions): Promise<number> {
  const errors: FlowError[] = []
  const chains = options.chain.map((name): AnyChain => CHAINS[name]!())
  const { idleTimeout, expiryTimeout, maxFlows, aggregate = false } = options
  const onError = (error: FlowError) => errors.push(error)
  const observer = observe(captureSources(files, options), {
    chains,
    idleTimeout,
    expiryTimeout,
    maxFlows,
    aggregate,
    onError,
    ...readingOptions(options),
  })
  const totals = ({ stats }: { stats: ObserveStats }, seconds: number) => flowTotals(stats, seconds)
  return printRecords(files, observer, errors, totals, options)
}

function chainNames(text: string): string[] {
  const names = text.split(',').filter(name => name !== '')
  const unknown = names.find(name => !Object.hasOwn(CHAINS, name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no chain '${unknown}'; there are ${Object.keys(CHAINS).join(', ')}.`)
  return names
}
