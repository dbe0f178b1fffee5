/** `tcpskein bench`: both engines beside a plain read, on the user's own capture. */
import { writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { EngineName } from '../index.js'
import { Disagreement, measure } from './bench-measure.js'
import { jobsOf, KINDS } from './bench-jobs.js'
import { machine, table, type Measured } from './bench-report.js'
import { complain } from './complain.js'
import { EXIT } from './exit.js'
import { withExamples } from './grammar.js'
import { packageVersion } from './version.js'

interface BenchOptions {
  rounds: number
  job: (typeof KINDS)[number][]
  engine: EngineName[]
  samples?: string
  quiet?: true
}

const ENGINES: readonly EngineName[] = ['native', 'js']

/** Adds the command; `exit` takes the status. */
export function benchCommand(program: Command, exit: (status: number) => void): void {
  const command = program
    .command('bench')
    .description('time both engines beside a plain read, after checking that they find the same')
    .argument('<file...>', 'captures, each by itself')
    .option('--rounds <n>', 'runs of each job that are timed, 1 to 1000', rounds, 5)
    .addOption(new Option('--job <names>', `what to time, of ${KINDS.join(', ')}`).argParser(some(KINDS)).default([...KINDS]))
    .addOption(new Option('--engine <names>', 'by which engines').argParser(some(ENGINES)).default([...ENGINES]))
    .option('--samples <file>', 'write machine, versions and every sample as JSON')
    .option('-q, --quiet', 'no word of what is running on stderr')
    .action(async (files: string[], options: BenchOptions) => exit(await bench(files, options)))
  withExamples(
    command,
    ['tcpskein bench big.pcap --rounds 2', 'flow records and streams, by both engines'],
    ['tcpskein bench big.pcap --rounds 1 --job streams --engine js', 'one of them'],
  )
}

async function bench(files: readonly string[], options: BenchOptions): Promise<number> {
  const results: Measured[] = []
  for (const file of files)
    try {
      results.push(await benchFile(file, options))
      process.stdout.write(`${table(results.at(-1)!)}\n`)
    } catch (error) {
      if (!(error instanceof Disagreement)) throw error
      complain(`${file}: ${error.message}`)
      return EXIT.capture
    }
  if (options.samples !== undefined) {
    const taken = { date: new Date().toISOString(), ...machine(packageVersion()), rounds: options.rounds, results }
    writeFileSync(options.samples, `${JSON.stringify(taken, null, 2)}\n`)
  }
  return EXIT.ok
}

async function benchFile(file: string, { rounds: count, job, engine, quiet }: BenchOptions): Promise<Measured> {
  const { size } = await stat(file)
  const tell = (name: string, round: number) => {
    if (quiet !== true && process.stderr.isTTY) process.stderr.write(`\r\u001b[K${name}, ${round} of ${count}`)
  }
  const timed = await measure(file, jobsOf(job, engine), count, tell)
  if (quiet !== true && process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  return { capture: file, bytes: size, timed }
}

/** An argument parser for a comma-separated choice of words. */
function some<Word extends string>(words: readonly Word[]): (text: string) => Word[] {
  return text => {
    const chosen = text.split(',').map(name => words.find(word => word === name))
    if (chosen.includes(undefined)) throw new InvalidArgumentError(`Expected some of ${words.join(', ')}.`)
    return chosen as Word[]
  }
}

function rounds(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new InvalidArgumentError('Expected 1 to 1000.')
  return value
}
