/**
 * What stands on flows and streams, as the sources have it: front ends after other tools, exports, parts of work. A build
 * takes `fronts-lazy.ts` instead.
 */
export { assembleBuffer, getMaximumSegmentSize } from './decode-tcp/assemble.js'
export { connectionIdToString } from './decode-tcp/connection-id.js'
export { DecodedTcp, decodeTcp } from './decode-tcp/decode-tcp.js'
export { exportRecords, openExport } from './export/writer.js'
export { CouchDbWriter } from './extract/couchdb-writer.js'
export { TCPStreamExtractor } from './extract/extractor.js'
export { FlowSummaryWriter } from './extract/flow-summary-writer.js'
export { PcapWriter } from './extract/pcap-writer.js'
export { TCPStreamFollower } from './follower/follower.js'
export { StreamSide, TcpStream } from './follower/tcp-stream.js'
export { PacketFeed } from './packet-feed.js'
export { writePartition } from './partition/arrow.js'
export { PartitionFeed } from './partition/partition-feed.js'
export { partition, Partitioner } from './partition/partitioner.js'
export { surveyCaptures } from './partition/survey.js'
export { record, Recording } from './recording.js'
export { TraceFlow } from './trace/trace-flow.js'
export { traceFlows } from './trace/trace-flows.js'
export { tracePackets } from './trace/trace-packets.js'
