/**
 * Who may ask a report's server for something. In come a request's headers, out comes why it is refused. The server
 * listens on the loopback interface only, but a page that a browser has open may still send requests there: so a token is
 * needed that only the user knows, and a `Host` that is this server's own, which a name that was re-bound is not.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** An answer that is no data. */
export interface Refusal {
  readonly status: number
  readonly message: string
}

/** One server's gate. */
export class Gate {
  /** 256 random bits. */
  readonly token = randomBytes(32).toString('base64url')
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  /** What the browser keeps: cookies are shared between the ports of a host, so the name has ours. */
  get cookie(): string {
    return `tcpskein-${this.#port}=${this.token}; Path=/; HttpOnly; SameSite=Strict`
  }

  /** The request isn't meant for this server, or another site sent it. */
  stranger({ method, headers }: IncomingMessage): Refusal | null {
    if (headers.host !== `127.0.0.1:${this.#port}` && headers.host !== `localhost:${this.#port}`)
      return { status: 421, message: 'This server answers to 127.0.0.1 and localhost only.' }
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, message: 'This server only shows.' }
    const site = headers['sec-fetch-site']
    const navigates = headers['sec-fetch-mode'] === 'navigate'
    if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigates)
      return { status: 403, message: 'Another site may not ask for this.' }
    return null
  }

  /** The request has the token as its cookie. */
  isOpenTo({ headers }: IncomingMessage): boolean {
    const prefix = `tcpskein-${this.#port}=`
    const cookies = (headers.cookie ?? '').split(';').map(part => part.trim())
    return cookies.some(cookie => cookie.startsWith(prefix) && this.isToken(cookie.slice(prefix.length)))
  }

  /** It is the token; how long the answer takes doesn't tell how much of it is right. */
  isToken(text: string | null): boolean {
    const digest = (value: string) => createHash('sha256').update(value).digest()
    return text !== null && timingSafeEqual(digest(text), digest(this.token))
  }
}
