/**
 * Many small files in one folder, written by a thread. In come the octets of one file after another; they are gathered
 * and sent over, and no more than a few batches are under way at a time.
 */
import { mkdir, readdir } from 'node:fs/promises'
import type { Worker } from 'node:worker_threads'
import { FileExistsError } from '../errors.js'
import type { FileAnswer, FileBatch, FileJob } from './file-jobs.js'
import type { WriterContext } from './writer.js'

/** Octets of a batch; a larger file is a batch by itself. */
const BATCH = 256 * 1024
/** Batches under way at a time. */
const MAX_UNDER_WAY = 3
/** MiB: a thread has little that lives long, and would let its garbage grow to several times that. */
const HEAP = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 64 }
/** Milliseconds after which what was gathered is sent. */
const PATIENCE = 250

/** Where files go. */
export interface FileSinkOptions {
  readonly folder: string
  /** What files are called in messages. */
  readonly what: string
  /** Files of the same name may be replaced, and the folder may hold some. */
  readonly overwrite: boolean
}

/** A batch under way, with the streams that its files belong to. */
interface UnderWay {
  readonly jobs: readonly FileJob[]
  readonly streams: readonly string[]
}

/** Files of one folder. */
export class FileSink {
  readonly #options: FileSinkOptions
  #context: WriterContext | undefined
  #thread: Worker | undefined
  /** What is being gathered. */
  #jobs: FileJob[] = []
  #streams: string[] = []
  #octets: Buffer = Buffer.alloc(0)
  #used = 0
  #timer: NodeJS.Timeout | undefined
  #spare: Buffer[] = []
  readonly #underWay: UnderWay[] = []
  #wake: (() => void) | undefined
  #broken: Error | undefined
  /** Files begun, and octets written, those that failed left out. */
  readonly stats = { files: 0, bytes: 0 }

  constructor(options: FileSinkOptions) {
    this.#options = options
  }

  /**
   * Makes the folder and starts the thread.
   *
   * @throws {@link FileExistsError} where the folder holds something that would have to be overwritten
   */
  async open(context: WriterContext): Promise<void> {
    const { folder, what, overwrite } = this.#options
    await mkdir(folder, { recursive: true })
    if (!overwrite && (await readdir(folder)).length > 0)
      throw new FileExistsError(`${folder}: there are ${what} already`)
    this.#context = context
    const { Worker } = await import('node:worker_threads')
    this.#thread = new Worker(new URL('./file-thread.js', import.meta.url), { workerData: { folder }, resourceLimits: HEAP })
    this.#thread.on('message', (answer: FileAnswer) => this.#answered(answer))
    this.#thread.on('error', error => this.#break(error))
    this.#thread.unref()
  }

  /** Room for `length` octets of a file: to be filled before anything else is asked of this sink. */
  room(name: string, stream: string, first: boolean, length: number): Buffer {
    if (this.#used + length > this.#octets.length) this.#exchange(length)
    const mode = first ? (this.#options.overwrite ? 'replace' : 'create') : 'append'
    this.#jobs.push({ name, length, mode })
    this.#streams.push(stream)
    const at = this.#used
    this.#used += length
    this.#timer ??= setTimeout(() => this.#send(), PATIENCE).unref()
    return this.#octets.subarray(at, at + length)
  }

  /** A promise to wait for where too much is under way. */
  ready(): Promise<void> | undefined {
    if (this.#broken) throw this.#broken
    if (this.#underWay.length < MAX_UNDER_WAY) return undefined
    return new Promise(resolve => (this.#wake = resolve))
  }

  /** Writes what was gathered, and ends the thread. */
  async close(): Promise<void> {
    this.#send()
    while (this.#underWay.length > 0) await new Promise<void>(resolve => (this.#wake = resolve))
    await this.#thread?.terminate()
    this.#thread = undefined
    this.#spare = []
  }

  /** Sends what was gathered and takes another buffer, with room for `length` octets. */
  #exchange(length: number): void {
    this.#send()
    const spare = length <= BATCH ? this.#spare.pop() : undefined
    // Of its own memory, so that it can be given to another thread.
    this.#octets = spare ?? Buffer.from(new ArrayBuffer(Math.max(BATCH, length)))
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#jobs.length === 0) return
    const batch: FileBatch = { jobs: this.#jobs, octets: this.#octets.buffer as ArrayBuffer }
    this.#underWay.push({ jobs: this.#jobs, streams: this.#streams })
    this.#jobs = []
    this.#streams = []
    this.#octets = Buffer.alloc(0)
    this.#used = 0
    if (this.#broken) return this.#failAll(this.#broken)
    this.#thread!.ref()
    this.#thread!.postMessage(batch, [batch.octets])
  }

  #answered({ failures, octets }: FileAnswer): void {
    const { jobs, streams } = this.#underWay.shift()!
    if (octets.byteLength === BATCH && this.#spare.length < MAX_UNDER_WAY) this.#spare.push(Buffer.from(octets))
    for (const { mode, length } of jobs) {
      if (mode !== 'append') this.stats.files += 1
      this.stats.bytes += length
    }
    for (const [job, reason] of failures) {
      if (jobs[job]!.mode !== 'append') this.stats.files -= 1
      this.stats.bytes -= jobs[job]!.length
      this.#context!.failed(streams[job]!, new Error(reason))
    }
    this.#settled()
  }

  /** The thread died: what is under way failed, and whatever comes. */
  #break(error: Error): void {
    this.#broken = new Error(`its thread ended: ${error.message}`, { cause: error })
    this.#failAll(this.#broken)
  }

  #failAll(error: Error): void {
    for (const { streams } of this.#underWay.splice(0))
      for (const stream of streams) this.#context!.failed(stream, error)
    this.#settled()
  }

  #settled(): void {
    if (this.#underWay.length === 0) this.#thread?.unref()
    this.#wake?.()
    this.#wake = undefined
  }
}
