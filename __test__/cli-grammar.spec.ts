// What all commands have in common: help with examples, hints after mistakes, --json and --quiet, NO_COLOR.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createProgram } from '../src/cli/program.js'
import { similar } from '../src/similar.js'
import { has, run, shell } from './support/cli.js'
import { fixture, samplePath } from './support/places.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-grammar-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const { commands } = createProgram(() => {})
const lines = (text: string): string[] => text.split('\n').slice(0, -1)

for (const command of commands) {
  const name = command.name()
  test(`${name}: help with examples of itself, --quiet and --json`, async t => {
    const { status, stdout, stderr } = await run([name, '--help'])
    t.deepEqual([status, stderr], [0, ''])
    const [, examples = ''] = /\nExamples:\n([^]*)$/.exec(stdout) ?? []
    t.true(lines(examples).length > 0, 'there are examples')
    for (const line of lines(examples)) t.regex(line, new RegExp(`^ {2}.*tcpskein ${name} .+ # \\S`))
    t.regex(stdout, /\n {2}-q, --quiet /)
    t.regex(stdout, /\n {2}--json /)
    t.true(command.options.every(option => option.description !== ''), 'each option says what it does')
  })

  test(`${name}: an unknown option shows how it is used`, async t => {
    const { status, stdout, stderr } = await run([name, '--nonsense'])
    t.deepEqual([status, stdout], [2, ''])
    t.is(lines(stderr)[0], "tcpskein: unknown option '--nonsense'")
    t.regex(stderr, new RegExp(`\\(usage: tcpskein ${name} .*, for example: .*tcpskein ${name} .*; tcpskein ${name} --help shows more\\)\n$`))
  })
}

test('the help lists commands, an example of each, and exit statuses', async t => {
  const { stdout } = await run(['--help'])
  for (const command of commands) t.regex(stdout, new RegExp(`\n {2}.*tcpskein ${command.name()} .+ # `), command.name())
  t.regex(stdout, /\nExit status:\n {2}0 {2}.*\n {2}1 {2}.*\n {2}2 {2}/)
})

