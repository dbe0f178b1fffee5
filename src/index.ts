/** tcpskein's public surface. */
export { observe, Observer, type FlowRecord, type ObserveOptions, type ObserveStats } from './observe.js'
export type { FlowBase, FlowEndReason, TunnelKind } from './flow.js'
export type { AnyChain, BuiltInChain } from './chain/chain.js'
export { basicChain, type BasicFields } from './chain/basic.js'
export { tcpChain, type TcpFields } from './chain/tcp.js'
export type { CaptureSource } from './source.js'
export type {
  ChecksumMode,
  DecodeOptions,
  FragmentOptions,
  FragmentPolicy,
  ObserveTimes,
} from './options.js'
export { CaptureError, FlowError, InternalError, OptionError, StateError, type ErrorCode } from './errors.js'
