// `tcpskein trace`: files, totals on stderr, exit statuses.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { traceFlows } from '../src/index.js'
import { run } from './support/cli.js'
import { fixture, samplePath } from './support/places.js'

const base = mkdtempSync(join(tmpdir(), 'tcpskein-trace-cli-'))
test.after.always(() => rmSync(base, { recursive: true, force: true }))

let folders = 0
const folder = (): string => join(base, `out-${folders++}`)
const lines = (text: string): string[] => text.split('\n').slice(0, -1)

test('a file per flow, as the library writes them; totals on stderr, nothing on standard output', async t => {
  for (const [args, options] of [
    [[], {}],
    [['--format', 'json'], { format: 'json' }],
    [['--format', 'pcapng', '--bidirectional', '--nanosecond', '--byteorder', 'big'], { format: 'pcapng', bidirectional: true, nanosecond: true, byteorder: 'big' }],
  ] as const) {
    const [out, fout] = [folder(), folder()]
    const { index, stats } = await traceFlows(samplePath, { fout, ...options })
    const { status, stdout, stderr } = await run(['trace', samplePath, '--out', out, ...args])
    t.deepEqual([status, stdout], [0, ''])
    t.deepEqual(readdirSync(out), readdirSync(fout))
    for (const name of readdirSync(out)) t.deepEqual(readFileSync(join(out, name)), readFileSync(join(fout, name)))
    const found = lines(stderr)
    t.regex(found[0]!, new RegExp(`^90 packets, ${index.length} flows in \\d+\\.\\d\\d s \\([\\d,]+ packets/s\\)$`))
    t.true(found.includes('  2 packets without IP'))
    t.true(found.includes(`  ${stats.notTcp} packets without TCP`))
    t.is(found.at(-1), `  ${stats.files} files, ${stats.writtenBytes.toLocaleString('en')} octets, at most ${stats.mostOpenFiles} open at a time`)
  }
})

test('--max-open-files bounds what is open', async t => {
  const { status, stderr } = await run(['trace', samplePath, '--out', folder(), '--max-open-files', '2', '--format', 'tree'])
  t.is(status, 0)
  t.regex(stderr, /, at most 2 open at a time\n$/)
})

test('standard input, a filter, and quiet', async t => {
  const out = folder()
  const { status, stderr } = await run(['trace', '-', '--out', out, '--filter', 'tcp port 80', '-q'], readFileSync(samplePath))
  t.deepEqual([status, stderr], [0, ''])
  t.true(readdirSync(out).length > 0)
  for (const name of readdirSync(out)) t.regex(name, /_80-/)
})

test('a file that is there already: one line, status 1; with --force it is replaced', async t => {
  const out = folder()
  t.is((await run(['trace', samplePath, '--out', out, '-q'])).status, 0)
  const before = readdirSync(out)
  const { status, stderr } = await run(['trace', samplePath, '--out', out, '-q'])
  t.is(status, 1)
  t.is(lines(stderr).length, 1)
  t.regex(stderr, /^tcpskein: .*\.pcap: the file exists already \(--force [^\n]*\)\n$/)
  t.deepEqual(await run(['trace', samplePath, '--out', out, '-q', '--force']), { status: 0, stdout: '', stderr: '' })
  t.deepEqual(readdirSync(out), before)
})

test('a file where the folder should be: one line, status 1', async t => {
  const out = folder()
  writeFileSync(out, 'mine')
  const { status, stderr } = await run(['trace', samplePath, '--out', out])
  t.is(status, 1)
  t.regex(stderr, /^tcpskein: .*: the file exists already, and is no folder\n$/)
  t.is(readFileSync(out, 'utf8'), 'mine')
})

test('no permission to write: one line that names the file, status 1', async t => {
  if (process.platform === 'win32' || process.getuid?.() === 0) {
    t.log('skipped: root may write everywhere')
    t.pass()
    return
  }
  const out = folder()
  mkdirSync(out, { mode: 0o500 })
  const { status, stderr } = await run(['trace', samplePath, '--out', out])
  t.is(status, 1)
  t.regex(stderr, /^tcpskein: .*\.pcap: cannot create: [^\n]*ermission[^\n]*\n$/)
})

test('bad captures: what was read is written, the status is 1', async t => {
  const out = folder()
  const { status, stderr } = await run(['trace', fixture('capture-last-cut.pcap'), join(base, 'missing.pcap'), '--out', out])
  t.is(status, 1)
  t.is(lines(stderr).filter(line => line.startsWith('tcpskein: ')).length, 2)
  t.regex(stderr, /\n21 packets, /)
  t.true(readdirSync(out).length > 0)
})

test('bad usage: status 2, and no folder is made', async t => {
  const out = folder()
  for (const args of [[], ['--out', out, '--format', 'docx'], ['--out', out, '--max-open-files', '0'], ['--out', out, '--separate'], ['--out', out, '--filter', 'nonsense (']]) {
    const { status, stderr } = await run(['trace', samplePath, ...args])
    t.is(status, 2, args.join(' '))
    t.true(stderr.length > 0)
  }
  t.false(existsSync(out) && readdirSync(out).length > 0)
})
