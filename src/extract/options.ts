/** What an extractor takes, with defaults and checks. */
import type { ConnectionIdentity } from '../connection.js'
import type { StreamEngineOptions } from '../engine.js'
import { OptionError, type FlowError } from '../errors.js'
import {
  abortSignal,
  checkEngine,
  checkReading,
  flag,
  integer,
  knownNames,
  READ_OPTION_NAMES,
  seconds,
  word,
  type CheckedReading,
  type EngineName,
} from '../options.js'
import type { FedPacket } from '../packet-feed.js'
import { checkStreams, STREAM_OPTION_NAMES, type StreamOptions } from '../stream-options.js'
import { FlowSummaryWriter } from './flow-summary-writer.js'
import { PcapWriter } from './pcap-writer.js'
import type { StreamWriter } from './writer.js'

/** What is done when a writer fails. */
export type OnWriterError = 'stop' | 'continue'

/** What an extractor takes. */
export interface ExtractOptions extends Omit<StreamOptions, 'idleTimeout'> {
  /** Packets to read instead of a source, in order. */
  packetList?: Iterable<FedPacket>
  /**
   * `getStreams`, `getClientServerStreams` and `summary` read all that is left first. False: they tell of what `next`
   * has read so far.
   * @defaultValue true
   */
  processPackets?: boolean
  /** Folder for a {@link PcapWriter} and a {@link FlowSummaryWriter}, where no `writers` are given. */
  outputDir?: string
  /**
   * What takes the streams.
   * @defaultValue none: streams are kept for `getStreams`; with `outputDir`, its two writers
   */
  writers?: readonly StreamWriter[]
  /**
   * Streams are kept for `getStreams`, up to `maxKeptBytes`.
   * @defaultValue true without writers, else false
   */
  keep?: boolean
  /**
   * Seconds of packet time without a packet after which a stream is stale: it is written and forgotten. Where the input
   * is live and nothing comes at all, the same seconds by the clock.
   * @defaultValue 180
   */
  staleTimeout?: number
  /**
   * Packets of a stream after which they are written, and the stream is cut: the next ones make another part.
   * @defaultValue 10000
   */
  flushPackets?: number
  /**
   * The same in octets of memory.
   * @defaultValue 4 MiB
   */
  flushBytes?: number
  /**
   * Octets of memory for what was not handed to the writers yet, of all streams together. At the limit streams are cut,
   * those that are over first, then the ones that began first.
   * @defaultValue 8 MiB
   */
  maxPendingBytes?: number
  /**
   * Octets of parts that wait for the writers before the reading waits for them. Once; a part may exceed it.
   * @defaultValue 4 MiB
   */
  maxQueuedBytes?: number
  /**
   * Octets that are kept for `getStreams`, each stream counted as 1 KiB more. Beyond it streams lose what comes later
   * (`complete` is false) or are not kept at all; both are counted.
   * @defaultValue 256 MiB
   */
  maxKeptBytes?: number
  /**
   * What to do when a writer fails: `stop` ends the run and throws the first error; `continue` goes on, tells `onError`
   * each, and without that throws the first one at the end.
   * @defaultValue 'stop'
   */
  onWriterError?: OnWriterError
  /**
   * Called for each capture that can't be read in full, and with `onWriterError: 'continue'` for each {@link WriterError}.
   * @defaultValue the first such error is thrown at the end
   */
  onError?: (error: FlowError) => void
}

/** The same, checked and complete. */
export interface CheckedExtract {
  readonly processPackets: boolean
  readonly writers: readonly StreamWriter[]
  readonly keep: boolean
  /** Writers want octets. */
  readonly octets: boolean
  readonly staleTimeout: number
  readonly flushPackets: number
  readonly flushBytes: number
  readonly maxPendingBytes: number
  readonly maxQueuedBytes: number
  readonly maxKeptBytes: number
  readonly onWriterError: OnWriterError
  readonly onError: ((error: FlowError) => void) | undefined
  readonly signal: AbortSignal | undefined
  readonly want: ((connection: ConnectionIdentity) => boolean) | undefined
  readonly reading: CheckedReading
  readonly engine: EngineName
  readonly streams: StreamEngineOptions
}

const OWN_NAMES = [
  'packetList',
  'processPackets',
  'outputDir',
  'writers',
  'keep',
  'staleTimeout',
  'flushPackets',
  'flushBytes',
  'maxPendingBytes',
  'maxQueuedBytes',
  'maxKeptBytes',
  'onWriterError',
] as const

const MIB = 2 ** 20

/** Checks and completes; `count` captures are read. */
export function checkExtract(options: ExtractOptions, count: number): CheckedExtract {
  const streamNames = STREAM_OPTION_NAMES.filter(name => name !== 'idleTimeout')
  knownNames(options, [...READ_OPTION_NAMES, ...streamNames, ...OWN_NAMES])
  const writers = checkWriters(options)
  const wantFrames = writers.some(({ wants }) => wants?.frames ?? true)
  const wantOctets = writers.some(({ wants }) => wants?.octets ?? true)
  const keep = flag('keep', options.keep, writers.length === 0)
  const staleTimeout = seconds('staleTimeout', options.staleTimeout, 180)
  const octets = (name: 'flushBytes' | 'maxPendingBytes' | 'maxQueuedBytes' | 'maxKeptBytes', fallback: number) =>
    integer(name, options[name], fallback, 0, 2 ** 40)
  return {
    writers,
    staleTimeout,
    processPackets: flag('processPackets', options.processPackets, true),
    keep,
    octets: wantOctets,
    flushPackets: integer('flushPackets', options.flushPackets, 10_000, 1, 2 ** 31),
    flushBytes: octets('flushBytes', 4 * MIB),
    maxPendingBytes: octets('maxPendingBytes', 8 * MIB),
    maxQueuedBytes: octets('maxQueuedBytes', 4 * MIB),
    maxKeptBytes: octets('maxKeptBytes', 256 * MIB),
    onWriterError: word('onWriterError', options.onWriterError, 'stop', ['stop', 'continue']),
    onError: options.onError,
    signal: abortSignal(options.signal),
    want: options.want,
    reading: checkReading(options, count),
    engine: checkEngine(options.engine),
    streams: {
      ...checkStreams({ ...options, idleTimeout: staleTimeout }),
      events: true,
      marks: false,
      packets: true,
      frames: wantFrames,
      bare: !keep && !wantOctets,
      sha256: false,
      analyse: false,
    },
  }
}

function checkWriters({ writers, outputDir }: ExtractOptions): readonly StreamWriter[] {
  if (outputDir !== undefined && (typeof outputDir !== 'string' || outputDir === ''))
    throw new OptionError('outputDir: expected the path of a folder')
  if (writers === undefined) return outputDir === undefined ? [] : [new PcapWriter(outputDir), new FlowSummaryWriter(outputDir)]
  if (outputDir !== undefined) throw new OptionError('outputDir: its writers are used only where no writers are given')
  if (!Array.isArray(writers)) throw new OptionError('writers: expected a list of writers')
  for (const writer of writers as readonly Partial<StreamWriter>[])
    if (typeof writer?.name !== 'string' || typeof writer.write !== 'function')
      throw new OptionError('writers: expected objects with name and write, such as new PcapWriter(folder)')
  return writers as readonly StreamWriter[]
}
