// A real browser for tests of pages: headless Chromium, or the reason why there is none.
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

/** Where Chromium is: `TCPSKEIN_CHROMIUM`, else the first of the usual places. */
const PLACES = [process.env.TCPSKEIN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const found = PLACES.find(path => path !== undefined && existsSync(path))

/** What a test logs when it can't run without a browser. */
export const NO_BROWSER = found === undefined ? 'skipped: there is no Chromium (set TCPSKEIN_CHROMIUM)' : null

const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

/** Starts it. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: found!, args: ARGS })
}

/** A page that is watched: what it asked for, what it complained of, dialogs that it opened. */
export interface Watched {
  readonly page: Page
  readonly requests: string[]
  readonly complaints: string[]
}

/** Opens a page and waits until it has shown its data. */
export async function openPage(browser: Browser, url: string, scheme: 'light' | 'dark' = 'light'): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, colorScheme: scheme })
  const [requests, complaints]: [string[], string[]] = [[], []]
  page.on('request', request => requests.push(request.url()))
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('dialog', dialog => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(url)
  await page.waitForSelector('html[data-ready="true"]', { timeout: 60_000 })
  return { page, requests, complaints }
}

/** Texts of a column of a grid, of the rows in view, from the top. */
export function columnTexts(page: Page, grid: string, column: number): Promise<string[]> {
  const rows = `[...document.querySelectorAll('${grid} .grid-body [role="row"]')].filter(row => !row.hidden)`
  const sorted = `${rows}.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)`
  return page.evaluate(`${sorted}.map(row => row.children[${column}].textContent)`)
}
