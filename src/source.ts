/**
 * Where captures come from: whatever a user has becomes either a file for the engine to read or a stream of chunks
 * that is pushed to it. What a place has besides (files, standard input) is opened by the place.
 */
import type { Readable } from 'node:stream'
import { OptionError } from './errors.js'
import { isLive, type CheckedLive, type LiveSource } from './live-source.js'
import { platform } from './platform.js'

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
  for (const each of list) {
    sourceName(each)
    platform().expectSource(each)
  }
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

/** A source whose packets are from several captures has their names here, by number. */
export const CAPTURE_NAMES: unique symbol = Symbol('captures')

/** A source that may have headers only has this method; whoever looks at what packets carry calls it before reading. */
export const NEEDS_PAYLOAD: unique symbol = Symbol('needs payload')

/** Tells sources that what packets carry is looked at: those that don't have it fail when they are read. */
export function needPayload(sources: readonly CaptureSource[]): void {
  for (const source of sources as readonly { readonly [NEEDS_PAYLOAD]?: () => void }[]) source[NEEDS_PAYLOAD]?.()
}

/** Names of the captures that packets can be from, where these are several. */
export function captureNames(sources: readonly CaptureSource[]): readonly string[] | null {
  if (sources.length > 1) return sources.map(sourceName)
  const [only] = sources as readonly { readonly [CAPTURE_NAMES]?: readonly string[] }[]
  return only?.[CAPTURE_NAMES] ?? null
}

/** The name of a source in records and errors. */
export function sourceName(source: CaptureSource): string {
  return platform().sourceName(source)
}

/** Something that gives chunks. */
export function isStream(source: object): boolean {
  return Symbol.asyncIterator in source || Symbol.iterator in source || 'getReader' in source
}

/** Why a source is none. */
export function notASource(): OptionError {
  return new OptionError('source: expected a path, a file: URL, "-", octets, a stream of octets or an interface')
}

/** Chunks of what is neither a file nor a stream of Node's. */
export function chunksOf(source: Exclude<CaptureSource, string | URL | LiveSource>): ChunkReader {
  if (source instanceof Uint8Array) return iteratorChunks([source])
  return 'getReader' in source ? webChunks(source) : iteratorChunks(source)
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

/** Chunks of an iterator. */
export function iteratorChunks(source: AsyncIterable<unknown> | Iterable<unknown>): ChunkReader {
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
