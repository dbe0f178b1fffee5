/** The page without data, as `scripts/build-ts.mjs` made it: markup, style and script in one text. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InternalError } from '../errors.js'
import { EMBEDDED, SERVED } from './shapes.js'

/** What stands in the page where its data goes. */
const DATA = '<!--data-->'
/** What stands where it says whence its data comes. */
const SOURCE = 'content="none"'

// Asked by its name, because this module may lie in a bundle.
const require = createRequire(import.meta.url)
const manifest = (): string => require.resolve('tcpskein/package.json')

/** The package's version. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(manifest(), 'utf8')) as { version: string }).version
}

/** The page that asks a server for its data. */
export function servedPage(): string {
  const [head, tail] = parts(SERVED)
  return head + tail
}

/** What stands before and behind the data in a page that holds it. */
export function embeddedPage(): [head: string, tail: string] {
  return parts(EMBEDDED)
}

/** Scripts and styles that a served page may have, and whom it may ask, as a server says it. */
export function policyOf(page: string): string {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]
  if (policy === undefined) throw new InternalError('the page has no policy')
  return policy
}

function parts(source: string): [head: string, tail: string] {
  const page = readFileSync(join(dirname(manifest()), 'dist', 'report-page.html'), 'utf8')
  const [head, tail] = page.split(DATA)
  if (head === undefined || tail === undefined || !head.includes(SOURCE)) throw new InternalError('the page has no place for its data')
  const served = head.replace(SOURCE, `content="${source}"`)
  return [source === SERVED ? served.replace("connect-src 'none'", "connect-src 'self'") : served, tail]
}

/** Octets as an element of the page that is no script to a browser. Base64 has no character that means something there. */
export function dataElement(id: string, octets: Buffer): string {
  return `<script type="application/octet-stream" id="${id}">${octets.toString('base64')}</script>\n`
}
