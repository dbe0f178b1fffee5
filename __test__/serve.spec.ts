// The server of a report: the same page, whom it refuses, and that it has nothing else.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { connect } from 'node:net'
import test from 'ava'
import { OptionError, connections, serveReport, series, type ReportServer } from '../src/index.js'
import { DetailCache } from '../src/report/detail-cache.js'
import type { DetailMeta, TableMeta } from '../src/report/shapes.js'
import { NO_BROWSER, openBrowser, openPage } from './support/browser.js'
import { program } from './support/cli.js'
import { collect } from './support/collect.js'
import { root, samplePath } from './support/places.js'
import { openContainer } from './support/report-page.js'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Asks as it is told: `fetch` would mend a path and choose the Host itself. */
function ask(port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async response => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
    })
    asked.on('error', reject).end()
  })
}

const cookieOf = ({ headers }: Answer): string => String(headers['set-cookie']).split(';')[0]!

let server: ReportServer
let cookie: string
test.before(async () => {
  server = await serveReport(samplePath)
  cookie = cookieOf(await ask(server.port, `/?token=${server.token}`))
})
test.after.always(() => server.close())

const PATHS = ['/', '/data/overview', '/data/table', '/data/c0', '/etc/passwd', '/data/../../etc/passwd']

test('without the token there is nothing but the question for it', async t => {
  for (const path of PATHS)
    for (const headers of [{}, { cookie: `tcpskein-${server.port}=wrong` }, { cookie: `tcpskein-1=${server.token}` }, { cookie: `tcpskein-${server.port}=` }]) {
      const { status, body } = await ask(server.port, path, headers)
      t.is(status, 401, path)
      t.regex(body.toString(), /A token is needed/)
    }
  for (const token of ['', 'x', server.token.slice(1), `${server.token}x`]) t.is((await ask(server.port, `/?token=${token}`)).status, 401, token)
  t.is((await ask(server.port, `/data/table?token=${server.token}`)).status, 401, 'the token opens the door, and only that')
})

