/** `record`: packets of an interface into files, as they come. */
import { fromNative, OptionError } from './errors.js'
import { checkLive } from './live.js'
import type { LiveSource } from './live-source.js'
import { startRecorder, type NativeRecorder } from './native/live.js'
import { abortSignal, flag, integer, knownNames, seconds, word } from './options.js'

/** How packets are recorded. */
export interface RecordOptions {
  /**
   * `pcapng` keeps the names of interfaces and counts what was dropped; `pcap` can be read by every program.
   * @defaultValue by the file's name: `pcap` where it ends in `.pcap` or `.cap`, else `pcapng`
   */
  format?: 'pcap' | 'pcapng'
  /**
   * Compresses with Zstandard.
   * @defaultValue by the file's name: true where it ends in `.zst`
   */
  zstd?: boolean
  /**
   * Begins a new file before one would get longer than this many octets, counted before compression. Each file gets a
   * number before its extension: `trace-00001.pcap`.
   * @defaultValue none
   */
  rotateBytes?: number
  /**
   * Begins a new file with the first packet that comes so many seconds after a file's first one.
   * @defaultValue none
   */
  rotateSeconds?: number
  /**
   * Files that are kept, with `rotateBytes` or `rotateSeconds`: the oldest is removed when there are more.
   * @defaultValue all
   */
  maxFiles?: number
  /** Ends the recording, as `stop()` does. */
  signal?: AbortSignal
}

/** What a recording came to so far. */
export interface RecordStats {
  /** Packets written. */
  packets: number
  /** Octets of them captured. */
  capturedBytes: number
  /** Octets written, before compression. */
  fileBytes: number
  /** Files begun. */
  files: number
  /** Packets that came and that the filter chose, dropped ones included. */
  received: number
  /** Packets that the system dropped because they weren't taken in time. */
  dropped: number
  /** Packets that the interface dropped. */
  droppedByInterface: number
}

/**
 * Begins to record packets of an interface.
 *
 * @param path the file; one that is there is written anew
 * @throws {@link OptionError} for what can't be used; {@link CaptureError} where the interface can't be captured on, or
 * the file can't be made
 *
 * @example
 * const recording = record({ interface: 'eth0', filter: 'tcp port 443', timeLimit: 60 }, 'trace.pcapng.zst')
 * await recording.finished
 * console.log(recording.stats.packets, 'packets,', recording.stats.dropped, 'dropped')
 */
export function record(source: LiveSource, path: string, options: RecordOptions = {}): Recording {
  return new Recording(source, path, options)
}

const NAMES = ['format', 'zstd', 'rotateBytes', 'rotateSeconds', 'maxFiles', 'signal']

/** A recording that runs: what {@link record} returns. */
export class Recording {
  readonly #native: NativeRecorder
  /** Resolves when all is written; rejects with a {@link CaptureError} where the recording broke off. */
  readonly finished: Promise<RecordStats>

  constructor(source: LiveSource, path: string, options: RecordOptions = {}) {
    knownNames(options, NAMES)
    if (typeof path !== 'string' || path === '') throw new OptionError("path: expected a file's name")
    const signal = abortSignal(options.signal)
    signal?.throwIfAborted()
    const { rotateBytes, rotateSeconds, maxFiles } = options
    if (maxFiles !== undefined && rotateBytes === undefined && rotateSeconds === undefined)
      throw new OptionError('maxFiles: needs rotateBytes or rotateSeconds')
    this.#native = startRecorder(checkLive(source), {
      path,
      pcapng: word('format', options.format, formatOf(path), ['pcap', 'pcapng']) === 'pcapng',
      zstd: flag('zstd', options.zstd, path.endsWith('.zst')),
      ...(rotateBytes === undefined
        ? {}
        : { rotateBytes: integer('rotateBytes', rotateBytes, 0, 1, Number.MAX_SAFE_INTEGER) }),
      ...(rotateSeconds === undefined ? {} : { rotateTime: seconds('rotateSeconds', rotateSeconds, 0) }),
      ...(maxFiles === undefined ? {} : { maxFiles: integer('maxFiles', maxFiles, 0, 1, 1_000_000) }),
    })
    const stop = () => this.stop()
    signal?.addEventListener('abort', stop, { once: true })
    this.finished = this.#end().finally(() => signal?.removeEventListener('abort', stop))
    // Who doesn't wait for the end isn't told of its error as of something that nobody handled.
    this.finished.catch(() => {})
  }

  async #end(): Promise<RecordStats> {
    try {
      await this.#native.ended()
    } catch (error) {
      throw fromNative(error)
    }
    return this.stats
  }

  /** Counters so far. */
  get stats(): RecordStats {
    return this.#native.totals()
  }

  /** Ends the recording: what arrived before is written, then `finished` resolves. May be called again. */
  stop(): void {
    this.#native.stop()
  }
}

function formatOf(path: string): 'pcap' | 'pcapng' {
  return /\.(pcap|cap)(\.zst)?$/.test(path) ? 'pcap' : 'pcapng'
}
