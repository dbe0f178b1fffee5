/** `tcpskein flows`: one record per flow. */
import { Option, InvalidArgumentError, type Command } from 'commander'
import { observe, type AnyChain, type FlowError, type ObserveStats } from '../index.js'
import { CHAINS } from './chains.js'
import { offering, withExamples } from './grammar.js'
import { captureSources } from './live.js'
import { positive } from './numbers.js'
import { addOutputOptions, addReadingOptions, printRecords, readingOptions, type RunOptions } from './reading.js'
import { similar } from '../similar.js'
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
    .addOption(chainOption())
    .option('--idle-timeout <seconds>', 'packet time without a packet that ends a flow', positive, 30)
    .option('--expiry-timeout <seconds>', 'packet time a complete flow waits for late packets', positive, 5)
    .option('--max-flows <n>', 'most flows open at a time', positive, 1 << 20)
    .option('--aggregate', 'one flow for all packets')
  addReadingOptions(addOutputOptions(command))
    .action(async (files: string[], options: FlowOptions) => exit(await flows(files, options)))
  withExamples(
    command,
    ['tcpskein flows big.pcap', 'a table'],
    ['tcpskein flows big.pcap --format csv > flows.csv', 'for a spreadsheet'],
    ["tcpskein flows big.pcap --filter 'tcp port 80' --chain basic,tcp,mss --json", 'for a program'],
    ['tcpskein flows eth0.pcap eth1.pcap --merge', 'two captures at once, by packet time'],
    ['cat big.pcap | tcpskein flows -', 'standard input'],
    ['tcpskein flows -i eth0 --filter tcp', 'live, until Ctrl-C'],
  )
}

/** Which chains there are to choose of. */
export function chainOption(): Option {
  const names = Object.keys(CHAINS)
  const option = new Option('--chain <names>', `what to record, of ${names.join(', ')}`)
  return offering(option.argParser(chainNames).default(['basic', 'tcp'], 'basic,tcp'), names)
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
  if (unknown !== undefined) {
    const [meant] = similar(unknown, Object.keys(CHAINS))
    const ending = meant === undefined ? '' : ` Did you mean ${meant}?`
    throw new InvalidArgumentError(`There is no chain '${unknown}'; there are ${Object.keys(CHAINS).join(', ')}.${ending}`)
  }
  return names
}