test('the token is taken once, and then kept where no page can read it', async t => {
  const answer = await ask(server.port, `/?token=${server.token}`)
  t.is(answer.status, 303)
  t.is(answer.headers.location, '/')
  t.regex(String(answer.headers['set-cookie']), /; Path=\/; HttpOnly; SameSite=Strict$/)
  t.is(Buffer.from(server.token, 'base64url').length, 32)
  const page = await ask(server.port, '/', { cookie })
  t.is(page.status, 200)
  t.regex(String(page.headers['content-security-policy']), /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';.*frame-ancestors 'none'$/)
  t.is(page.headers['cache-control'], 'no-store')
  t.is(page.headers['x-content-type-options'], 'nosniff')
})

test('a name that was re-bound to this machine is refused, with the token too', async t => {
  for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1', '127.0.0.1:1', `127.0.0.1.evil.example:${server.port}`, `[::1]:${server.port}`])
    for (const path of [...PATHS, `/?token=${server.token}`]) {
      const { status, headers } = await ask(server.port, path, { cookie, host })
      t.is(status, 421, `${host} ${path}`)
      t.is(headers['set-cookie'], undefined)
    }
  for (const host of [`127.0.0.1:${server.port}`, `localhost:${server.port}`]) t.is((await ask(server.port, '/', { cookie, host })).status, 200)
})

test('requests of other sites, and those that would change something, are refused', async t => {
  for (const site of ['cross-site', 'same-site']) t.is((await ask(server.port, '/data/table', { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' })).status, 403)
  t.is((await ask(server.port, '/data/table', { cookie, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' })).status, 200)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) t.is((await ask(server.port, '/', { cookie }, method)).status, 405, method)
  const head = await ask(server.port, '/data/table', { cookie }, 'HEAD')
  t.is(head.status, 200)
  t.is(head.body.length, 0)
})

test('there is nothing but the page and its data', async t => {
  const outside = [
    '/etc/passwd', '/../etc/passwd', '/data/../../etc/passwd', '/%2e%2e/etc/passwd', '/data/%2e%2e%2f%2e%2e%2fetc/passwd', '//etc/passwd',
    '/data/', '/data/c', '/data/c-1', '/data/c1x', '/data/c999', '/data/c99999999999999999999', '/data/table/', '/favicon.ico', '/package.json', `/data/${samplePath}`,
    'http://evil.example/', '*',
  ]
  for (const path of outside) t.is((await ask(server.port, path, { cookie })).status, 404, path)
})

test('data are what the library says, made when they are asked for', async t => {
  const records = await collect(connections(samplePath, { analyse: true, maxStreamBytes: 0 }))
  const { meta } = openContainer<TableMeta>((await ask(server.port, '/data/table', { cookie })).body)
  t.is(meta.length, records.length)
  // At once: they wait for one pass.
  await Promise.all(
    records.map(async record => {
      const { status, body } = await ask(server.port, `/data/c${record.connection_id}`, { cookie })
      t.is(status, 200)
      const detail = openContainer<DetailMeta>(body)
      const points = await collect(series(samplePath, record))
      t.deepEqual([...detail.arrays.packet!], points.map(({ packet }) => packet))
    }),
  )
})

test('it listens on the loopback interface only', async t => {
  const own = Object.values(networkInterfaces()).flatMap(list => list ?? []).filter(({ internal, family }) => !internal && family === 'IPv4')
  if (own.length === 0) {
    t.log('skipped: this machine has no other address')
    t.pass()
    return
  }
  for (const { address } of own) {
    const socket = connect(server.port, address)
    const [error] = (await Promise.race([once(socket, 'error'), once(socket, 'connect').then(() => [null])])) as [Error | null]
    t.not(error, null, `${address} answers`)
    socket.destroy()
  }
})

test('a port that is taken is an option error', async t => {
  await t.throwsAsync(serveReport(samplePath, { port: server.port }), { instanceOf: OptionError, message: /can not be listened on/ })
  await t.throwsAsync(serveReport('-'), { instanceOf: OptionError })
})

test('the cache makes what waits in one pass, keeps it, and tells of what fails', async t => {
  const passes: (readonly number[])[] = []
  const cache = new DetailCache(ids => {
    passes.push(ids)
    if (ids.includes(13)) return Promise.reject(new Error('no'))
    return Promise.resolve(new Map(ids.filter(id => id < 10).map(id => [id, Buffer.alloc(2 ** 24, id)])))
  })
  const found = await Promise.all([cache.get(1), cache.get(2), cache.get(2), cache.get(11)])
  t.deepEqual(found.map(octets => octets?.[0] ?? null), [1, 2, 2, null])
  t.deepEqual(passes, [[1], [2, 11]])
  await t.throwsAsync(cache.get(13), { message: 'no' })
  await cache.get(1)
  t.is(passes.length, 3, 'it was kept')
  for (const id of [3, 4, 5, 6]) await cache.get(id)
  await cache.get(1)
  t.deepEqual(passes.slice(3), [[3], [4], [5], [6], [1]], 'there is room for four of that size')
})

test('the command prints where the page is, and ends with Ctrl-C', async t => {
  const child = spawn(process.execPath, [program, 'serve', samplePath], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, told] = ['', '']
  child.stderr.on('data', chunk => (told += String(chunk)))
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (out.endsWith('\n')) break
  }
  const { port, searchParams, hostname } = new URL(out.trim())
  t.is(hostname, '127.0.0.1')
  t.is((await ask(Number(port), '/')).status, 401)
  t.is((await ask(Number(port), `/?token=${searchParams.get('token')}`)).status, 303)
  child.kill('SIGINT')
  const [status] = (await once(child, 'exit')) as [number | null]
  t.is(status, 0, told)
  t.regex(told, /8 connections read in .* s; Ctrl-C ends the server/)
})

test('the page works from the server, and asks nobody else', async t => {
  t.timeout(120_000)
  if (NO_BROWSER !== null) {
    t.log(NO_BROWSER)
    t.pass()
    return
  }
  const browser = await openBrowser()
  const { page, requests, complaints } = await openPage(browser, server.url)
  t.is(page.url(), `http://127.0.0.1:${server.port}/`, 'the token is not in the address')
  await page.evaluate(`location.hash = 'c1'`)
  await page.waitForSelector('#detail[data-connection="1"][aria-busy="false"] [role="tab"]')
  const points = (await collect(series(samplePath, 1))).filter(({ direction, length }) => direction === 'rev' && length > 0)
  t.is(await page.locator('[data-legend="segments"] b').textContent(), String(points.length))
  await page.reload()
  await page.waitForSelector('#detail[data-connection="1"][aria-busy="false"] [role="tab"]')
  t.deepEqual(complaints, [])
  const asked = requests.filter(url => !url.startsWith('data:')).map(url => new URL(url))
  t.true(asked.every(({ host }) => host === `127.0.0.1:${server.port}`))
  t.deepEqual([...new Set(asked.map(({ pathname }) => pathname))].toSorted(), ['/', '/data/c1', '/data/overview', '/data/table'])
  await browser.close()
})
