// The command line: exit statuses, formats, what goes to stderr, and one line for each thing that goes wrong.
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { has, run, shell } from './support/cli.js'
import { pcap, tcpFrame } from './support/frames.js'
import { NO_CORPUS, corpusFolder, fixture, readJson, root, samplePath } from './support/places.js'
import { expectedSample } from './support/sample.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-cli-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const sample = readFileSync(samplePath)
const lines = (text: string): string[] => text.split('\n').slice(0, -1)
const onUnix = process.platform === 'win32' ? test.skip : test

test('NDJSON: a line for each flow, times as integers with every digit', async t => {
  const { status, stdout, stderr } = await run(['flows', samplePath, '--format', 'ndjson'])
  t.is(status, 0)
  const found = lines(stdout)
  t.is(found.length, expectedSample.flows.length)
  const records = found.map(line => JSON.parse(line) as Record<string, unknown>)
  for (const [i, line] of found.entries()) {
    const expected = expectedSample.flows.find(flow => flow.first_packet === records[i]!.first_packet)
    t.true(line.includes(`"first_ns":${String(expected?.first_ns)},`), line)
    const { first_ns: _, last_ns: _last, ...rest } = expected!
    t.like(records[i], rest)
  }
  t.regex(stderr, /^90 packets, 11 flows in \d+\.\d\d s \([\d,]+ packets\/s\)\n {2}2 packets without IP\n$/)
})

test('CSV: a header, then a line for each flow; null is empty', async t => {
  const { status, stdout } = await run(['flows', samplePath, '--format', 'csv', '--chain', 'tcp,basic', '-q'])
  t.is(status, 0)
  const [header, ...rows] = lines(stdout).map(line => line.split(','))
  t.deepEqual(header!.slice(0, 12), ['flow_id', 'ip_version', 'pkt_first', 'pkt_last', 'first_ns', 'last_ns', 'first_packet', 'end_reason', 'vlan', 'tunnel', 'tunnel_id', 'tcp_synflags_fwd'])
  t.is(header!.length, 11 + 7 + 9)
  t.is(rows.length, expectedSample.flows.length)
  for (const row of rows) {
    const record = Object.fromEntries(header!.map((name, i) => [name, row[i]]))
    const expected = expectedSample.flows.find(flow => String(flow.first_packet) === record.first_packet)!
    for (const [name, value] of Object.entries(expected)) t.is(record[name], value === null ? '' : String(value), name)
  }
})

test('table: a header, columns in line, - for null', async t => {
  const { status, stdout } = await run(['flows', samplePath, '-q'])
  t.is(status, 0)
  const [header, ...rows] = lines(stdout)
  t.is(rows.length, expectedSample.flows.length)
  const at = header!.indexOf('sip')
  for (const row of rows) t.regex(row.slice(at - 2), /^ {2}\S/, row)
  t.true(rows.some(row => / - /.test(row)))
})

test('a capture without a flow: no record, and no failure', async t => {
  for (const format of ['table', 'ndjson', 'csv']) {
    const { status, stdout, stderr } = await run(['flows', fixture('capture-no-packets.pcap'), '--format', format])
    t.is(status, 0)
    // CSV names its columns all the same.
    if (format === 'csv') t.regex(stdout, /^flow_id,[^\n]*\n$/)
    else t.is(stdout.trim(), '')
    t.regex(stderr, /^0 packets, 0 flows in /)
  }
})

test('standard input as -, alone and among files', async t => {
  const alone = await run(['flows', '-', '--format', 'ndjson', '-q'], sample)
  const file = await run(['flows', samplePath, '--format', 'ndjson', '-q'])
  t.deepEqual(alone, file)
  const both = await run(['flows', '-', fixture('link-raw.pcap'), '--format', 'ndjson', '-q'], sample)
  t.is(both.status, 0)
  const captures = lines(both.stdout).map(line => (JSON.parse(line) as { capture: string }).capture)
  t.deepEqual(new Set(captures), new Set(['standard input', fixture('link-raw.pcap')]))
})

test('options reach the engine', async t => {
  const { stdout } = await run(['flows', samplePath, '--format', 'ndjson', '-q', '--aggregate', '--chain', 'basic'])
  t.is(lines(stdout).length, 1)
  const evicted = await run(['flows', samplePath, '--max-flows', '1', '--chain', '', '--format', 'csv'])
  t.regex(evicted.stderr, /flows ended early: the table was full/)
})

