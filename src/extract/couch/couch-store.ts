/** A database on a server with CouchDB's protocol, through the package nano. */
import { getSystemErrorMap } from 'node:util'
import type { ServerScope } from 'nano'
import { OptionError } from '../../errors.js'
import type { PartDocument } from './document.js'
import { StoreError, type DocumentStore, type Found, type Stored } from './store.js'

/** What is asked of a server. */
interface Request {
  readonly method: 'put' | 'post'
  readonly path?: string
  readonly body?: object
}

/** A row of an answer to `_bulk_docs`. */
interface BulkRow {
  readonly ok?: boolean
  readonly error?: string
  readonly reason?: string
}

/** A row of an answer to `_all_docs`. */
interface DocRow {
  readonly id?: string
  readonly doc?: { readonly _rev: string; readonly digest?: unknown } | null
}

/** HTTP statuses after which the same request may succeed: time-out, too many requests, and what a server can't help. */
const MAY_PASS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** One database of a server. */
export class CouchStore implements DocumentStore {
  readonly #url: CouchUrl
  readonly #timeout: number
  #server: ServerScope | undefined

  /** @param timeout milliseconds that the server may take for an answer */
  constructor(url: CouchUrl, timeout: number) {
    this.#url = url
    this.#timeout = timeout
  }

  async prepare(): Promise<void> {
    const { default: nano } = await import('nano')
    const { base, authorization } = this.#url
    const headers = authorization === null ? {} : { Authorization: authorization }
    // The URL's path is a prefix and holds no database; nano's types don't know that option.
    const options = { url: base, headers, parseUrl: false }
    this.#server = nano(options)
    try {
      await this.#request({ method: 'put' })
    } catch (error) {
      // RFC 9110 has 412 for a condition that isn't met; CouchDB: the database is there already.
      if (!(error instanceof HttpError && error.status === 412)) throw error
    }
  }

  async bulk(documents: readonly PartDocument[]): Promise<Stored[]> {
    const rows = await this.#request({ method: 'post', path: '_bulk_docs', body: { docs: documents } })
    if (!Array.isArray(rows) || rows.length !== documents.length) throw new StoreError('the answer is incomplete', true)
    return (rows as BulkRow[]).map(({ error, reason }): Stored => {
      if (error === undefined) return { outcome: 'stored' }
      return error === 'conflict' ? { outcome: 'conflict' } : { outcome: 'refused', reason: `${error}: ${reason ?? ''}` }
    })
  }

  async find(ids: readonly string[]): Promise<Map<string, Found>> {
    const answer = await this.#request({ method: 'post', path: '_all_docs?include_docs=true', body: { keys: ids } })
    const rows = (answer as { rows?: DocRow[] } | null)?.rows
    if (!Array.isArray(rows)) throw new StoreError('the answer is incomplete', true)
    const found = new Map<string, Found>()
    for (const { id, doc } of rows) if (id !== undefined && doc) found.set(id, { rev: doc._rev, digest: doc.digest })
    return found
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #request(request: Request): Promise<unknown> {
    const signal = AbortSignal.timeout(this.#timeout)
    try {
      const answer: unknown = await this.#server!.request({ db: this.#url.database, signal, ...request } as never)
      return answer
    } catch (error) {
      throw this.#explain(error, signal.aborted)
    }
  }

  /** nano's errors hold the request: only words are taken from them. */
  #explain(error: unknown, timedOut: boolean): StoreError {
    const { statusCode, error: word, reason, message } = error as Partial<Record<string, unknown>>
    const { shown } = this.#url
    if (timedOut) return new StoreError(`${shown}: no answer for ${this.#timeout / 1000} s`, true)
    if (typeof statusCode !== 'number') {
      const { text, mayPass } = connectionProblem(String(message))
      return new StoreError(`${shown}: ${this.#url.clean(text)}`, mayPass)
    }
    const said = [word, reason ?? message].filter(text => typeof text === 'string' && text !== '').join(': ')
    return new HttpError(`${shown}: status ${statusCode}: ${this.#url.clean(said)}`, statusCode)
  }
}

/** Why there is no answer: fetch says it, and nano puts words before it. No time makes a port good that fetch won't use. */
function connectionProblem(message: string): { text: string; mayPass: boolean } {
  const [, reason = message] = /Reason: (?:Error: )?([^]*)$/.exec(message) ?? []
  if (reason === 'bad port') return { text: 'cannot connect: this port is not for HTTP', mayPass: false }
  const [, code] = /^(?:connect|getaddrinfo) (E[A-Z_]+)/.exec(reason) ?? []
  if (code === undefined) return { text: reason, mayPass: true }
  const words = [...getSystemErrorMap().values()].find(([name]) => name === code)?.[1]
  return { text: `cannot connect: ${words ?? reason}`, mayPass: true }
}

class HttpError extends StoreError {
  readonly status: number

  constructor(message: string, status: number) {
    super(message, MAY_PASS.has(status))
    this.status = status
  }
}

/** A database's URL, taken apart. */
export interface CouchUrl {
  /** The server, without credentials. */
  readonly base: string
  readonly database: string
  /** For messages. */
  readonly shown: string
  /** A header's value, or null. */
  readonly authorization: string | null
  /** Takes credentials out of whatever a server or a library says. */
  clean(text: unknown): string
}

/**
 * Takes a URL such as `http://user:password@host:5984/database` apart.
 *
 * @throws {@link OptionError} where it is none
 */
export function parseCouchUrl(text: unknown): CouchUrl {
  // The text isn't repeated: it may hold a password.
  const wrong = (what: string) => new OptionError(`url: expected http://HOST:PORT/DATABASE, ${what}`)
  if (typeof text !== 'string' || !URL.canParse(text)) throw wrong('and this is no URL')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong(`not ${url.protocol}`)
  const [, path = '/', database = ''] = /^(.*\/)([^/]+)\/*$/.exec(url.pathname) ?? []
  if (database === '') throw wrong('and there is no name of a database')
  const [user, password] = [url.username, url.password].map(decodeURIComponent) as [string, string]
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  const secrets = [text, password, url.password, basic].filter(secret => secret.length > 0)
  return {
    base: `${url.origin}${path}`,
    database: decodeURIComponent(database),
    shown: `${url.origin}${path}${database}`,
    authorization: user === '' ? null : `Basic ${basic}`,
    clean: said => (password === '' ? String(said) : secrets.reduce((out, secret) => out.replaceAll(secret, '***'), String(said))),
  }
}
