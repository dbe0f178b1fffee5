// Captures in a process of its own, for tests that need another network namespace or user:
//
//   capture-live.mjs JOB OPTIONS      OPTIONS: JSON, of the source and of the reading
//
// Says `ready` once it captures, one JSON line for each record, and at the end one with what it held of the system.
// SIGINT finishes it.
import { createHash } from 'node:crypto'
import { readdirSync, readlinkSync } from 'node:fs'
import { basicChain, connections, flowTable, observe, streamEvents, tcpChain } from '../../dist/index.js'

const [job = '', text = '{}'] = process.argv.slice(2)
/** @type {{ source: import('../../dist/index.js').LiveSource, options: object, threads?: boolean, exitAfter?: number }} */
const { source, options } = JSON.parse(text)
const before = held()

/** @param {object} value */
const say = value => console.log(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v)))

/** Sockets and event queues, and threads; Node opens its own pipes when it first writes. */
function held() {
  const files = readdirSync('/proc/self/fd').filter(fd => /^(socket|anon_inode):/.test(target(fd)))
  return { files: files.length, threads: readdirSync('/proc/self/task').length }
}

/** @param {string} fd */
function target(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // The one that the folder was read by.
    return ''
  }
}

/** Finishes on SIGINT and tells of each record. @param {any} run @param {(item: any) => void} take */
async function each(run, take) {
  process.once('SIGINT', () => run.finish())
  setTimeout(() => console.log('ready'), 200)
  let error
  try {
    for await (const item of run) take(item)
  } catch (caught) {
    error = { code: /** @type {any} */ (caught).code, message: /** @type {any} */ (caught).message }
  }
  say({ stats: run.stats, captures: run.captures, error })
}

/** What each side of each connection sent, by events. */
async function hashes() {
  const open = new Map()
  const run = streamEvents(source, options)
  await each(run, event => {
    const { connection } = event
    if (event.type === 'open') open.set(connection.connection_id, { fwd: createHash('sha256'), rev: createHash('sha256') })
    if (event.type === 'data') open.get(connection.connection_id)[event.direction].update(event.data)
    if (event.type !== 'close') return
    const { fwd, rev } = open.get(connection.connection_id)
    say({ record: { ...connection, fwd: fwd.digest('hex'), rev: rev.digest('hex'), at: Date.now() } })
  })
}

const signal = new AbortController()
const jobs = {
  flows: () => each(observe(source, { chains: [basicChain(), tcpChain()], ...options }), flow => say({ record: { ...flow, at: Date.now() } })),
  hooked: () => {
    const mine = { name: 'mine', newFlow: () => ({ mine: 0 }), tcp: (/** @type {any} */ record) => void record.mine++ }
    return each(observe(source, { chains: [basicChain(), mine], ...options }), flow => say({ record: { ...flow, at: Date.now() } }))
  },
  connections: () => each(connections(source, { maxStreamBytes: 0, ...options }), c => say({ record: { ...c, at: Date.now() } })),
  hashes,
  table: async () => {
    setTimeout(() => console.log('ready'), 200)
    const table = await flowTable(source, { chains: [basicChain()], ...options })
    say({ length: table.length, ports: [...table.column('dp')], stats: table.stats })
  },
  signal: () => {
    process.once('SIGINT', () => signal.abort())
    const run = observe(source, { chains: [basicChain()], signal: signal.signal, ...options })
    return each(run, flow => say({ record: { ...flow, at: Date.now() } }))
  },
  leave: async () => {
    const run = observe(source, { chains: [basicChain()], ...options })
    setTimeout(() => console.log('ready'), 200)
    for await (const flow of run) {
      say({ record: { ...flow } })
      break
    }
  },
}

await jobs[/** @type {keyof typeof jobs} */ (job)]()
// Worker threads of Node's stay; the capture's own must not.
await new Promise(resolve => setTimeout(resolve, 300))
const after = held()
const names = readdirSync('/proc/self/task').map(task => readFile(`/proc/self/task/${task}/comm`))
say({ held: { before, after, own: (await Promise.all(names)).filter(name => name.startsWith('tcpskein')) } })

/** @param {string} path */
async function readFile(path) {
  const { readFile } = await import('node:fs/promises')
  return (await readFile(path, 'utf8').catch(() => '')).trim()
}
