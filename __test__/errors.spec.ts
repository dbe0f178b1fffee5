// Errors: one table of codes in docs/errors.md, the TypeScript and the Rust; classes, names and causes; and a panic.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { CaptureError, FlowError, InternalError, OptionError, StateError, observe } from '../src/index.js'
import { ERROR_CLASSES, fromNative, type ErrorCode } from '../src/errors.js'
import { checkDecode } from '../src/options.js'
import { loadBinding } from '../src/native/load.js'
import { collect } from './support/collect.js'
import { fixture, root, samplePath } from './support/places.js'

const { NativeReader } = loadBinding()
const codes = Object.keys(ERROR_CLASSES) as ErrorCode[]
/** What can't happen in Rust: hooks and writers of the user's own run in JavaScript, and so does the search for the addon. */
const ONLY_HERE: ReadonlySet<ErrorCode> = new Set(['ERR_CHAIN', 'ERR_WRITER', 'ERR_NATIVE_MISSING'])
const text = (path: string): string => readFileSync(join(root, path), 'utf8')

test('docs/errors.md lists the codes', t => {
  const rows = [...text('docs/errors.md').matchAll(/^\| *`(ERR_[A-Z_]+)` *\|(.*)\|$/gm)]
  t.deepEqual(rows.map(row => row[1]!).toSorted(), codes.toSorted())
  for (const [row, code, rest] of rows) t.true(rest!.includes(`\`${ERROR_CLASSES[code as ErrorCode].name}\``), row)
})

test('the core has the same codes', t => {
  const found = new Set([...text('crates/core/src/error.rs').matchAll(/"(ERR_[A-Z_]+)"/g)].map(match => match[1]!))
  t.deepEqual([...found].toSorted(), codes.filter(code => !ONLY_HERE.has(code)).toSorted())
})

test('each code has its class, and the cause is the error of the addon', t => {
  for (const code of codes.filter(code => !ONLY_HERE.has(code))) {
    const cause = Object.assign(new Error('a sentence'), { code })
    const error = fromNative(cause)
    t.is(error.constructor, ERROR_CLASSES[code], code)
    t.is(error.name, ERROR_CLASSES[code].name)
    t.deepEqual([error.code, error.message, error.cause], [code, 'a sentence', cause])
    t.true(error instanceof FlowError && error instanceof Error)
    t.regex(String(error), new RegExp(`^${error.name}: a sentence$`))
  }
})

test('what is no error of ours is an internal one; what is ours passes', t => {
  t.true(fromNative(Object.assign(new Error('x'), { code: 'GenericFailure' })) instanceof InternalError)
  t.is(fromNative('only text').message, 'only text')
  t.is(fromNative({}).code, 'ERR_INTERNAL')
  const mine = new OptionError('mine')
  t.is(fromNative(mine), mine)
})

test('names are no properties of their own', t => {
  const error = new CaptureError('ERR_CAPTURE_IO', 'x')
  t.deepEqual(Object.keys(error), ['code'])
  t.is(error.name, 'CaptureError')
})

test('a capture that cannot be read throws its class after the records', async t => {
  const cases: [path: string, code: ErrorCode, message: RegExp][] = [
    ['/does/not/exist.pcap', 'ERR_CAPTURE_IO', /^\/does\/not\/exist\.pcap: cannot open: /],
    [root, 'ERR_CAPTURE_IO', /: cannot read: it is a directory$/],
    [fixture('capture-empty.pcap'), 'ERR_CAPTURE_FORMAT', /: offset 0: the file is empty$/],
    [fixture('capture-magic-wrong.pcap'), 'ERR_CAPTURE_FORMAT', /: offset 0: not a capture/],
    [fixture('capture-header-cut.pcap'), 'ERR_CAPTURE_TRUNCATED', /: offset 0: the pcap file header is cut short: 24 octets needed, 17 there$/],
    [fixture('capture-last-cut.pcap'), 'ERR_CAPTURE_TRUNCATED', /: a packet is cut short: /],
    [fixture('capture-record-over-limit.pcap'), 'ERR_CAPTURE_DAMAGED', /: a packet record claims 262145 octets, over the limit of 262144$/],
  ]
  for (const [path, code, message] of cases) {
    const error = await t.throwsAsync(collect(observe(path)), { instanceOf: CaptureError, code, message }, path)
    t.truthy(error.cause, 'the addon’s error is the cause')
  }
})

/** Options of an engine that does nothing special. */
const plain = { chains: [], idleTimeout: 30, expiryTimeout: 5, maxFlows: 10, aggregate: false, decode: checkDecode({}) }

test('a closed reader says so', async t => {
  const reader = NativeReader.flows(plain)
  const batch = new Uint8Array((JSON.parse(reader.layout()) as { byteLength: number }).byteLength)
  reader.close()
  reader.close()
  t.throws(() => reader.layout(), { code: 'ERR_CLOSED' })
  t.throws(() => reader.openPath(samplePath, 'x'), { code: 'ERR_CLOSED' })
  t.throws(() => reader.finish(), { code: 'ERR_CLOSED' })
  await t.throwsAsync(reader.next(batch), { code: 'ERR_CLOSED' })
  t.true(fromNative(await t.throwsAsync(reader.next(batch))) instanceof StateError)
})

test('a batch that is too small is refused, not written beyond', async t => {
  const reader = NativeReader.flows(plain)
  reader.openPath(samplePath, 'x')
  await t.throwsAsync(reader.next(new Uint8Array(10)), { code: 'ERR_INTERNAL', message: /too small/ })
  reader.close()
})

test('an unknown chain is refused by the addon', t => {
  t.throws(() => NativeReader.flows({ ...plain, chains: ['basic', 'nonsense'] }), { code: 'ERR_INVALID_OPTION', message: /nonsense/ })
})

test('a panic becomes ERR_INTERNAL and closes the reader', async t => {
  const reader = NativeReader.flows(plain)
  const batch = new Uint8Array((JSON.parse(reader.layout()) as { byteLength: number }).byteLength)
  reader.openPath(samplePath, 'x')
  reader.panicForTests()
  const error = fromNative(await t.throwsAsync(reader.next(batch), { code: 'ERR_INTERNAL', message: /report.*a test wanted it \(.*panicking\.rs:\d+/ }))
  t.true(error instanceof InternalError)
  await t.throwsAsync(reader.next(batch), { code: 'ERR_INTERNAL', message: /panicked/ })
  reader.close()
  await t.throwsAsync(reader.next(batch), { code: 'ERR_CLOSED' })
})
