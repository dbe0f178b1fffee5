// `tcpskein extract`: files, totals, refusals, exit statuses.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { program, run } from './support/cli.js'
import { fixture, samplePath } from './support/places.js'
import { freePort } from './support/ports.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-cli-extract-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

let folders = 0
const newFolder = () => join(folder, String(++folders))
const lines = (text: string): string[] => text.split('\n').slice(0, -1)

test('captures and tables to a folder, totals on stderr', async t => {
  const out = newFolder()
  const { status, stdout, stderr } = await run(['extract', samplePath, '--out', out, '--writer', 'pcap,summary', '--stale', '180'])
  t.deepEqual([status, stdout], [0, ''])
  t.is(readdirSync(join(out, 'pcaps')).length, 8)
  t.is(readdirSync(join(out, 'flows')).length, 8)
  t.regex(stderr, /^90 packets, 8 streams in \d+\.\d\d s \([\d,]+ packets\/s\)\n {2}2 packets without IP\n {2}pcap: 8 files, [\d,]+ octets\n {2}summary: 8 files, [\d,]+ octets\n$/)
  const { stderr: quiet } = await run(['extract', samplePath, '--out', newFolder(), '--writer', 'summary', '-q'])
  t.is(quiet, '')
})

test('standard input, a filter, stale streams', async t => {
  const out = newFolder()
  const { status, stderr } = await run(['extract', samplePath, '--out', out, '--filter', 'port 25', '--stale', '0.001', '--writer', 'pcap'])
  t.is(status, 0)
  t.regex(stderr, /streams that ended as stale/)
  t.true(readdirSync(join(out, 'pcaps')).every(name => name.includes('_25-')))
})

test('nothing is overwritten without --force', async t => {
  const out = newFolder()
  t.is((await run(['extract', samplePath, '--out', out, '-q'])).status, 0)
  const again = await run(['extract', samplePath, '--out', out, '-q'])
  t.is(again.status, 1)
  t.regex(again.stderr, /^tcpskein: .*pcaps: there are captures already \(--force [^\n]*\)\n$/)
  t.is((await run(['extract', samplePath, '--out', out, '-q', '--force'])).status, 0)
})

const wrongUsage: Record<string, [args: string[], message: RegExp]> = {
  'no folder': [[], /--writer pcap needs --out/],
  'an unknown writer': [['--out', 'x', '--writer', 'pcap,mysql'], /no writer 'mysql'; there are pcap, summary, couchdb/],
  'no writer': [['--out', 'x', '--writer', ','], /Expected some of pcap/],
  'no database': [['--writer', 'couchdb'], /--writer couchdb needs --couchdb URL/],
  'a database that is none': [['--writer', 'couchdb', '--couchdb', 'http://u:s3cret@host/'], /url: expected http/],
  'a stale time that is no number': [['--out', 'x', '--stale', 'long'], /stale.*number/],
  'a part of no packets': [['--out', 'x', '--flush-packets', '0'], /--flush-packets: .*from 1/],
}

for (const [title, [args, message]] of Object.entries(wrongUsage))
  test(`exit status 2: ${title}`, async t => {
    const { status, stdout, stderr } = await run(['extract', samplePath, ...args])
    t.deepEqual([status, stdout], [2, ''])
    t.regex(stderr, message)
    t.notRegex(stderr, /s3cret|^ +at /m)
  })

test('exit status 1: a database that can not be connected to, told at once and in plain words', async t => {
  const port = await freePort()
  const args = ['extract', samplePath, '--writer', 'couchdb', '--couchdb']
  const child = spawn(process.execPath, [program, ...args, `http://u:s3cret@127.0.0.1:${port}/db`], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [first] = (await once(child.stderr.setEncoding('utf8'), 'data')) as [string]
  child.kill()
  t.is(first, `tcpskein: http://127.0.0.1:${port}/db: cannot connect: connection refused; trying again\n`)
  const { status, stderr } = await run([...args, 'http://127.0.0.1:6000/db', '-q'])
  t.deepEqual([status, stderr], [1, "tcpskein: writer 'couchdb': http://127.0.0.1:6000/db: cannot connect: this port is not for HTTP\n"])
})

test('exit status 1: a broken capture, a folder that can\'t be made, a server that is gone', async t => {
  const cut = await run(['extract', fixture('capture-last-cut.pcap'), '--out', newFolder()])
  t.is(cut.status, 1)
  t.regex(lines(cut.stderr)[0]!, /^tcpskein: .*capture-last-cut\.pcap: offset \d+: /)
  t.regex(cut.stderr, /pcap: \d+ files/)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const blocked = await run(['extract', samplePath, '--out', file, '-q'])
  t.is(blocked.status, 1)
  t.regex(blocked.stderr, /^tcpskein: writer 'pcap': ENOTDIR[^\n]*\n$/)
})
