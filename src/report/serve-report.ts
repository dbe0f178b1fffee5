/** `serveReport`: the same page from a server on this machine, for captures whose data is too much for a file. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { OptionError } from '../errors.js'
import { integer } from '../options.js'
import type { CaptureSource } from '../source.js'
import { encodeContainer } from './container.js'
import { DetailCache } from './detail-cache.js'
import { gatherDetails } from './details.js'
import { Gate, type Refusal } from './gate.js'
import { checkFiles, gather, overviewContainer, packed, ProgressSum } from './gather.js'
import { checkLimits, checkSources, readingOf, type CheckedLimits, type ReportLimits, type ReportReading } from './options.js'
import { policyOf, servedPage } from './template.js'

/** What `serveReport` takes. */
export interface ServeOptions extends ReportReading, ReportLimits {
  /**
   * The port to listen on.
   * @defaultValue 0: one that is free
   */
  port?: number
}

/** A server that runs. */
export interface ReportServer {
  /** Where the page is, with the token that the server asks for. */
  readonly url: string
  /** The token alone. */
  readonly token: string
  readonly port: number
  /** Connections in the captures, and rows in the page's table. */
  readonly connections: number
  readonly rows: number
  /** What the page doesn't hold, in sentences. */
  readonly leftOut: readonly string[]
  /** Stops it. */
  close(): Promise<void>
}

const DEFAULTS: CheckedLimits = { maxRows: 1_000_000, maxSegments: 200_000, headBytes: 2048 }

/** As `serveReport` says. */
export async function openServer(
  source: CaptureSource | readonly CaptureSource[],
  options: ServeOptions = {},
): Promise<ReportServer> {
  const sources = checkSources(source, options, ['port'])
  const limits = checkLimits(options, DEFAULTS)
  const port = integer('port', options.port, 0, 0, 65_535)
  checkFiles(sources)
  const gathered = await gather(sources, options, limits.maxRows, new ProgressSum(options.onProgress, 2))
  const { length, connections } = gathered.table.meta
  const leftOut =
    length < connections
      ? [`The table has the ${length.toLocaleString('en')} connections that ended first, of ${connections.toLocaleString('en')}.`]
      : []
  const stop = new AbortController()
  const details = new DetailCache(async ids => {
    const made = await gatherDetails(sources, { ...readingOf(options), signal: stop.signal }, ids, limits, () => {})
    const list = await Promise.all(Array.from(made, async ([id, octets]) => [id, await packed(octets)] as const))
    return new Map(list)
  })
  const data: Data = {
    page: servedPage(),
    overview: await packed(overviewContainer(gathered, sources, options.filter, leftOut)),
    table: await packed(encodeContainer(gathered.table)),
    details,
  }
  const server = createServer()
  const actual = await listen(server, port)
  const gate = new Gate(actual)
  server.on('request', (request, response) => void answer(gate, data, request, response))
  return {
    url: `http://127.0.0.1:${actual}/?token=${gate.token}`,
    token: gate.token,
    port: actual,
    connections,
    rows: length,
    leftOut,
    close: () => close(server, stop),
  }
}

interface Data {
  readonly page: string
  readonly overview: Buffer
  readonly table: Buffer
  readonly details: DetailCache
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new OptionError(`port: ${port} can not be listened on (${error.code ?? error.message})`, { cause: error })),
    )
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
}

function close(server: Server, stop: AbortController): Promise<void> {
  stop.abort()
  server.closeAllConnections()
  return new Promise(resolve => server.close(() => resolve()))
}

/** Answers a request; nothing that goes wrong may end the server. */
async function answer(gate: Gate, data: Data, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const refusal = gate.stranger(request) ?? (await serve(gate, data, request, response))
    if (refusal) send(response, refusal.status, 'text/plain; charset=utf-8', `${refusal.message}\n`)
  } catch (error) {
    if (response.headersSent) response.destroy()
    else send(response, 500, 'text/plain; charset=utf-8', `${error instanceof Error ? error.message : String(error)}\n`)
  }
}

async function serve(gate: Gate, data: Data, request: IncomingMessage, response: ServerResponse): Promise<Refusal | null> {
  const [path = '', query] = (request.url ?? '').split('?', 2)
  if (path === '/' && gate.isToken(new URLSearchParams(query).get('token'))) {
    // From now on the cookie has the token, so that it stands neither in the history nor in links.
    response.writeHead(303, { ...HEADERS, location: '/', 'set-cookie': gate.cookie }).end()
    return null
  }
  if (!gate.isOpenTo(request)) {
    send(response, 401, 'text/html; charset=utf-8', ASK, ASK_POLICY)
    return null
  }
  if (path === '/') {
    send(response, 200, 'text/html; charset=utf-8', data.page, `${policyOf(data.page)}; frame-ancestors 'none'`)
    return null
  }
  return serveData(data, path, response)
}

async function serveData({ overview, table, details }: Data, path: string, response: ServerResponse): Promise<Refusal | null> {
  const [, id] = /^\/data\/c(\d{1,15})$/.exec(path) ?? []
  if (id !== undefined && details.full) return { status: 503, message: 'Too many connections are being read.' }
  const octets = path === '/data/overview' ? overview : path === '/data/table' ? table : id === undefined ? null : await details.get(Number(id))
  if (octets === null) return { status: 404, message: 'There is no such thing here.' }
  send(response, 200, 'application/octet-stream', octets)
  return null
}

const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer, policy = "default-src 'none'"): void {
  const length = Buffer.byteLength(body)
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'content-length': length, 'content-security-policy': policy })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

const ASK_POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** What who has no token sees. */
const ASK = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>tcpskein: token</title>
<h1>A token is needed</h1>
<p>tcpskein printed it when it started.</p>
<form action="/" method="get">
  <label>Token <input name="token" type="password" autocomplete="off" required autofocus></label>
  <button>Open</button>
</form>
</html>
`
