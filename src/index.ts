/** tcpskein's public surface. */
export { observe, Observer, type FlowRecord, type ObserveOptions, type ObserveStats } from './observe.js'
export type { FlowBase, FlowEndReason } from './flow.js'
export type { AnyChain, BuiltInChain } from './chain/chain.js'
export { basicChain, type BasicFields } from './chain/basic.js'
export { tcpChain, type TcpFields } from './chain/tcp.js'
export type { CaptureInfo, CaptureInterface } from './capture-info.js'
export { linkTypeName } from './link-types.js'
export type { CaptureSource } from './source.js'
export type { ObserveTimes } from './options.js'
export { CaptureError, FlowError, InternalError, OptionError, StateError, type ErrorCode } from './errors.js'
export { streamEvents, StreamEvents } from './stream-events.js'
export type {
  CloseEvent,
  ConflictEvent,
  DataEvent,
  Direction,
  GapEvent,
  OpenEvent,
  StreamEvent,
  StreamStats,
} from './stream-events.js'
export { connections, Connections, type Connection, type ConnectionsOptions, type StreamContent } from './connections.js'
export type { ConnectionEndReason, ConnectionIdentity, ConnectionRecord, ConnectionState, Gap } from './connection.js'
export type { OverlapPolicy, StreamLimits, StreamOptions } from './stream-options.js'
