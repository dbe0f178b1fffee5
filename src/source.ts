/**
 * Where captures come from: whatever a user has becomes either a file for the engine to read or a stream of chunks
 * that is pushed to it.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { OptionError } from './errors.js'
import { followFile } from './follow.js'
import { checkLive, isLive, type CheckedLive, type LiveSource } from './live.js'

/**
 * One capture: a path, a `file:` URL, `-` for standard input, the octets themselves, any stream of octets, or a network
 * interface.
 */
export type CaptureSource =
  | string
  | URL
  | Uint8Array
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | LiveSource

/** A capture ready to be read. */
export type OpenSource =
  | { readonly kind: 'path'; readonly path: string; readonly name: string }
  | { readonly kind: 'chunks'; readonly chunks: ChunkReader; readonly name: string }
  | { readonly kind: 'live'; readonly live: CheckedLive; readonly name: string }

/** Chunks of a stream, and a way to stop it. */
export interface ChunkReader {
  /** The next chunk, or null at the end. */
  next(): Promise<Uint8Array | null>
  /** Stops the stream and lets go of what it holds; never rejects. */
  stop(): void
}

/** One source or several, as a list. */
export function sourceList(source: CaptureSource | readonly CaptureSource[]): readonly CaptureSource[] {
  const list = Array.isArray(source) ? (source as readonly CaptureSource[]) : [source as CaptureSource]
  if (list.length === 0) throw new OptionError('source: the list of captures is empty')
  for (const each of list)
    if (isLive(each)) checkLive(each)
    else sourceName(each)
  return list
}

/**
 * The signal that stops reading with an error. A live source has no end of its own, so there a signal is as good an end
 * as any: reading finishes, and nothing is thrown.
 */
export function throwingSignal(
  signal: AbortSignal | undefined,
  sources: readonly CaptureSource[],
): AbortSignal | undefined {
  return sources.some(isLive) ? undefined : signal
}

/** The name of a source in records and errors. */
export function sourceName(source: CaptureSource): string {
  if (typeof source === 'string') return source === '-' ? 'standard input' : source
  if (source instanceof URL) return urlPath(source)
  if (source instanceof Uint8Array) return 'octets'
  if (source === process.stdin) return 'standard input'
  if (isLive(source)) return source.interface
  if (typeof source === 'object' && source !== null) {
    const path = (source as { path?: unknown }).path
    if (typeof path === 'string') return path
    if (Symbol.asyncIterator in source || Symbol.iterator in source || 'getReader' in source) return 'stream'
  }
  throw new OptionError('source: expected a path, a file: URL, "-", octets, a stream of octets or an interface')
}

/**
 * Opens a source as far as the engine can't. A regular file that is to be followed is read here.
 *
 * @throws {@link OptionError} where it is nothing that can be read
 */
export async function openSource(source: CaptureSource, follow: boolean): Promise<OpenSource> {
  const name = sourceName(source)
  if (source === '-') return { kind: 'chunks', chunks: readableChunks(process.stdin), name }
  if (typeof source === 'string' || source instanceof URL) return openPath(name, follow)
  if (source instanceof Uint8Array) return { kind: 'chunks', chunks: iteratorChunks([source]), name }
  if (source instanceof Readable) return { kind: 'chunks', chunks: readableChunks(source), name }
  if (isLive(source)) return { kind: 'live', live: checkLive(source), name }
  if ('getReader' in source) return { kind: 'chunks', chunks: webChunks(source), name }
  return { kind: 'chunks', chunks: iteratorChunks(source), name }
}

/** A regular file goes to the engine; a pipe or device is read here, so that no worker thread waits for it. */
async function openPath(path: string, follow: boolean): Promise<OpenSource> {
  const found = await stat(path).catch(() => null)
  if (follow && found?.isFile() === true) return { kind: 'chunks', chunks: followFile(path), name: path }
  const waits = found !== null && !found.isFile() && !found.isDirectory()
  if (waits) return { kind: 'chunks', chunks: readableChunks(createReadStream(path, { highWaterMark: 1 << 18 })), name: path }
  return { kind: 'path', path, name: path }
}

function urlPath(url: URL): string {
  if (url.protocol !== 'file:') throw new OptionError(`source: only file: URLs can be read, not ${url.protocol}`)
  return fileURLToPath(url)
}

function readableChunks(stream: Readable): ChunkReader {
  const reader = iteratorChunks(stream)
  return {
    next: () => reader.next(),
    stop() {
      // An error that comes when nobody reads any more has nowhere to go.
      stream.on('error', () => {})
      stream.destroy()
    },
  }
}

function webChunks(stream: ReadableStream<Uint8Array>): ChunkReader {
  const reader = stream.getReader()
  return {
    async next() {
      const { done, value } = await reader.read()
      return done ? null : asOctets(value)
    },
    stop() {
      reader.cancel().catch(() => {})
    },
  }
}

function iteratorChunks(source: AsyncIterable<unknown> | Iterable<unknown>): ChunkReader {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : (source as Iterable<unknown>)[Symbol.iterator]()
  return {
    async next() {
      const { done, value } = await iterator.next()
      return done === true ? null : asOctets(value)
    },
    stop() {
      Promise.resolve(iterator.return?.()).catch(() => {})
    },
  }
}

function asOctets(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  throw new OptionError(`source: a stream gave ${typeof chunk} where octets (Uint8Array) were expected`)
}