const wrongUsage: Record<string, [args: string[], message: RegExp]> = {
  'an unknown command': [['flow', samplePath], /unknown command 'flow'/],
  'an unknown option': [['flows', samplePath, '--colour'], /unknown option '--colour'/],
  'an unknown chain': [['flows', samplePath, '--chain', 'basic,nonsense'], /no chain 'nonsense'; there are basic, tcp/],
  'an unknown format': [['flows', samplePath, '--format', 'xml'], /Allowed choices are table, ndjson, csv/],
  'no file': [['flows'], /missing required argument 'file'/],
  'a timeout that is no number': [['flows', samplePath, '--idle-timeout', 'long'], /idle-timeout.*number/],
  'a negative timeout': [['flows', samplePath, '--expiry-timeout', '-3'], /expiry-timeout.*number/],
  'a recording to standard output': [['record', '-i', 'nosuch0', '-w', '-'], /-w - is no file, .*standard output/],
  'no room for flows': [['flows', samplePath, '--max-flows', '0'], /^tcpskein: --max-flows: .*from 1/],
  'an option with a name of its own': [['report', samplePath, '-o', 'x', '--max-size', '10K'], /^tcpskein: --max-size: expected/],
  'help for an unknown command': [['help', 'flow'], /^tcpskein: unknown command 'flow'\n/],
  'an unknown option where one is missing': [['follow', samplePath, '--conn', '0'], /^tcpskein: unknown option '--conn'\n/],
  'an option that is missing': [['follow', samplePath], /^tcpskein: required option '--connection <number>' not specified\n/],
  'a digest of flows': [['reduce', samplePath, '--hash', 'sha256'], /^tcpskein: --hash: only with --connections\n/],
}

for (const [title, [args, message]] of Object.entries(wrongUsage)) {
  test(`exit status 2: ${title}`, async t => {
    const { status, stdout, stderr } = await run(args)
    t.deepEqual([status, stdout], [2, ''])
    t.regex(stderr, message)
    t.regex(lines(stderr)[0]!, /^tcpskein: /)
    t.notRegex(stderr, /^ +at /m)
  })
}

