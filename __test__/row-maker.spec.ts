// Records of connections: their columns by name, in order, and which are null; and the same without compiled code.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { connections, type AnalysedRecord, type ConnectionRecord } from '../src/index.js'
import { collect } from './support/collect.js'
import { everyRecord } from './support/every-record.js'
import { pcap, tcpFrame, type TcpFields } from './support/frames.js'
import { root, samplePath } from './support/places.js'
import { ACK, FIN, PSH, SYN } from './support/stream-capture.js'

const pair = <Name extends string>(name: Name) => [`${name}_fwd`, `${name}_rev`] as const

const COLUMNS = [
  'connection_id', 'first_packet', 'first_ns', 'last_ns', 'ip_version', 'client_addr', 'client_port', 'server_addr', 'server_port', 'state', 'end_reason',
  ...pair('packets'), ...pair('payload_bytes'), ...pair('syn_flags'), ...pair('fin'), ...pair('rst'), 'connected',
  ...pair('isn'), ...pair('mss'), ...pair('window_scale'), ...pair('sack_permitted'), ...pair('timestamps'),
  ...pair('stream_len'), ...pair('gaps'), ...pair('gap_bytes'), ...pair('retransmitted_bytes'), ...pair('out_of_order'),
  ...pair('overlap_bytes'), ...pair('conflict_bytes'),
] as const

const ANALYSIS = [
  ...pair('kind_retransmission'), ...pair('kind_fast_retransmission'), ...pair('kind_spurious_retransmission'), ...pair('kind_out_of_order'),
  ...pair('kind_lost_segment'), ...pair('kind_ack_lost_segment'), ...pair('kind_duplicate_ack'), ...pair('kind_zero_window'), ...pair('kind_window_full'),
  ...pair('kind_keep_alive'), ...pair('kind_keep_alive_ack'), ...pair('kind_window_update'), ...pair('kind_zero_window_probe'), ...pair('kind_zero_window_probe_ack'),
  'irtt_ns', ...pair('rtt_samples'), ...pair('rtt_min_ns'), ...pair('rtt_median_ns'), ...pair('rtt_p95_ns'),
  ...pair('ts_rtt_samples'), ...pair('ts_rtt_min_ns'), ...pair('ts_rtt_median_ns'), ...pair('ts_rtt_p95_ns'),
  ...pair('in_flight_max_bytes'), ...pair('window_max_bytes'), ...pair('window_min_bytes'), ...pair('throughput_bps'), ...pair('goodput_bps'),
  ...pair('first_byte_ns'), ...pair('idle_max_ns'), 'ecn_mode', ...pair('ect0_packets'), ...pair('ect1_packets'), ...pair('ce_packets'),
  ...pair('ece_packets'), ...pair('cwr_packets'), ...pair('ae_packets'), ...pair('ace_ce_packets'), ...pair('ip_bytes'),
  'conn_state', 'history', 'originator', 'orig_bytes', 'resp_bytes', 'missed_bytes', 'duration_ns',
] as const

/** True only for types that are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(value?: T): void => void value

const DIGESTS = pair('stream_sha256')

/** A connection of which five octets are missing, and a SYN without an answer. */
function capture(): Uint8Array {
  const client: Partial<TcpFields> = { ports: [1000, 80], window: 65_535 }
  const server: Partial<TcpFields> = { ...client, ports: [80, 1000], reversed: true }
  const segments: readonly Partial<TcpFields>[] = [
    { ...client, seq: 100, flags: SYN, options: Uint8Array.of(2, 4, 5, 180, 1, 3, 3, 7) },
    { ...server, seq: 4_000_000_000, ack: 101, flags: SYN | ACK, options: Uint8Array.of(2, 4, 5, 120) },
    { ...client, seq: 101, ack: 4_000_000_001, flags: ACK },
    { v6: true, ports: [2000, 443], seq: 3, flags: SYN, window: 500 },
    { ...client, seq: 106, ack: 4_000_000_001, flags: PSH | ACK, payload: Uint8Array.of(6, 7, 8), tos: 2 },
    { ...server, seq: 4_000_000_001, ack: 101, flags: PSH | ACK, payload: Uint8Array.of(1, 2) },
    { ...client, seq: 109, ack: 4_000_000_003, flags: FIN | ACK },
    { ...server, seq: 4_000_000_003, ack: 110, flags: FIN | ACK },
  ]
  return pcap(segments.map((fields, i) => [1_000_000_000_000n + BigInt(i) * 10_000_000n, tcpFrame(fields)]))
}

