/**
 * What a build takes in place of `fronts.ts`. Most programs use one of these or none, and all of them together would be
 * two thirds of the code that is read at every start.
 */
import type * as Fronts from './fronts.js'
import { laterClass, laterFunction, laterModule } from './later.js'

type Module = typeof Fronts

const load = laterModule<Module>('fronts.js')
const fn = <Name extends keyof Module>(name: Name) => laterFunction(load, name)
const type = <Name extends keyof Module>(name: Name) => laterClass(load, name)

export const assembleBuffer = fn('assembleBuffer')
export const connectionIdToString = fn('connectionIdToString')
export const CouchDbWriter = type('CouchDbWriter')
export const DecodedTcp = type('DecodedTcp')
export const decodeTcp = fn('decodeTcp')
export const exportRecords = fn('exportRecords')
export const FlowSummaryWriter = type('FlowSummaryWriter')
export const getMaximumSegmentSize = fn('getMaximumSegmentSize')
export const openExport = fn('openExport')
export const PacketFeed = type('PacketFeed')
export const partition = fn('partition')
export const Partitioner = type('Partitioner')
export const PartitionFeed = type('PartitionFeed')
export const PcapWriter = type('PcapWriter')
export const record = fn('record')
export const Recording = type('Recording')
export const StreamSide = type('StreamSide')
export const surveyCaptures = fn('surveyCaptures')
export const TCPStreamExtractor = type('TCPStreamExtractor')
export const TCPStreamFollower = type('TCPStreamFollower')
export const TcpStream = type('TcpStream')
export const TraceFlow = type('TraceFlow')
export const traceFlows = fn('traceFlows')
export const tracePackets = fn('tracePackets')
export const writePartition = fn('writePartition')
