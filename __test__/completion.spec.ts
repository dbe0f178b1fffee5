// Completion: the scripts are loaded into real shells, which are then asked what they would offer.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createProgram } from '../src/cli/program.js'
import { has, run } from './support/cli.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-completion-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const commands = createProgram(() => {}).commands.map(command => command.name())

/** What is typed, and some of what must be offered for its last word. */
const CASES: [words: string[], offered: string[]][] = [
  [['fl'], ['flows']],
  [['flows', '--format', ''], ['table', 'ndjson', 'csv', 'json', 'parquet', 'arrow', 'zeek', 'zeek-json']],
  [['flows', '--format', 'c'], ['csv']],
  [['flows', '--che'], ['--checksum']],
  [['flows', '--chain', 'tcpo'], ['tcpopt']],
  [['connections', 'some.pcap', '--hash', ''], ['sha256']],
  [['completion', ''], ['bash', 'zsh', 'fish']],
  [['help', 'inf'], ['info']],
]

async function script(shell: string): Promise<string> {
  const { stdout } = await run(['completion', shell])
  const path = join(folder, `tcpskein.${shell}`)
  writeFileSync(path, stdout)
  return path
}

function answer(command: string, args: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0 || stderr !== '') throw new Error(`${command}: ${status}\n${stderr}`)
  return stdout.split('\n').filter(line => line !== '')
}

const quoted = (words: readonly string[]): string => words.map(word => `'${word}'`).join(' ')

test('bash', async t => {
  if (!has('bash')) {
    t.log('skipped: there is no bash')
    t.pass()
    return
  }
  const path = await script('bash')
  const offers = (words: readonly string[]) =>
    answer('bash', ['--norc', '-c', `source ${path}; COMP_WORDS=(tcpskein ${quoted(words)}); COMP_CWORD=${words.length}; _tcpskein; printf '%s\\n' "\${COMPREPLY[@]}"`])
  for (const [words, offered] of CASES) t.deepEqual(offers(words), offered, words.join(' '))
  t.deepEqual(offers(['flows', '--format', '=', 'nd']), ['ndjson'], '--format=nd')
  t.deepEqual(offers(['']).filter(word => commands.includes(word)), commands)
  t.deepEqual(offers(['flows', '']), [], 'files are left to the shell')
})

test('fish', async t => {
  if (!has('fish')) {
    t.log('skipped: there is no fish')
    t.pass()
    return
  }
  const path = await script('fish')
  for (const [words, offered] of CASES) {
    const found = answer('fish', ['-N', '-c', `source ${path}; complete -C 'tcpskein ${words.join(' ')}'`]).map(line => line.split('\t')[0]!)
    for (const word of offered) t.true(found.includes(word), `${words.join(' ')}: ${found.join(' ')}`)
  }
})

test('zsh', async t => {
  if (!has('zsh')) {
    t.log('skipped: there is no zsh')
    t.pass()
    return
  }
  const path = await script('zsh')
  // zsh completes in an editor of its own only: what would be told to it is printed here.
  const stubs = `_describe() { print -l -- "\${(@P)2%%:*}" }; _arguments() { print -l -- "$@" }; compdef() { }; source ${path}`
  const told = (words: readonly string[]) =>
    answer('zsh', ['-f', '-c', `${stubs}; words=(tcpskein ${quoted(words)}); CURRENT=${words.length + 1}; _tcpskein`])
  t.deepEqual(told(['']), [...commands, 'help'])
  const specs = told(['flows', '--format', ''])
  t.true(specs.some(spec => spec.startsWith('(--format)--format[') && spec.endsWith(':value:(table ndjson csv)')), specs.join('\n'))
  t.true(specs.includes('*:file:_files'))
  t.true(told(['completion', '']).includes('1:word:(bash zsh fish)'))
})
