/** What is in the captures: facts, protocols, traffic over time, who talks most. */
import type { Container } from '../container.js'
import type { CaptureFacts, OverviewMeta, Share, TalkerFacts } from '../shapes.js'
import { Chart, type Canvas } from './chart.js'
import { byId, el } from './dom.js'
import { duration, number, octets, printable, rate, seconds, time } from './format.js'
import type { Table } from './table.js'

/** Fills the page's head and its first row. */
export function showOverview(overview: Container<OverviewMeta>, table: Table, search: (text: string) => void): void {
  const { meta } = overview
  const names = meta.captures.map(({ name }) => printable(name.split('/').at(-1) ?? name))
  const title = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  byId('title').textContent = title
  document.title = `${title} – tcpskein report`
  byId('subtitle').textContent = subtitle(meta, table)
  for (const text of [...meta.errors, ...meta.leftOut, ...table.remarks]) byId('notices').append(el('p', { class: 'notice' }, printable(text)))
  byId('facts').append(el('h2', {}, names.length > 1 ? 'Captures' : 'Capture'), el('div', { class: 'scroll', tabindex: 0 }, ...meta.captures.map(facts)), protocols(meta.protocols))
  byId('talkers').append(...talkers(meta, search))
  showTraffic(overview)
}

function subtitle({ captures, filter }: OverviewMeta, table: Table): string {
  const packets = captures.reduce((sum, capture) => sum + capture.packets, 0)
  const parts = [`${number(packets)} packets`, `${number(table.connections)} TCP connections`]
  if (filter !== null) parts.push(`filter: ${printable(filter)}`)
  return parts.join(' · ')
}

function facts(capture: CaptureFacts): HTMLElement {
  const { firstNs, lastNs, packets, wireBytes } = capture
  const span = firstNs === null || lastNs === null ? null : Number(BigInt(lastNs) - BigInt(firstNs))
  const lines: [string, string][] = [
    ['file', printable(capture.name)],
    ['format', [capture.format, capture.compression, ...capture.links].filter(part => part !== null).join(', ')],
    ['size', capture.fileBytes === null ? '–' : `${octets(capture.fileBytes)} in the file, ${octets(wireBytes)} on the wire`],
    ['packets', number(packets)],
    ['first', firstNs === null ? '–' : time(BigInt(firstNs))],
    ['duration', span === null ? '–' : duration(span)],
    ['rate', span === null || span === 0 ? '–' : `${rate((wireBytes * 8e9) / span)}, ${number(Math.round((packets * 1e9) / span))} packets/s`],
    ...(capture.inOrder ? [] : [['time order', 'not strict'] as [string, string]]),
    ...(capture.capturedBytes < wireBytes ? [['captured', octets(capture.capturedBytes)] as [string, string]] : []),
    ...capture.notes.map((note): [string, string] => ['note', printable(note)]),
  ]
  return el('dl', { class: 'facts' }, ...lines.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]))
}

function protocols(shares: readonly Share[]): HTMLElement {
  const rows = shares.map(({ name, packets, octets: size }) =>
    el('tr', {}, el('td', {}, name), el('td', { class: 'n' }, number(packets)), el('td', { class: 'n' }, size === null ? '–' : octets(size))),
  )
  const head = el('tr', {}, el('th', { scope: 'col' }, 'protocol'), el('th', { scope: 'col', class: 'n' }, 'packets'), el('th', { scope: 'col', class: 'n' }, 'octets'))
  return el('table', { class: 'plain' }, el('caption', { class: 'hidden' }, 'Protocols'), el('thead', {}, head), el('tbody', {}, ...rows))
}

