/** What the analysis says of one connection, both directions side by side. */
import { el } from './dom.js'
import { duration, number, octets, rate } from './format.js'
import type { Table } from './table.js'

type Format = (value: number) => string

/** A line: what it is called, its column without `_fwd` and `_rev`, how it is written, and whether more than 0 is bad. */
type Line = readonly [title: string, column: string, format?: Format, bad?: boolean]

const flagsText: Format = flags => ([...'FSRPAUEC'].filter((_, bit) => (flags >>> bit) & 1).join(''))
const yes: Format = value => (value === 1 ? 'yes' : 'no')

const GROUPS: readonly (readonly [group: string, lines: readonly Line[]])[] = [
  ['Amounts', [['packets', 'packets'], ['payload', 'payload_bytes', octets], ['delivered in order', 'stream_len', octets], ['IP octets', 'ip_bytes', octets]]],
  ['Rates', [['throughput', 'throughput_bps', rate], ['goodput', 'goodput_bps', rate], ['first payload after', 'first_byte_ns', duration], ['longest pause', 'idle_max_ns', duration]]],
  ['Round trips', [['samples', 'rtt_samples'], ['least', 'rtt_min_ns', duration], ['median', 'rtt_median_ns', duration], ['95 %', 'rtt_p95_ns', duration], ['by timestamps, median', 'ts_rtt_median_ns', duration]]],
  ['Trouble', [
    ['retransmissions', 'kind_retransmission', number, true], ['· fast', 'kind_fast_retransmission', number, true],
    ['· spurious', 'kind_spurious_retransmission', number, true], ['out of order', 'kind_out_of_order', number, true],
    ['lost segments', 'kind_lost_segment', number, true], ['acks of lost segments', 'kind_ack_lost_segment', number, true],
    ['duplicate acks', 'kind_duplicate_ack', number, true], ['zero windows', 'kind_zero_window', number, true],
    ['window full', 'kind_window_full', number, true], ['keep-alives', 'kind_keep_alive', number],
    ['gaps', 'gap_bytes', octets, true], ['conflicts', 'conflict_bytes', octets, true], ['reset', 'rst', yes, true],
  ]],
  ['Window', [['most under way', 'in_flight_max_bytes', octets], ['greatest window', 'window_max_bytes', octets], ['least window', 'window_min_bytes', octets]]],
  ['Handshake', [['flags of the SYN', 'syn_flags', flagsText], ['MSS', 'mss'], ['window scale', 'window_scale'], ['SACK', 'sack_permitted', yes], ['timestamps', 'timestamps', yes]]],
  ['ECN', [['ECT(0)', 'ect0_packets'], ['ECT(1)', 'ect1_packets'], ['CE', 'ce_packets', number, true], ['ECE', 'ece_packets'], ['CWR', 'cwr_packets']]],
]

/** The table. */
export function showFacts(table: Table, row: number): HTMLElement {
  const irtt = table.value('irtt_ns', row)
  const span = table.column('last_ns')[row]! - table.column('first_ns')[row]!
  const body: HTMLElement[] = []
  for (const [group, lines] of GROUPS) {
    const shown = lines.map(line => factLine(table, row, line)).filter(line => line !== null)
    if (shown.length > 0) body.push(el('tr', { class: 'group' }, el('th', { scope: 'rowgroup', colspan: 3 }, group)), ...shown)
  }
  const heads = el('tr', {}, el('td', {}), el('th', { scope: 'col', class: 'n' }, 'client'), el('th', { scope: 'col', class: 'n' }, 'server'))
  const history = table.text('history', row)
  return el('div', {},
    el('dl', { class: 'facts' },
      el('dt', {}, 'duration'), el('dd', {}, duration(span)),
      el('dt', {}, 'initial round trip'), el('dd', {}, irtt === null ? '–' : duration(irtt)),
      ...(history === '' ? [] : [el('dt', {}, 'history'), el('dd', { class: 'mono' }, history)]),
      ...(table.facts.has('capture') ? [el('dt', {}, 'capture'), el('dd', {}, table.text('capture', row))] : []),
      el('dt', {}, 'first packet'), el('dd', {}, number(table.column('first_packet')[row]!)),
    ),
    el('table', { class: 'facts-table' }, el('caption', { class: 'hidden' }, 'What each side sent'), el('thead', {}, heads), el('tbody', {}, ...body)),
  )
}

/** Null where neither side has anything to tell. */
function factLine(table: Table, row: number, [title, column, format = number, bad = false]: Line): HTMLElement | null {
  const values = [table.value(`${column}_fwd`, row), table.value(`${column}_rev`, row)]
  const quiet = bad || /^(ect|cwr|ece|kind_keep)/.test(column)
  if (values.every(value => value === null || (quiet && value === 0))) return null
  const cells = values.map(value =>
    el('td', { class: `n${bad && value !== null && value > 0 ? ' bad' : ''}` }, value === null ? '–' : format(value)),
  )
  return el('tr', {}, el('th', { scope: 'row' }, title), ...cells)
}