test('help and version are no failures', async t => {
  for (const args of [['--help'], ['flows', '--help'], []]) {
    const { status, stdout, stderr } = await run(args)
    t.deepEqual([status, stderr], [0, ''], args.join(' '))
    t.regex(stdout, /^Usage: tcpskein /)
  }
  const { version } = readJson<{ version: string }>(join(root, 'package.json'))
  t.deepEqual(await run(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' })
})

const unreadable: Record<string, [path: () => string, message: RegExp]> = {
  'a missing file': [() => join(folder, 'missing.pcap'), /missing\.pcap: cannot open: /],
  'a directory': [() => folder, /: cannot read: it is a directory \(/],
  'an empty file': [() => fixture('capture-empty.pcap'), /: offset 0: the file is empty$/],
  'a wrong magic': [() => fixture('capture-magic-wrong.pcap'), /: offset 0: not a capture/],
  'a cut header': [() => fixture('capture-header-cut.pcap'), /: offset 0: .*cut short/],
  'a path with a newline in it': [() => join(folder, 'a\nb.pcap'), /cannot open/],
}

for (const [title, [path, message]] of Object.entries(unreadable)) {
  test(`exit status 1 and one line: ${title}`, async t => {
    const { status, stderr } = await run(['flows', path(), '-q'])
    t.is(status, 1)
    t.is(lines(stderr).length, 1, stderr)
    t.regex(lines(stderr)[0]!, /^tcpskein: /)
    t.regex(lines(stderr)[0]!, message)
  })
}

onUnix('exit status 1 and one line: no permission', async t => {
  if (process.getuid?.() === 0) {
    t.log('skipped: root may read everything')
    t.pass()
    return
  }
  const path = join(folder, 'secret.pcap')
  writeFileSync(path, sample)
  chmodSync(path, 0)
  const { status, stderr } = await run(['flows', path, '-q'])
  t.is(status, 1)
  t.regex(stderr, /^tcpskein: .*secret\.pcap: cannot open: [^\n]*ermission[^\n]*\n$/)
})

test('exit status 1 and one line: an output that can not be written', async t => {
  const path = join(folder, 'no', 'such')
  for (const args of [['flows', samplePath, '--format', 'csv', '-q'], ['report', samplePath, '-q']]) {
    const { status, stderr } = await run([...args, '-o', path])
    t.deepEqual([status, stderr], [1, `tcpskein: ${path}: cannot open: no such file or directory\n`])
  }
  if (!existsSync('/dev/full')) return
  for (const line of ['flows --help', `info "${samplePath}"`, `flows "${samplePath}" -q`]) {
    const { status, stderr } = shell(`tcpskein ${line} > /dev/full`)
    t.deepEqual([status, stderr], [1, 'tcpskein: output: cannot write: no space left on device\n'], line)
  }
})

test('exit status 1 and one line that names --force: an output that is there already', async t => {
  for (const command of [['flows'], ['connections'], ['analyze'], ['analyze', '--series', '0']]) {
    const path = join(folder, `there-${command.join('')}.ndjson`)
    const args = [command[0]!, samplePath, ...command.slice(1), '--format', 'ndjson', '-q', '-o', path]
    t.deepEqual(await run(args), { status: 0, stdout: '', stderr: '' })
    const before = readFileSync(path)
    writeFileSync(path, 'mine')
    const refused = await run(args)
    t.deepEqual(refused, { status: 1, stdout: '', stderr: `tcpskein: ${path}: the file exists already (--force replaces what has the same name)\n` })
    t.is(readFileSync(path, 'utf8'), 'mine')
    t.deepEqual(await run([...args, '--force']), { status: 0, stdout: '', stderr: '' })
    t.deepEqual(readFileSync(path), before)
  }
})

test('a run that fails before its first record leaves no file that it made', async t => {
  const path = join(folder, 'never.csv')
  const missing = join(folder, 'nosuch.pcap')
  const failing = [
    ...[['flows'], ['connections'], ['analyze'], ['analyze', '--series', '0']].map(command => [...command, missing]),
    ['flows', samplePath, '--filter', 'tcp port'],
    ['analyze', samplePath, '--series', '99'],
  ]
  for (const command of failing)
    for (const format of ['csv', 'json', 'parquet']) {
      const { status, stdout, stderr } = await run([...command, '--format', format, '-q', '-o', path])
      t.not(status, 0)
      t.not(stderr, '')
      t.is(stdout, '')
      t.false(existsSync(path), command.join(' '))
    }
  // Flows that came before the failure stay, and so does a file without any where all is well.
  t.is((await run(['flows', samplePath, missing, '--format', 'csv', '-q', '-o', path])).status, 1)
  t.true(lines(readFileSync(path, 'utf8')).length > 1)
  t.is((await run(['flows', samplePath, '--filter', 'port 1', '--format', 'csv', '-q', '-o', path, '--force'])).status, 0)
  t.is(lines(readFileSync(path, 'utf8')).length, 1)
})

onUnix('exit status 2 and one line: an output that is an input, whatever it is called', async t => {
  const input = join(folder, 'input.pcap')
  copyFileSync(samplePath, input)
  const [soft, hard] = [join(folder, 'soft.pcap'), join(folder, 'hard.pcap')]
  symlinkSync(input, soft)
  linkSync(input, hard)
  const commands = [['flows'], ['connections'], ['analyze'], ['analyze', '--series', '0']].map(command => [...command, '--format', 'csv'])
  for (const command of [...commands, ['report']])
    for (const [read, written] of [[input, input], [input, soft], [soft, input], [input, hard]] as const) {
      const { status, stdout, stderr } = await run([...command, read, '-o', written, '--force'])
      t.deepEqual([status, stdout, stderr], [2, '', `tcpskein: ${written}: this file is an input, and would be overwritten\n`])
      t.deepEqual(readFileSync(input), sample)
    }
  t.is(shell(`tcpskein flows - --format csv -o ${input} --force < ${input}`).status, 2)
  t.deepEqual(readFileSync(input), sample)
})

onUnix('exit status 2 and one line: a folder of outputs in which an input would be one', async t => {
  for (const [command, below, ...rest] of [['extract', 'pcaps', '--stale', '9999'], ['trace', '']] as const) {
    const out = join(folder, `among-${command}`)
    mkdirSync(out)
    const args = [command, samplePath, '--out', out, ...rest, '-q', '--force']
    t.deepEqual(await run(args), { status: 0, stdout: '', stderr: '' })
    const name = readdirSync(join(out, below))[0]!
    const path = join(out, below, name)
    const others = readdirSync(join(out, below)).length
    rmSync(path)
    copyFileSync(samplePath, path)
    const { status, stderr } = await run([command, path, ...args.slice(2)])
    t.deepEqual([status, stderr], [2, `tcpskein: ${path}: this file is an input, and would be overwritten\n`])
    t.deepEqual(readFileSync(path), sample)
    t.is(readdirSync(join(out, below)).length, others)
    // One of another name stays as it is.
    const beside = join(out, below, 'input.pcap')
    copyFileSync(samplePath, beside)
    t.is((await run([command, beside, ...args.slice(2)])).status, 0)
    t.deepEqual(readFileSync(beside), sample)
  }
})

onUnix('a device is written to without --force', async t => {
  t.is((await run(['flows', samplePath, '--format', 'csv', '-q', '-o', '/dev/null'])).status, 0)
})

test('what comes before the damage is printed and counted', async t => {
  const { status, stdout, stderr } = await run(['flows', fixture('capture-last-cut.pcap'), '--format', 'ndjson'])
  t.is(status, 1)
  t.is(lines(stdout).length, 2)
  const [error, totals] = lines(stderr)
  t.regex(error!, /^tcpskein: .*capture-last-cut\.pcap: offset \d+: a packet is cut short: \d+ octets needed, \d+ there$/)
  t.regex(totals!, /^21 packets, 2 flows in /)
})

test('info and follow decode as they are told to', async t => {
  const inner = tcpFrame({ flags: 2 })
  const outer = [0x45, 0, 0, inner.length + 6, 0, 0, 0, 0, 64, 4, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2]
  const tunnel = join(folder, 'tunnel.pcap')
  writeFileSync(tunnel, pcap([[0n, Uint8Array.from([...inner.subarray(0, 14), ...outer, ...inner.subarray(14)])]]))
  const info = async (...args: string[]) => (await run(['info', tunnel, '--json', ...args])).stdout
  t.regex(await info(), /"10\.0\.0\.1"/)
  t.regex(await info('--no-decap', '--ignore-encap'), /"172\.16\.0\.1"/)
  t.notRegex(await info('--checksum', 'drop'), /"10\.0\.0\.1"/)
  const follow = (...args: string[]) => run(['follow', tunnel, '--connection', '0', '--merge', '--ignore-encap', ...args])
  t.is((await follow()).status, 0)
  for (const args of [['--no-decap'], ['--checksum', 'drop']]) t.regex((await follow(...args)).stderr, /there is no connection 0/)
})

test('one bad capture among good ones: all are read, the status is 1', async t => {
  const files = [fixture('link-raw.pcap'), join(folder, 'missing.pcap'), fixture('link-sll.pcap')]
  const { status, stderr } = await run(['flows', ...files])
  t.is(status, 1)
  t.is(lines(stderr).length, 2)
  t.regex(stderr, /\n44 packets, /)
})

onUnix('a closed pipe ends quietly', t => {
  const many = Array.from({ length: 400 }, () => `"${samplePath}"`).join(' ')
  for (const format of ['table', 'ndjson', 'csv']) {
    const { status, stdout, stderr } = shell(`tcpskein flows ${many} --format ${format} --idle-timeout 0 --expiry-timeout 0 -q | head -n 1`)
    t.deepEqual([status, stderr, lines(stdout).length], [0, '', 1], format)
  }
  // Until `true` has gone, so that there surely is nobody who reads.
  for (const line of ['--help', 'flows --help', 'help flows', `info "${samplePath}"`, `connections "${samplePath}" --format ndjson 2>&1`])
    t.deepEqual(shell(`(sleep 0.3; tcpskein ${line}) | true`), { status: 0, stdout: '', stderr: '' }, line)
  t.deepEqual(shell(`tcpskein flows "${samplePath}" -q | true`), { status: 0, stdout: '', stderr: '' })
})

onUnix('progress is shown on a terminal, and only there', async t => {
  const { stderr } = await run(['flows', samplePath])
  t.false(stderr.includes('MiB') || stderr.includes('\u001B'), stderr)
  if (!has('script')) {
    t.log('skipped in part: there is no program `script` to make a terminal')
    return
  }
  // Standard input that stays open for a while, so that there is time for a progress line.
  const { stdout } = shell(`script -qec '(cat "${samplePath}"; sleep 0.5) | "${process.execPath}" bin/tcpskein.js flows - --format ndjson > "${folder}/out"' /dev/null`)
  t.regex(stdout, /MiB .*packets\/s/)
  t.is(lines(readFileSync(join(folder, 'out'), 'utf8')).length, expectedSample.flows.length)
  const quiet = shell(`script -qec '(cat "${samplePath}"; sleep 0.5) | "${process.execPath}" bin/tcpskein.js flows - -q > /dev/null' /dev/null`)
  t.is(quiet.stdout, '')
})

test('damaged captures: one line each, no stack trace, no crash', async t => {
  const corpus = corpusFolder()
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  t.timeout(60_000)
  const bad = join(corpus, 'dev', 'captures-bad')
  const files = readdirSync(bad).map(file => join(bad, file))
  const { status, stderr } = await run(['flows', ...files, '-q'])
  t.is(status, 1)
  const named = lines(stderr).map(line => files.find(file => line.startsWith(`tcpskein: ${file}: `)))
  t.false(named.includes(undefined), stderr)
  t.is(new Set(named).size, named.length)
  t.log(`${named.length} of ${files.length} files complained of`)
})
