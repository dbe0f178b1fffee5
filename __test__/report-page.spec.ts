// The page of a report in a real browser: nothing asked for, nothing complained of, and the same numbers as the library's.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { connections, series, writeReport } from '../src/index.js'
import { NO_BROWSER, columnTexts, openBrowser, openPage, type Watched } from './support/browser.js'
import { collect } from './support/collect.js'
import { pcap, tcpFrame } from './support/frames.js'
import { samplePath } from './support/places.js'
import { ACK, FIN, PSH, SYN, framesOf, troubledCapture } from './support/stream-capture.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-page-'))
let browser: Browser | undefined
test.before(async () => {
  if (NO_BROWSER === null) browser = await openBrowser()
})
test.after.always(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A test that needs the browser. */
function inBrowser(title: string, body: (t: ExecutionContext, browser: Browser) => Promise<void>): void {
  test(title, async t => {
    t.timeout(120_000)
    if (browser === undefined) {
      t.log(NO_BROWSER!)
      t.pass()
      return
    }
    await body(t, browser)
  })
}

let pages = 0

async function reportOf(capture: string | Uint8Array, options: Parameters<typeof writeReport>[2] = {}): Promise<string> {
  const path = join(folder, `page-${pages++}.html`)
  await writeReport(capture, path, options)
  return pathToFileURL(path).href
}

const GRID = '.grid.connections'
const head = (page: Page, title: string) => page.locator(`${GRID} [role="columnheader"] button`, { hasText: new RegExp(`^${title}$`) })
const legend = async (page: Page, name: string): Promise<number> =>
  Number((await page.locator(`[data-legend="${name}"] b`).textContent())!.replaceAll(',', ''))

/** Opens a connection's plots, in one direction. */
async function choose(page: Page, id: number, way: 0 | 1): Promise<void> {
  await page.evaluate(`location.hash = 'c${id}'`)
  await page.waitForSelector(`#detail[data-connection="${id}"][aria-busy="false"] [role="tab"]`)
  await page.click('#tab0')
  await page.selectOption('#way', String(way))
}

inBrowser('the page of the shipped capture loads by itself, and complains of nothing', async (t, chromium) => {
  const url = await reportOf(samplePath)
  const { page, requests, complaints } = await openPage(chromium, url)
  for (const tab of [0, 1, 2, 3, 4]) {
    await choose(page, 1, 1)
    await page.click(`#tab${tab}`)
  }
  await page.waitForTimeout(200)
  // The empty icon is part of the page.
  t.deepEqual(requests.filter(request => !request.startsWith('data:')), [url])
  t.deepEqual(complaints, [])
  t.is(await page.title(), 'sample.pcap – tcpskein report')
  await page.close()
})

inBrowser('plots have as many segments and retransmissions as there are', async (t, chromium) => {
  for (const capture of [samplePath, troubledCapture(4, { connections: 4, loss: 20, duplicate: 10, overlap: 20, reorder: 6, wrap: true })]) {
    const { page, complaints } = await openPage(chromium, await reportOf(capture))
    for await (const record of connections(capture, { analyse: true, maxStreamBytes: 0 }))
      for (const [way, word] of [[0, 'fwd'], [1, 'rev']] as const) {
        await choose(page, record.connection_id, way)
        const points = (await collect(series(capture, record))).filter(point => point.direction === word && point.length > 0)
        const name = `${record.connection_id} ${word}`
        t.is(await legend(page, 'segments'), points.length, name)
        t.is(await legend(page, 'retransmissions'), record[`kind_retransmission_${word}`], name)
        await page.click('#tab1')
        t.is(await legend(page, 'samples'), record[`rtt_samples_${word}`], name)
      }
    t.deepEqual(complaints, [])
    await page.close()
  }
})

inBrowser('what is drawn is where it belongs', async (t, chromium) => {
  const { page } = await openPage(chromium, await reportOf(samplePath))
  await choose(page, 1, 1)
  await page.waitForSelector('#panel .plot canvas')
  await page.waitForTimeout(300)
  // The retransmission is the only thing in its colour.
  const red = await page.evaluate(`(() => {
    const canvas = document.querySelector('#panel .plot canvas')
    const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    const columns = new Set()
    for (let i = 0; i < data.length; i += 4) if (data[i] > 180 && data[i + 1] < 60 && data[i + 2] < 80) columns.add((i / 4) % width)
    return [Math.min(...columns) / width, Math.max(...columns) / width]
  })()`) as [number, number]
  const points = await collect(series(samplePath, 1))
  const again = points.find(({ kind, direction }) => direction === 'rev' && kind.includes('retransmission'))!
  const share = Number(again.ts_ns - points[0]!.ts_ns) / Number(points.at(-1)!.ts_ns - points[0]!.ts_ns)
  t.true(red[1] - red[0] < 0.02, `${red}`)
  t.true(Math.abs((red[0] + red[1]) / 2 - (0.07 + 0.9 * share)) < 0.03, `${red} for ${share}`)
  await page.close()
})

inBrowser('the table sorts and filters', async (t, chromium) => {
  const { page } = await openPage(chromium, await reportOf(samplePath))
  const records = (await collect(connections(samplePath, { analyse: true, maxStreamBytes: 0 }))).toSorted((a, b) => a.connection_id - b.connection_id)
  const ids = () => columnTexts(page, GRID, 0)
  t.deepEqual(await ids(), records.map(record => String(record.connection_id)))
  await head(page, 'data ←').click()
  const bySize = records.toSorted((a, b) => b.payload_bytes_rev - a.payload_bytes_rev || a.connection_id - b.connection_id)
  t.deepEqual(await ids(), bySize.map(record => String(record.connection_id)))
  t.is(await page.locator(`${GRID} [aria-sort="descending"]`).textContent(), 'data ←')
  await head(page, 'data ←').click()
  const upwards = records.toSorted((a, b) => a.payload_bytes_rev - b.payload_bytes_rev || a.connection_id - b.connection_id)
  t.deepEqual(await ids(), upwards.map(record => String(record.connection_id)))
  await head(page, '#').click()

  await page.selectOption('#state', 'SF')
  t.deepEqual(await ids(), records.filter(record => record.conn_state === 'SF').map(record => String(record.connection_id)))
  await page.selectOption('#problem', { label: 'retransmissions · 2' })
  const again = records.filter(record => record.kind_retransmission_fwd + record.kind_retransmission_rev > 0)
  t.deepEqual(await ids(), again.map(record => String(record.connection_id)))
  t.is(await page.locator('#count').textContent(), `2 of ${records.length} connections`)
  await page.getByText('Show all').click()
  for (const [search, test] of [
    ['192.0.2.1', ({ client_addr }) => client_addr.startsWith('192.0.2.1')],
    ['8080', ({ server_port }) => server_port === 8080],
    ['198.51.100.21:8080', record => record.server_addr === '198.51.100.21' && record.server_port === 8080],
    ['2001:DB8 8081', record => record.ip_version === 6 && record.server_port === 8081],
    ['#3', record => record.connection_id === 3],
    ['rej', record => record.conn_state === 'REJ'],
    ['nothing', () => false],
  ] as [string, (record: (typeof records)[number]) => boolean][]) {
    await page.fill('#search', search)
    await page.waitForTimeout(300)
    t.deepEqual(await ids(), records.filter(test).map(record => String(record.connection_id)), search)
  }
  await page.close()
})

inBrowser('the keyboard is enough, and what changes is told', async (t, chromium) => {
  const { page } = await openPage(chromium, await reportOf(samplePath))
  await page.focus(GRID)
  for (const key of ['End', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key)
  const active = await page.getAttribute(GRID, 'aria-activedescendant')
  t.is(await page.locator(`#${active}`).getAttribute('aria-rowindex'), '7')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#detail[data-connection="5"][aria-busy="false"]')
  t.is(await page.locator(`${GRID} [aria-selected="true"]`).getAttribute('aria-rowindex'), '7')
  await page.focus('#tab0')
  await page.keyboard.press('ArrowRight')
  t.is(await page.evaluate('document.activeElement.id'), 'tab1')
  t.is(await page.getAttribute('#tab1', 'aria-selected'), 'true')
  t.regex((await page.textContent('#status'))!, /Round trips of what .* samples/)
  const plot = page.locator('#panel .plot')
  t.regex((await plot.getAttribute('aria-label'))!, /median/)
  await plot.focus()
  for (const key of ['+', 'ArrowRight', '0']) await page.keyboard.press(key)
  // Every control has a name.
  const nameless = await page.evaluate(`[...document.querySelectorAll('button, input, select, [tabindex="0"]')]
    .filter(element => !element.closest('[hidden]') && !(element.ariaLabel || element.labels?.length || element.textContent.trim() || element.title)).map(element => element.outerHTML)`)
  t.deepEqual(nameless, [])
  const grid = await page.locator(GRID).ariaSnapshot()
  t.regex(grid, /columnheader/)
  t.regex(grid, /gridcell/)
  await page.close()
})

inBrowser('nothing of a capture is markup', async (t, chromium) => {
  const bad = '</script><img src=x onerror=alert(1)><script>alert(2)</script>\u202e'
  const octets = Uint8Array.from(Buffer.from(`GET /${bad} HTTP/1.1\r\n\r\n<!--${bad}`))
  const client = { ports: [4000, 80] as [number, number] }
  const capture = pcap(
    framesOf([
      { ...client, seq: 0, flags: SYN },
      { ports: [80, 4000], reversed: true, seq: 9, ack: 1, flags: SYN | ACK },
      { ...client, seq: 1, ack: 10, flags: ACK | PSH, payload: octets },
      { ports: [80, 4000], reversed: true, seq: 10, ack: 1 + octets.length, flags: ACK | PSH, payload: octets },
      { ...client, seq: 1 + octets.length, ack: 10 + octets.length, flags: FIN | ACK },
    ]),
  )
  // A file's name may hold anything but a slash.
  const name = bad.replaceAll('/', '')
  mkdirSync(join(folder, 'bad'), { recursive: true })
  writeFileSync(join(folder, 'bad', name), capture)
  const { page, requests, complaints } = await openPage(chromium, await reportOf(join(folder, 'bad', name), { filter: 'tcp or host 192.0.2.1' }))
  await choose(page, 0, 0)
  await page.waitForTimeout(200)
  t.is(await page.locator('img').count(), 0)
  t.is(await page.locator('script:not([type])').count(), 0)
  t.deepEqual(complaints, [])
  t.is(requests.filter(request => !request.startsWith('data:')).length, 1)
  const text = (await page.locator('.streams pre').first().textContent())!
  t.true(text.includes('<img src=x onerror=alert(1)><script>alert(2)</script>'), text)
  t.false(text.includes('\u202e'))
  t.true((await page.locator('#facts').textContent())!.includes('<img src=x onerror=alert(1)>'))
  await page.selectOption('#hex', '1')
  t.true((await page.locator('.streams pre').first().textContent())!.startsWith('000000  47 45 54 20 2f 3c 2f 73  63 72 69 70 74 3e'))
  await page.close()
})

inBrowser('a script that were injected all the same would not run', async (t, chromium) => {
  const { page, complaints } = await openPage(chromium, await reportOf(samplePath))
  await page.evaluate(`(() => {
    const script = document.createElement('script')
    script.textContent = 'document.title = "owned"'
    document.body.append(script)
    const image = document.createElement('img')
    image.src = 'http://192.0.2.1/x.png'
    document.body.append(image)
  })()`)
  await page.waitForTimeout(300)
  t.is(await page.title(), 'sample.pcap – tcpskein report')
  t.is(complaints.filter(text => text.includes('Content Security Policy')).length, 2)
  await page.close()
})

const background = (page: Page) => page.evaluate('getComputedStyle(document.body).backgroundColor') as Promise<string>

inBrowser('light and dark are as the system has them, or as chosen', async (t, chromium) => {
  const url = await reportOf(samplePath)
  const [light, dark] = [await openPage(chromium, url, 'light'), await openPage(chromium, url, 'dark')]
  const [white, black] = [await background(light.page), await background(dark.page)]
  t.not(white, black)
  await light.page.locator('#theme input[value="dark"]').check({ force: true })
  t.is(await background(light.page), black)
  await dark.page.locator('#theme input[value="light"]').check({ force: true })
  t.is(await background(dark.page), white)
  for (const { page, complaints } of [light, dark]) {
    t.deepEqual(complaints, [])
    t.deepEqual(await poorContrast(page), [])
    await page.close()
  }
})

/** Texts whose colour has less than 4.5 to 1 to what is behind them (WCAG 2.2, 1.4.3); what is 0 is meant to step back. */
function poorContrast(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const numbers = color => color.match(/[\\d.]+/g).map(Number)
    const light = color => {
      const [r, g, b] = numbers(color).map(v => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = element => {
      for (let at = element; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor
        if (!/, 0\\)$/.test(color)) return color
      }
      return 'rgb(255, 255, 255)'
    }
    const poor = []
    for (const element of document.querySelectorAll('main *, header *')) {
      if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || element.closest('.zero, .hidden, option')) continue
      const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x)
      if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(element.textContent)
    }
    return poor
  })()`)
}

/** 100,000 connections, a SYN each. */
function manyConnections(count: number): Uint8Array {
  const frame = (i: number) => {
    const octets = tcpFrame({ ports: [1024 + (i % 60_000), 80], flags: SYN, seq: i, window: (i * 7919) % 65_536 })
    octets.set([10, (i * 31) & 0xff, (i >>> 8) & 0xff, i & 0xff], 26)
    return octets
  }
  return pcap(Array.from({ length: count }, (_, i) => [1_700_000_000_000_000_000n + BigInt(i) * 100_000n, frame(i)] as const))
}

inBrowser('a table of 100,000 rows sorts in less than 100 ms', async (t, chromium) => {
  const { page }: Watched = await openPage(chromium, await reportOf(manyConnections(100_000)))
  t.is(await page.locator('#count').textContent(), '100,000 connections')
  const times = await page.evaluate(`(() => {
    const times = []
    for (const head of document.querySelectorAll('${GRID} [role="columnheader"] button')) {
      const rounds = []
      for (let i = 0; i < 8; i++) {
        const start = performance.now()
        head.click()
        rounds.push(performance.now() - start)
      }
      times.push([head.textContent, rounds[0], Math.min(...rounds)])
    }
    return times
  })()`) as [string, number, number][]
  t.log(`first click, quickest of eight: ${times.map(([name, first, least]) => `${name} ${first.toFixed(0)} ms, ${least.toFixed(0)} ms`).join('; ')}`)
  // Other tests run beside this one: the quickest says what the sorting takes.
  t.true(times.every(([, , least]) => least < 100))
  t.true((await page.locator(`${GRID} .grid-body [role="row"]`).count()) < 60, 'only rows in view are elements')
  await page.focus(GRID)
  await head(page, '#').click()
  await page.focus(GRID)
  await page.keyboard.press('End')
  t.is((await columnTexts(page, GRID, 0)).at(-1), '99999')
  await page.close()
})

inBrowser('a connection that was left out says so', async (t, chromium) => {
  const { page } = await openPage(chromium, await reportOf(samplePath, { maxDetails: 1 }))
  t.regex((await page.locator('#notices').textContent())!, /for the 1 most interesting of 8 connections/)
  await page.evaluate(`location.hash = 'c7'`)
  await page.waitForSelector('#not-embedded')
  t.regex((await page.locator('.facts-table').textContent())!, /packets/)
  await page.close()
})
