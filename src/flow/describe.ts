/** The columns of flow records: names in a record's order, and types. The same whichever engine does the work. */
import { isBuiltIn } from '../chain/chain.js'
import { derived, type ColumnInfo, type ColumnType } from '../export/columns.js'
import { BASE_COLUMNS } from './columns.js'
import type { Run } from './open.js'

/** Base columns and those of built-in chains, by type; a `?` says that there may be no value. A test asks the addon. */
const TYPES: Readonly<Partial<Record<ColumnType | `${ColumnType}?`, string>>> = {
  'u64': 'flow_id first_packet pkt_fwd pkt_rev oct_fwd oct_rev',
  'f64': 'pkt_first pkt_last',
  'time': 'first_ns last_ns',
  'u32': 'tfo_seq tfo_dlen tfo_ack',
  'u8': 'ip_version proto tfo_synkind tfo_ackkind tfo_synclen tfo_ackclen',
  'text': 'end_reason capture sip dip',
  'text?': 'tunnel',
  'u32?': 'tunnel_id',
  'u16?': 'vlan sp dp',
  'f64?': 'mss_value_fwd mss_value_rev',
  'u8?': 'tcp_synflags_fwd tcp_synflags_rev mss_len_fwd mss_len_rev dscp_mark_syn_fwd dscp_mark_syn_rev dscp_mark_data_fwd dscp_mark_data_rev',
  'bool?': 'tcpopt_ts tcpopt_ws tcpopt_sack evilbit_syn_fwd evilbit_syn_rev evilbit_data_fwd evilbit_data_rev udp_zero_checksum_fwd udp_zero_checksum_rev',
}

const INFO = new Map(
  Object.entries(TYPES).flatMap(([type, names]) =>
    names.split(' ').map(name => [name, derived(name, type.replace('?', '') as ColumnType, type.endsWith('?'))] as const),
  ),
)

/** A column of this package; all others are truth values that are always there. */
const known = (name: string): ColumnInfo => INFO.get(name) ?? derived(name, 'bool')

/** Describes them. */
export function flowColumns(run: Run): ColumnInfo[] {
  const base = BASE_COLUMNS.filter(name => name !== 'capture' || run.separate || run.captures !== null).map(known)
  // What a user's own chain gives is known by its values only.
  const chains = run.chains.flatMap(chain => (chain.columns ?? []).map(name => (isBuiltIn(chain) ? known(name) : derived(name, 'any', true))))
  return [...base, ...chains]
}
