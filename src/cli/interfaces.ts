/** `tcpskein interfaces`: what can be captured on. */
import { Option, type Command } from 'commander'
import { interfaces, type NetworkInterface } from '../index.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { openStdout } from './stdout.js'

/** Adds the command; `exit` takes the status. */
export function interfacesCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('interfaces')
    .description('list network interfaces: names, addresses, and what they are like')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'ndjson']).default('table'))
    .action(async (options: { format: 'table' | 'ndjson' }) => exit(await list(options.format)))
  withExamples(command, ['tcpskein interfaces --format table', 'a table'], ['tcpskein interfaces --json', 'for a program'])
}

async function list(format: 'table' | 'ndjson'): Promise<number> {
  const found = interfaces()
  const stdout = openStdout()
  const text = format === 'ndjson' ? found.map(one => `${JSON.stringify(one)}\n`).join('') : table(found)
  await stdout.write(text)
  await stdout.end()
  return EXIT.ok
}

/** A line for each interface, and one for each further address. */
function table(found: readonly NetworkInterface[]): string {
  const rows = [['name', 'mac', 'address', 'flags'], ...found.flatMap(lines)]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row => `${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}\n`).join('')
}

function lines({ name, mac, addresses, flags }: NetworkInterface): string[][] {
  const [first = '-', ...more] = addresses.map(({ address, prefixLength }) =>
    prefixLength === null ? address : `${address}/${prefixLength}`,
  )
  return [[name, mac ?? '-', first, flags.join(',') || '-'], ...more.map(address => ['', '', address, ''])]
}