const sentences: [what: string, args: string[], status: number, expected: RegExp][] = [
  ['a mistyped command', ['flwos', samplePath], 2, /^tcpskein: unknown command 'flwos'\n\(Did you mean flows\?\)\n/],
  ['a mistyped option', ['flows', samplePath, '--formt', 'csv'], 2, /^tcpskein: unknown option '--formt'\n\(Did you mean --format\?\)\n/],
  ['a mistyped chain', ['flows', samplePath, '--chain', 'bsaic'], 2, /Did you mean basic\?/],
  ['a file in place of a command', [samplePath], 2, /^tcpskein: '.*sample\.pcap' is a file, and the command is missing\n\(for example: tcpskein info .*sample\.pcap; /],
  ['a missing file', ['flows'], 2, /^tcpskein: missing required argument 'file'/],
  ['a mistyped file', ['flows', samplePath.replace('sample.', 'smaple.'), '-q'], 1, /cannot open: [^\n]* \(did you mean \S*sample\.pcap\?\)\n$/],
  ['a folder', ['flows', folder, '-q'], 1, /it is a directory \(for example: .*\*\.pcap\)\n$/],
]

for (const [what, args, expected, message] of sentences) {
  test(`${what} gets a line that helps`, async t => {
    const { status, stdout, stderr } = await run(args)
    t.deepEqual([status, stdout.trim()], [expected, ''])
    t.regex(stderr, message)
  })
}

test('where a filter is wrong is shown below it', async t => {
  for (const engine of ['native', 'js']) {
    const { status, stderr } = await run(['flows', samplePath, '--filter', 'tcp prt 80', '--engine', engine])
    t.is(status, 2)
    t.regex(stderr, /^tcpskein: option filter: [^\n\\]*"prt"\ntcp prt 80\n {4}\^\^\^\n$/)
  }
})

test('a file of another kind is named', async t => {
  const kinds: [name: string, content: string, hint: RegExp][] = [
    ['snoop.cap', 'snoop\0\0\0\0\0\0\u0002', /a snoop capture; editcap -F pcap converts it/],
    ['netmon.cap', 'GMBU\0\u0002\u0001\0', /a Network Monitor capture/],
    ['some.bz2', 'BZh91AY&SY', /compressed with bzip2; bzcat \S+some\.bz2 gives/],
    ['some.zip', 'PK\u0003\u0004\u0014', /a ZIP archive; unzip -p \S+some\.zip gives/],
    ['notes.txt', '10:00:00.1 IP 192.0.2.1.80 > 192.0.2.2.1024: Flags [S]\n', /this is a text; captures are what tcpdump -w/],
    ['page.xml', '<?xml version="1.0"?><pdml>', /this is XML/],
    ['octets', '\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008', /no magic number of pcap or pcapng\n$/],
  ]
  for (const [name, content, hint] of kinds) {
    writeFileSync(join(folder, name), content, 'latin1')
    const { status, stderr } = await run(['flows', join(folder, name), '-q'])
    t.is(status, 1)
    t.is(lines(stderr).length, 1)
    t.regex(stderr, hint)
  }
})

interface Complaint {
  error?: { code?: string; message: string; hint?: string }
  stats?: { packets: number }
}

test('--json: every line on stderr is an object, every one on stdout a record', async t => {
  const cases: [args: string[], status: number, code: string][] = [
    [['flows', fixture('capture-last-cut.pcap'), '--json'], 1, 'ERR_CAPTURE_TRUNCATED'],
    [['connections', samplePath.replace('sample.', 'smaple.'), '--json'], 1, 'ERR_CAPTURE_IO'],
    [['info', fixture('capture-magic-wrong.pcap'), '--json'], 1, 'ERR_CAPTURE_FORMAT'],
    [['flows', samplePath, '--max-flows', '0', '--json'], 2, 'ERR_INVALID_OPTION'],
    [['flows', samplePath, '--filter', 'tcp prot 80', '--json'], 2, 'ERR_INVALID_OPTION'],
    [['flwos', '--json'], 2, 'ERR_USAGE'],
    [['flows', '--json'], 2, 'ERR_USAGE'],
    [['flows', samplePath, '--format', 'xml', '--json'], 2, 'ERR_USAGE'],
  ]
  for (const [args, status, code] of cases) {
    const found = await run(args)
    t.is(found.status, status, args.join(' '))
    const complaints = lines(found.stderr).map(line => JSON.parse(line) as Complaint)
    t.is(complaints[0]!.error?.code, code, found.stderr)
    t.truthy(complaints[0]!.error?.message)
    for (const line of lines(found.stdout)) t.notThrows(() => JSON.parse(line) as unknown)
  }
  const { stdout, stderr } = await run(['flows', samplePath, '--json'])
  t.is(lines(stdout).length, 11)
  t.is((JSON.parse(stderr) as Complaint).stats?.packets, 90)
  const csv = await run(['flows', samplePath, '--json', '--format', 'csv', '--quiet'])
  t.regex(csv.stdout, /^flow_id,/, 'a format of one’s own goes first')
  t.is(csv.stderr, '')
})

test('--json and --quiet may stand before the command', async t => {
  const after = await run(['flows', samplePath, '--json', '--quiet'])
  for (const before of [['--json', '--quiet'], ['-q', '--json']]) t.deepEqual(await run([...before, 'flows', samplePath]), after)
  t.regex((await run(['--json'])).stdout, /^Usage: tcpskein /)
  t.is((await run(['-q', '--version'])).status, 0)
  t.is((JSON.parse((await run(['--json', 'flwos'])).stderr) as Complaint).error?.code, 'ERR_USAGE')
})

test('colours only on a terminal, and not with NO_COLOR', t => {
  if (process.platform === 'win32' || !has('script')) {
    t.log('skipped: there is no program `script` to make a terminal')
    t.pass()
    return
  }
  const onTerminal = (before: string) =>
    shell(`${before} script -qec '"${process.execPath}" bin/tcpskein.js follow "${samplePath}" --connection 0' /dev/null`).stdout
  const escape = '\u001B['
  t.true(onTerminal('env -u NO_COLOR -u FORCE_COLOR -u CI TERM=xterm-256color').includes(escape))
  t.false(onTerminal('env -u FORCE_COLOR -u CI NO_COLOR=1 TERM=xterm-256color').includes(escape))
  t.false(shell(`tcpskein follow "${samplePath}" --connection 0`).stdout.includes(escape))
})

test('similar: the nearest words, best first, none far away', t => {
  const words = ['flows', 'follow', 'info', 'connections']
  t.deepEqual(similar('flwos', words), ['flows'])
  t.deepEqual(similar('folow', words)[0], 'follow')
  t.deepEqual(similar('INFO', words), ['info'])
  t.deepEqual(similar('xyz', words), [])
  t.false(similar('flows', words).includes('flows'))
})
