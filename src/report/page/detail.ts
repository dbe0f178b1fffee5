/** The section of the chosen connection: its plots, its segments, its streams, and what the analysis says of it. */
import type { Container } from '../container.js'
import type { DetailMeta } from '../shapes.js'
import { Chart } from './chart.js'
import { endpoint } from './connections.js'
import { announce, byId, el } from './dom.js'
import { showFacts } from './facts.js'
import { flagLetters, number, seconds, time } from './format.js'
import { Grid, type GridColumn } from './grid.js'
import { roundTripPlot, sequencePlot, throughputPlot, windowPlot, type LegendEntry, type NamedPlot } from './plots.js'
import { kindsOf, Segments, type Way } from './segments.js'
import { showStreams } from './streams.js'
import type { Table } from './table.js'

type PlotMaker = (segments: Segments, way: Way) => NamedPlot

const PLOTS: readonly [name: string, make: PlotMaker][] = [
  ['Time–sequence', sequencePlot],
  ['Round trips', roundTripPlot],
  ['Throughput', throughputPlot],
  ['Window', windowPlot],
]
const TABS = [...PLOTS.map(([name]) => name), 'Segments']

/** One connection, shown. */
export class Detail {
  readonly #segments: Segments | null
  readonly #lengths: readonly [number, number]
  readonly #panel = el('div', { role: 'tabpanel', id: 'panel', tabindex: -1 })
  readonly #tabs: readonly HTMLButtonElement[]
  readonly #way = el('select', { id: 'way' }, el('option', { value: 0 }, 'client → server'), el('option', { value: 1 }, 'server → client'))
  readonly #hex = el('select', { id: 'hex' }, el('option', { value: 0 }, 'text'), el('option', { value: 1 }, 'hexadecimal'))
  readonly #streams = el('div', {})
  #chart: Chart | undefined

