/** tcpskein's public surface. */
import { nodePlatform } from './node/platform.js'
import { setPlatform } from './platform.js'

setPlatform(nodePlatform)

export {
  assembleBuffer,
  connectionIdToString,
  CouchDbWriter,
  DecodedTcp,
  decodeTcp,
  exportRecords,
  FlowSummaryWriter,
  getMaximumSegmentSize,
  openExport,
  PacketFeed,
  partition,
  Partitioner,
  PartitionFeed,
  PcapWriter,
  record,
  Recording,
  StreamSide,
  surveyCaptures,
  TCPStreamExtractor,
  TCPStreamFollower,
  TcpStream,
  TraceFlow,
  traceFlows,
  tracePackets,
  writePartition,
} from './fronts.js'
export { connections, Connections, series, Series, streamEvents, StreamEvents } from './streams.js'

export { observe, Observer, type FlowRecord, type ObserveOptions, type ObserveStats } from './observe.js'
export { flowTable, type ColumnOf, type FlowTable, type NumberColumn } from './table/flow-table.js'
export type { ArrowTable } from './table/arrow.js'
export type { FlowBase, FlowEndReason, TunnelKind } from './flow.js'
export type { AnyChain, BuiltInChain, Chain, Direction, Verdict } from './chain/chain.js'
export { Ip4View, Ip6View, type IpView } from './packet/ip-view.js'
export { IcmpView, TcpView, UdpView } from './packet/upper-views.js'
export {
  tcpOptionList,
  tcpOptions,
  type AccEcnOption,
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
export { dnsChain, type DnsFields } from './chain/dns.js'
export { noopChain, type NoopFields } from './chain/noop.js'
export type { CaptureSource } from './source.js'
export {
  interfaces,
  type InterfaceAddress,
  type InterfaceFlag,
  type NetworkInterface,
} from './live.js'
export type { LiveSource } from './live-source.js'
export type { RecordOptions, RecordStats } from './recording.js'
export type { FedPacket, PacketFeedOptions } from './packet-feed.js'
export type { PacketBatch, PartitionOptions } from './partition/partitioner.js'
export type { LooseFragment, Survey } from './partition/survey.js'
export type { PartitionFeedOptions } from './partition/partition-feed.js'
export type { FragmentFlow } from './engine.js'
export type {
  ChecksumMode,
  EngineName,
  DecodeOptions,
  FragmentOptions,
  FragmentPolicy,
  ObserveTimes,
} from './options.js'
export {
  CaptureError,
  ChainError,
  EngineError,
  FileExistsError,
  FlowError,
  InternalError,
  OptionError,
  OutputError,
  StateError,
  WriterError,
  type ErrorCode,
} from './errors.js'
export type {
  CloseEvent,
  ConflictEvent,
  DataEvent,
  GapEvent,
  MarkEvent,
  OpenEvent,
  StreamEvent,
  StreamStats,
} from './stream-events.js'
export type { Connection, ConnectionsOptions } from './connections.js'
export type { StreamContent } from './stream-content.js'
export type { ConnectionEndReason, ConnectionIdentity, ConnectionRecord, ConnectionState, Gap } from './connection.js'
export type { AnalysedRecord, ConnectionAnalysis, ConnState, EcnMode } from './analysis/columns.js'
export { SEGMENT_KINDS, type SegmentKind } from './analysis/segment-kinds.js'
export type { SegmentPoint, SeriesOptions } from './analysis/series.js'
export type { ColumnInfo, ColumnType } from './export/columns.js'
export { EXPORT_FORMATS, type ExportFormat } from './export/formats.js'
export type { Exportable, ExportOptions, RecordWriter } from './export/writer.js'
export type { AnalysedConnection } from './connections.js'
export type { EventOptions, OverlapPolicy, StreamLimits, StreamOptions } from './stream-options.js'
export type { FollowerInput, FollowerStats } from './follower/follower.js'
export type { FollowerOptions, StreamCallback } from './follower/options.js'
export type { StreamUpdate } from './follower/book.js'
export type { DecodedData, DecodeTcpOptions, DecodeTcpStats } from './decode-tcp/decode-tcp.js'
export type { ConnectionId, ConnectionIdLike } from './decode-tcp/connection-id.js'
export type { SegmentMap } from './decode-tcp/assemble.js'
export type { Fed, Packet } from './follower/packets.js'
export type { Answer } from './follower/options.js'
export type { PieceReason, Since } from './decode-tcp/assembly.js'
export type { ReadOptions } from './options.js'
export type { TraceCallback, TraceIndex } from './trace/trace-flow.js'
export type { TraceFlowsOptions, TraceSummary } from './trace/trace-flows.js'
export type { TracePacketsOptions } from './trace/trace-packets.js'
export type { TraceFlowOptions } from './trace/options.js'
export type { TraceFrame, TracePacket } from './trace/packet.js'
export type { TraceDumper, TraceDumperClass, TraceDumperOptions, TraceOutput } from './trace/dumper.js'
export type { TracedFlow, TraceStats } from './trace/traced-flow.js'
export type { TraceEndReason } from './trace/tracer.js'
export type {
  ClientServerStreams,
  ExtractedPacket,
  ExtractStats,
  PortStreams,
  StreamSummary,
} from './extract/extractor.js'
export type { ExtractOptions, OnWriterError } from './extract/options.js'
export type { PacketTime, PartStart, PerSide, StreamInfo, StreamPart } from './extract/part.js'
export type { PacketCursor, PacketLog, StreamPacket } from './extract/packet-log.js'
export type { StateChange } from './extract/state-history.js'
export { TCP_STATES, type TcpState } from './extract/state-names.js'
export type { StreamWriter, WriterContext } from './extract/writer.js'
export type { FileWriterOptions } from './extract/pcap-writer.js'
export { FLOW_SUMMARY_COLUMNS } from './extract/summary-columns.js'
export type { CouchDbOptions, CouchDbStats } from './extract/couchdb-writer.js'
export type { Replicated } from './extract/couch/pouch-store.js'
export { serveReport, writeReport } from './report/reports.js'
export type { ReportOptions, ReportSummary } from './report/write-report.js'
export type { ReportLimits, ReportProgress, ReportReading } from './report/options.js'
export type { ReportServer, ServeOptions } from './report/serve-report.js'