const nulls = (record: object) => Object.entries(record).flatMap(([name, value]) => (value === null ? [name] : []))

test('columns stand in order, and are those of the types', async t => {
  type Optional = 'capture' | 'stream_sha256_fwd' | 'stream_sha256_rev'
  holds<Same<(typeof COLUMNS)[number], Exclude<keyof ConnectionRecord, Optional>>>()
  holds<Same<(typeof COLUMNS | typeof ANALYSIS)[number], Exclude<keyof AnalysedRecord, Optional>>>()
  for (const engine of ['native', 'js'] as const) {
    for (const record of await collect(connections(capture(), { engine }))) t.deepEqual(Object.keys(record), [...COLUMNS])
    for (const record of await collect(connections([capture()], { engine, hash: 'sha256' })))
      t.deepEqual(Object.keys(record), [...COLUMNS, ...DIGESTS])
  }
  for (const record of await collect(connections(capture(), { analyse: true }))) t.deepEqual(Object.keys(record), [...COLUMNS, ...ANALYSIS])
  for (const record of await collect(connections([samplePath, samplePath], { analyse: true, hash: 'sha256' }))) {
    t.deepEqual(Object.keys(record), [...COLUMNS, ...ANALYSIS, 'capture', ...DIGESTS])
    t.is(record.capture, samplePath)
  }
})

test('what was never seen is null, and nothing else', async t => {
  const [talk, syn] = await collect(connections(capture(), { analyse: true }))
  const stamps = [...pair('ts_rtt_min_ns'), ...pair('ts_rtt_median_ns'), ...pair('ts_rtt_p95_ns')]
  const speeds = [...pair('throughput_bps'), ...pair('goodput_bps')]
  t.deepEqual(nulls(talk!), ['window_scale_rev', ...stamps, ...speeds])
  t.deepEqual(nulls(syn!), [
    'syn_flags_rev', 'isn_rev', ...pair('mss'), ...pair('window_scale'), 'sack_permitted_rev', 'timestamps_rev',
    'irtt_ns', ...pair('rtt_min_ns'), ...pair('rtt_median_ns'), ...pair('rtt_p95_ns'), ...stamps,
    ...pair('in_flight_max_bytes'), ...pair('window_max_bytes'), ...pair('window_min_bytes'), ...speeds, ...pair('first_byte_ns'), 'ecn_mode',
  ])
})

test('each kind of value', async t => {
  const [talk, syn] = await collect(connections(capture(), { analyse: true }))
  t.like(talk, {
    connection_id: 0, first_ns: 1_000_000_000_000n, last_ns: 1_000_070_000_000n, ip_version: 4, client_addr: '10.0.0.1', client_port: 1000,
    state: 'closing', end_reason: 'fin', packets_fwd: 4, packets_rev: 3, syn_flags_fwd: 2, syn_flags_rev: 18, fin_rev: true, rst_fwd: false,
    connected: true, isn_fwd: 100, isn_rev: 4_000_000_000, mss_fwd: 1460, mss_rev: 1400, window_scale_fwd: 7, sack_permitted_rev: false,
    stream_len_fwd: 3, stream_len_rev: 2, gap_bytes_fwd: 5, out_of_order_fwd: 1, kind_lost_segment_fwd: 1, kind_ack_lost_segment_rev: 1,
    irtt_ns: 20_000_000, first_byte_ns_rev: 50_000_000, idle_max_ns_rev: 40_000_000, ecn_mode: 'none', ect0_packets_fwd: 1, ect0_packets_rev: 0,
    conn_state: 'SF', originator: 'client', orig_bytes: 8, missed_bytes: 5, duration_ns: 70_000_000,
  })
  t.deepEqual([talk!.gaps_fwd, talk!.gaps_rev], [[[0, 5]], []])
  t.like(syn, { ip_version: 6, client_addr: 'fd00::1', server_addr: 'fd00::2', history: 'S', conn_state: 'S0', ip_bytes_fwd: 60, isn_fwd: 3 })
})

test('records are the same where no code may be compiled', async t => {
  const program = fileURLToPath(new URL('support/every-record.ts', import.meta.url))
  const flags = ['--disallow-code-generation-from-strings', '--import=@oxc-node/core/register']
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, program, samplePath], { cwd: root, encoding: 'utf8' })
  t.not(stdout, '', stderr)
  const compiled = await everyRecord(samplePath)
  t.deepEqual([...new Set(compiled.map(line => line.split(' ')[0]))], ['FlowRow', 'ConnectionRow', 'AnalysedRow'])
  t.deepEqual(JSON.parse(stdout), compiled)
})
