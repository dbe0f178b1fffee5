/**
 * The public surface for browsers: as `index.ts`, without files and without `dnsChain`, whose parser of DNS messages is
 * made for Node. Captures come as octets or as streams of them.
 */
import { browserPlatform } from './browser/platform.js'
import { setPlatform } from './platform.js'

setPlatform(browserPlatform)

export { observe, Observer, type FlowRecord, type ObserveOptions, type ObserveStats } from './observe.js'
export { flowTable, type ColumnOf, type FlowTable, type NumberColumn } from './table/flow-table.js'
export type { FlowBase, FlowEndReason, TunnelKind } from './flow.js'
export type { AnyChain, BuiltInChain, Chain, Direction, Verdict } from './chain/chain.js'
export { Ip4View, Ip6View, type IpView } from './packet/ip-view.js'
export { IcmpView, TcpView, UdpView } from './packet/upper-views.js'
export {
  tcpOptionList,
  tcpOptions,
  type FastOpenOption,
  type TcpOption,
  type TcpOptions,
  type TcpOptionsSource,
} from './packet/options.js'
export * from './packet/constants.js'
export { basicChain, type BasicFields } from './chain/basic.js'
export { tcpChain, type TcpFields } from './chain/tcp.js'
export type { CaptureInfo, CaptureInterface } from './capture-info.js'
export { linkTypeName } from './link-types.js'
export { tcpOptChain, type TcpOptFields } from './chain/tcpopt.js'
export { mssChain, type MssFields } from './chain/mss.js'
export { tfoChain, type TfoFields } from './chain/tfo.js'
export { ecnChain, type EcnFields } from './chain/ecn.js'
export { dscpChain, type DscpFields } from './chain/dscp.js'
export { evilChain, type EvilFields } from './chain/evil.js'
export { icmpChain, type IcmpFields } from './chain/icmp.js'
export { udpChain, type UdpFields } from './chain/udp.js'
export { noopChain, type NoopFields } from './chain/noop.js'
export type { CaptureSource } from './source.js'
export { PacketFeed, type FedPacket, type PacketFeedOptions } from './packet-feed.js'
export type {
  ChecksumMode,
  DecodeOptions,
  EngineName,
  FragmentOptions,
  FragmentPolicy,
  ObserveTimes,
} from './options.js'
export { CaptureError, ChainError, FlowError, InternalError, OptionError, StateError, type ErrorCode } from './errors.js'
export { streamEvents, StreamEvents } from './stream-events.js'
export type {
  CloseEvent,
  ConflictEvent,
  DataEvent,
  GapEvent,
  OpenEvent,
  StreamEvent,
  StreamStats,
} from './stream-events.js'
export { connections, Connections, type Connection, type ConnectionsOptions } from './connections.js'
export type { StreamContent } from './stream-content.js'
export type { ConnectionEndReason, ConnectionIdentity, ConnectionRecord, ConnectionState, Gap } from './connection.js'
export type { OverlapPolicy, StreamLimits, StreamOptions } from './stream-options.js'
