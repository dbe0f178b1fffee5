/**
 * A bounded set of files that are written a little at a time: the TypeScript side of what the engine's file set does.
 *
 * At most so many files are open; the one written least recently is closed, and opened again when more comes for it. What
 * waits is bounded for each file and for all. A file that is made never takes the place of another one, unless that was
 * asked for.
 */
import { closeSync, ftruncateSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { FileExistsError, OutputError } from '../errors.js'

/** What is done about a file of the same name that was there before the run. */
export type OnExisting = 'suffix' | 'refuse' | 'replace'

/** How much a set holds. */
export interface OutputFilesOptions {
  readonly folder: string
  readonly maxOpenFiles: number
  /** Octets that may wait for a file; 0 = everything is written at once. */
  readonly fileBufferBytes: number
  /** Octets that may wait for all files. */
  readonly maxBufferedBytes: number
  readonly onExisting: OnExisting
}

/** What a set has done. */
export interface OutputFilesStats {
  files: number
  writtenBytes: number
  openFiles: number
  mostOpenFiles: number
  closedEarly: number
  reopened: number
  bufferedBytes: number
  mostBufferedBytes: number
  unwrittenBytes: number
}

/** Files in one folder. */
export class OutputFiles {
  readonly #options: OutputFilesOptions
  #maxOpen: number
  /** The least recently used first. */
  readonly #open = new Set<OutputFile>()
  readonly #waiting = new Set<OutputFile>()
  #before: Set<string> | undefined
  readonly #stats: OutputFilesStats = {
    files: 0, writtenBytes: 0, openFiles: 0, mostOpenFiles: 0, closedEarly: 0, reopened: 0, bufferedBytes: 0, mostBufferedBytes: 0, unwrittenBytes: 0,
  }

  constructor(options: OutputFilesOptions) {
    this.#options = options
    this.#maxOpen = options.maxOpenFiles
  }

  /** Counters so far. */
  get stats(): OutputFilesStats {
    return { ...this.#stats, openFiles: this.#open.size }
  }

  /**
   * Makes a file whose name isn't taken: `name(0)`, else `name(2)`, `name(3)`, …
   *
   * @throws {@link FileExistsError}, {@link OutputError}
   */
  create(name: (suffix: number) => string): { file: OutputFile; suffix: number } {
    const { folder } = this.#options
    this.#before ??= namesIn(folder)
    for (let suffix = 0; ; suffix = Math.max(suffix, 1) + 1) {
      const path = join(folder, name(suffix))
      if (this.#before.delete(name(suffix))) this.#makeWay(path)
      const fd = this.#openFile(path, 'wx')
      if (fd === undefined) continue
      this.#stats.files += 1
      const file = new OutputFile(this, path)
      file.fd = fd
      this.#use(file)
      return { file, suffix }
    }
  }

  /** A file of this name was there before; the system's own `wx` tells of those that came since. */
  #makeWay(path: string): void {
    const { onExisting } = this.#options
    if (onExisting === 'refuse') throw new FileExistsError(`${path}: the file exists already`)
    if (onExisting === 'replace') attempt(path, 'replace', () => rmSync(path))
  }

  /** @internal More waits for the file. */
  added(file: OutputFile, octets: number): void {
    this.#stats.bufferedBytes += octets
    this.#stats.mostBufferedBytes = Math.max(this.#stats.mostBufferedBytes, this.#stats.bufferedBytes)
    this.#waiting.delete(file)
    this.#waiting.add(file)
    if (file.waiting > this.#options.fileBufferBytes) this.flush(file)
    while (this.#stats.bufferedBytes > this.#options.maxBufferedBytes) this.flush(first(this.#waiting)!)
  }

  /** @internal Writes what waits for the file. */
  flush(file: OutputFile): void {
    const octets = file.take()
    this.#waiting.delete(file)
    if (octets === undefined) return
    this.#stats.bufferedBytes -= octets.waited
    if (file.fd === undefined) {
      file.fd = this.#openFile(file.path, 'r+')
      this.#stats.reopened += 1
    }
    this.#use(file)
    try {
      writeAll(file, octets.bytes)
    } catch (error) {
      this.#stats.unwrittenBytes += octets.waited
      throw error
    }
    file.size += octets.waited
    this.#stats.writtenBytes += octets.waited
  }

  /** @internal Writes what waits for the file, and closes it; it can be written to again. */
  close(file: OutputFile): void {
    this.flush(file)
    this.#shut(file)
  }

  /** Writes all that waits, and closes all files; they can be written to again. */
  closeAll(): void {
    for (const file of this.#waiting) this.flush(file)
    for (const file of this.#open) this.#shut(file)
  }

  /** Gives up what waits, counts it, and closes all files. */
  discard(): void {
    for (const file of this.#waiting) this.#stats.unwrittenBytes += file.take()?.waited ?? 0
    this.#waiting.clear()
    this.#stats.bufferedBytes = 0
    for (const file of this.#open) this.#shut(file)
  }

  #shut(file: OutputFile): void {
    this.#open.delete(file)
    if (file.fd !== undefined) closeSync(file.fd)
    file.fd = undefined
  }

  #use(file: OutputFile): void {
    this.#open.delete(file)
    this.#open.add(file)
    this.#stats.mostOpenFiles = Math.max(this.#stats.mostOpenFiles, this.#open.size)
  }

  /** Undefined: there is a file of that name, which `wx` leaves alone. */
  #openFile(path: string, flags: 'wx' | 'r+'): number | undefined {
    while (this.#open.size >= this.#maxOpen) this.#closeOldest()
    for (;;)
      try {
        return openSync(path, flags)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EEXIST' && flags === 'wx') return undefined
        if ((code !== 'EMFILE' && code !== 'ENFILE') || this.#open.size === 0)
          throw outputError(path, flags === 'wx' ? 'create' : 'open', error)
        // The system allows fewer open files than we do: from now on, so do we.
        this.#maxOpen = this.#open.size
        this.#closeOldest()
      }
  }

  #closeOldest(): void {
    this.#shut(first(this.#open)!)
    this.#stats.closedEarly += 1
  }
}

/** One file of a set. */
export class OutputFile {
  readonly #files: OutputFiles
  readonly path: string
  /**
   * What stands at the end of the file whenever it is looked at; the next octets take its place. So a document is complete
   * at any time.
   */
  tail = ''
  /** @internal */
  fd: number | undefined
  /** @internal Octets in the file, without the tail. */
  size = 0
  /** @internal Octets that wait. */
  waiting = 0
  #chunks: Buffer[] = []

  /** @internal */
  constructor(files: OutputFiles, path: string) {
    this.#files = files
    this.path = path
  }

  /**
   * Adds text or octets at the end; octets are copied.
   *
   * @throws {@link OutputError} where they can't be written
   */
  write(data: string | Uint8Array): void {
    const chunk = Buffer.from(data as string)
    this.#chunks.push(chunk)
    this.waiting += chunk.length
    this.#files.added(this, chunk.length)
  }

  /** Writes what waits, and lets go of the file; it can be written to again. */
  close(): void {
    this.#files.close(this)
  }

  /** @internal What waits, with the tail. */
  take(): { bytes: Buffer; waited: number } | undefined {
    if (this.#chunks.length === 0) return undefined
    const [chunks, waited] = [this.#chunks, this.waiting]
    this.#chunks = []
    this.waiting = 0
    return { bytes: Buffer.concat([...chunks, Buffer.from(this.tail)]), waited }
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const item of set) return item
  return undefined
}

function namesIn(folder: string): Set<string> {
  return new Set(attempt(folder, 'read', () => readdirSync(folder)))
}

/** What a failed write left is cut off, so that what stood there stays readable. */
function writeAll(file: OutputFile, bytes: Buffer): void {
  const fd = file.fd!
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, file.size + done)
  } catch (error) {
    try {
      ftruncateSync(fd, file.size)
      if (file.size > 0) writeSync(fd, file.tail, file.size)
    } catch {
      // The first error says more.
    }
    throw outputError(file.path, 'write', error)
  }
}

function attempt<T>(path: string, what: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw outputError(path, what, error)
  }
}

/** An error of the system, with the file's name. */
export function outputError(path: string, what: string, cause: unknown): OutputError {
  const { errno, message } = cause as NodeJS.ErrnoException
  const sentence = (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message
  return new OutputError(`${path}: cannot ${what}: ${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`, { cause })
}