function talkers({ talkers: list, talkersApproximate, addresses }: OverviewMeta, search: (text: string) => void): Node[] {
  const most = Math.max(1, ...list.map(total))
  const row = (talker: TalkerFacts) => {
    const bar = el('i', {})
    bar.style.width = `${(total(talker) / most) * 100}%`
    const name = el('button', { type: 'button', class: 'link mono', title: `Show the connections of ${talker.address}`, click: () => search(talker.address) }, talker.address)
    return el('tr', {},
      el('td', {}, name, el('span', { class: 'bar', 'aria-hidden': 'true' }, bar)),
      el('td', { class: 'n' }, octets(talker.sentOctets)),
      el('td', { class: 'n' }, octets(talker.receivedOctets)),
      el('td', { class: 'n' }, number(talker.sentPackets + talker.receivedPackets)),
    )
  }
  const heads = [['address', ''], ['sent', 'n'], ['received', 'n'], ['packets', 'n']] as const
  const head = el('tr', {}, ...heads.map(([text, kind]) => el('th', { scope: 'col', class: kind }, text)))
  const about = talkersApproximate ? 'sums of small ones may be too small' : `${number(list.length)} of ${number(addresses)}`
  return [
    el('h2', {}, 'Top talkers ', el('span', { class: 'caption' }, `· ${about}`)),
    el('div', { class: 'scroll talkers', tabindex: 0, role: 'region', 'aria-label': 'Top talkers' },
      el('table', {}, el('thead', {}, head), el('tbody', {}, ...list.map(row)))),
  ]
}

const total = (talker: TalkerFacts): number => talker.sentOctets + talker.receivedOctets

const KINDS = ['tcp', 'udp', 'other'] as const
const NAMES = { tcp: 'TCP', udp: 'UDP', other: 'other IP' } as const

/** Stacked: what all kinds come to is the upper edge. */
function showTraffic({ meta, arrays }: Container<OverviewMeta>): void {
  const width = meta.binMs / 1000
  const count = arrays.packets!.length
  const kinds = KINDS.filter(kind => arrays[kind]!.some(value => value > 0))
  const sums = Array.from({ length: count }, (_, i) => kinds.reduce((sum, kind) => sum + arrays[kind]![i]!, 0))
  const most = Math.max(1, ...sums.map(sum => (sum * 8) / width))
  const draw = (canvas: Canvas) => {
    const { context, x, y } = canvas
    const base = new Float64Array(count)
    for (const kind of kinds) {
      context.fillStyle = canvas.color(kind)
      for (let i = 0; i < count; i++) {
        const value = (arrays[kind]![i]! * 8) / width
        if (value === 0) continue
        const [left, right] = [x(i * width), x((i + 1) * width)]
        const [low, high] = [y(base[i]!), y(base[i]! + value)]
        context.fillRect(left, high, Math.max(1, right - left - (right - left > 4 ? 1 : 0)), Math.max(1, low - high))
        base[i]! += value
      }
    }
  }
  const readout = (at: number) => {
    const i = Math.floor(at / width)
    if (i < 0 || i >= count) return ''
    const parts = kinds.map(kind => `${NAMES[kind]} ${rate((arrays[kind]![i]! * 8) / width)}`)
    return `${seconds(i * width, width)} · ${parts.join(' · ')} · ${number(arrays.packets![i]!)} packets`
  }
  const legend = kinds.map(kind => {
    const swatch = el('i', {})
    swatch.style.background = `var(--${kind})`
    return el('li', {}, swatch, NAMES[kind])
  })
  const chart = new Chart({
    label: `Traffic over time: at most ${rate(most)} in ${count} bins of ${duration(meta.binMs * 1e6)}.`,
    x: [0, Math.max(width, count * width)],
    y: [0, most * 1.05],
    format: rate,
    draw,
    readout,
    height: 232,
  })
  const start = time(BigInt(Math.round(meta.startMs)) * 1_000_000n)
  byId('traffic').append(
    el('h2', {}, 'Traffic over time ', el('span', { class: 'caption' }, `· from ${start}, bins of ${duration(meta.binMs * 1e6)}`)),
    el('ul', { class: 'legend' }, ...legend),
    chart.element,
  )
}