  constructor(table: Table, row: number, detail: Container<DetailMeta> | null, start: number, close: () => void) {
    this.#segments = detail === null ? null : new Segments(detail)
    this.#lengths = [table.column('stream_len_fwd')[row]!, table.column('stream_len_rev')[row]!]
    this.#tabs = TABS.map((name, i) =>
      el('button', { type: 'button', role: 'tab', id: `tab${i}`, 'aria-controls': 'panel', click: () => this.choose(i) }, name),
    )
    const more = table.column('payload_bytes_rev')[row]! > table.column('payload_bytes_fwd')[row]!
    this.#way.value = more ? '1' : '0'
    this.#way.addEventListener('change', () => this.choose(this.chosen))
    this.#hex.addEventListener('change', () => this.#showStreams())
    const tabs = el('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Views of the connection', keydown: event => this.#key(event as KeyboardEvent) }, ...this.#tabs)
    tabs.append(el('label', { class: 'way' }, 'direction', this.#way))
    const heading = el('div', { class: 'streams-head' }, el('h3', {}, 'First octets of the streams'), el('label', { class: 'way' }, 'as', this.#hex))
    const left = this.#segments === null ? missing() : el('div', {}, tabs, this.#panel, heading, this.#streams)
    byId('detail').replaceChildren(head(table, row, close), el('div', { class: 'detail-grid' }, left, showFacts(table, row)))
    if (this.#segments === null) return
    this.choose(start)
    this.#showStreams()
  }

  #showStreams(): void {
    if (this.#segments) this.#streams.replaceChildren(showStreams(this.#segments, this.#lengths, this.#hex.value === '1'))
  }

  /** Number of the view. */
  get chosen(): number {
    return this.#tabs.findIndex(tab => tab.getAttribute('aria-selected') === 'true')
  }

  /** Shows a view. */
  choose(place: number): void {
    const segments = this.#segments
    if (segments === null) return
    for (const [i, tab] of this.#tabs.entries()) {
      tab.setAttribute('aria-selected', String(i === place))
      tab.tabIndex = i === place ? 0 : -1
    }
    this.#chart?.close()
    this.#chart = undefined
    this.#panel.setAttribute('aria-labelledby', `tab${place}`)
    this.#way.parentElement!.hidden = place >= PLOTS.length
    const plot = PLOTS[place]
    if (plot) this.#plot(plot[1](segments, this.#way.value === '1' ? 1 : 0))
    else this.#panel.replaceChildren(segmentGrid(segments))
  }

  #plot({ plot, legend, note }: NamedPlot): void {
    this.#chart = new Chart(plot)
    this.#panel.replaceChildren(el('ul', { class: 'legend' }, ...legend.map(entryOf)), this.#chart.element)
    if (note !== undefined) this.#panel.prepend(el('p', { class: 'notice' }, note))
    announce(plot.label)
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined || (event.target as Element).role !== 'tab') return
    const to = (this.chosen + step + TABS.length) % TABS.length
    this.choose(to)
    this.#tabs[to]!.focus()
    event.preventDefault()
  }

  /** Takes it away. */
  close(): void {
    this.#chart?.close()
    byId('detail').replaceChildren()
  }
}

function head(table: Table, row: number, close: () => void): HTMLElement {
  const id = table.column('connection_id')[row]!
  const when = time(table.base + BigInt(Math.round(table.column('first_ns')[row]!)))
  return el('div', { class: 'detail-head' },
    el('h2', { id: 'detail-title' }, `Connection ${id}: `, el('span', { class: 'mono' }, `${endpoint(table, 'client', row)} → ${endpoint(table, 'server', row)}`)),
    el('span', { class: 'caption' }, `${when} · ${table.text('conn_state', row)} · ${table.text('state', row)}, ended by ${table.text('end_reason', row)}`),
    el('button', { type: 'button', class: 'plain-button', click: close }, 'Close'),
  )
}

function missing(): HTMLElement {
  return el('p', { class: 'notice', id: 'not-embedded' },
    "This connection's segments and streams were left out of the page. tcpskein report --connections holds more, and tcpskein serve has those of every connection.")
}

function entryOf({ color, name, value, line }: LegendEntry): HTMLElement {
  const swatch = el('i', { class: line === true ? 'line' : '' })
  swatch.style.background = `var(--${color})`
  return el('li', { 'data-legend': name }, swatch, name, ...(value === undefined ? [] : [' ', el('b', {}, value)]))
}

/** All segments that are here, a row each. */
function segmentGrid(segments: Segments): HTMLElement {
  const at = (name: string) => segments.column(name)
  const optional = (name: string) => (row: number) => (Number.isNaN(at(name)[row]!) ? '–' : number(at(name)[row]!))
  const columns: GridColumn[] = [
    { name: 'packet', title: 'packet', track: '82px', numeric: true, text: row => number(at('packet')[row]!) },
    { name: 't', title: 'time', track: '104px', numeric: true, text: row => seconds(at('t')[row]! / 1e9, 1e-6) },
    { name: 'way', title: 'from', track: '60px', text: row => (at('rev')[row] === 1 ? 'server' : 'client') },
    { name: 'flags', title: 'flags', track: '64px', text: row => flagLetters(at('flags')[row]!), tone: () => 'mono' },
    { name: 'offset', title: 'offset', hint: 'offset in the stream', track: '96px', numeric: true, text: optional('offset') },
    { name: 'length', title: 'length', track: '66px', numeric: true, text: optional('length') },
    { name: 'ack', title: 'ack', hint: 'acknowledged offset of the other stream', track: '96px', numeric: true, text: optional('ack') },
    { name: 'window', title: 'window', track: '82px', numeric: true, text: optional('window') },
    { name: 'flight', title: 'under way', track: '82px', numeric: true, text: optional('flight') },
    { name: 'kind', title: 'what it is', track: 'minmax(160px, 1fr)', text: row => kindsOf(at('kind')[row]!), tone: () => 'bad' },
  ]
  const grid = new Grid({ label: 'Segments', className: 'segments', columns, width: 890, mostRows: segments.length, nothing: 'No segments.' })
  grid.show(Array.from({ length: segments.length }, (_, row) => row))
  return grid.element
}
