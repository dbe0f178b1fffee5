/** Sources as Node has them: files, pipes, standard input, Node's streams. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { OptionError } from '../errors.js'
import { followFile } from '../follow.js'
import { checkLive } from '../live.js'
import { isLive } from '../live-source.js'
import { chunksOf, isStream, iteratorChunks, notASource, type CaptureSource, type ChunkReader, type OpenSource } from '../source.js'

/** The name of a source in records and errors. */
export function sourceName(source: CaptureSource): string {
  if (typeof source === 'string') return source === '-' ? 'standard input' : source
  if (source instanceof URL) return urlPath(source)
  if (source instanceof Uint8Array) return 'octets'
  if (source === process.stdin) return 'standard input'
  if (isLive(source)) return checkLive(source).interface
  if (typeof source === 'object' && source !== null) {
    const path = (source as { path?: unknown }).path
    if (typeof path === 'string') return path
    if (isStream(source)) return 'stream'
  }
  throw notASource()
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
  if (isReadable(source)) return { kind: 'chunks', chunks: readableChunks(source), name }
  if (isLive(source)) return { kind: 'live', live: checkLive(source), name }
  return { kind: 'chunks', chunks: chunksOf(source), name }
}

/** A regular file goes to the engine; a pipe or device is read here, so that the engine never waits for it. */
async function openPath(path: string, follow: boolean): Promise<OpenSource> {
  const found = await stat(path).catch(() => null)
  if (follow && found?.isFile() === true) return { kind: 'chunks', chunks: followFile(path), name: path }
  const waits = found !== null && !found.isFile() && !found.isDirectory()
  if (waits) return { kind: 'chunks', chunks: readableChunks(createReadStream(path, { highWaterMark: 1 << 18 })), name: path }
  return { kind: 'path', path, name: path }
}

/** One of Node's streams. Their module is loaded here, because it takes milliseconds and files don't need it. */
export function isReadable(source: unknown): source is Readable {
  return source instanceof process.getBuiltinModule('node:stream').Readable
}

/**
 * A stream that fails before it is read, or when nobody reads any more, would end the process. Whoever reads it is told
 * of the error then.
 */
export function expectSource(source: unknown): void {
  if (isReadable(source) && !source.listeners('error').includes(ignore)) source.on('error', ignore)
}

const ignore = (): void => {}

function urlPath(url: URL): string {
  if (url.protocol !== 'file:') throw new OptionError(`source: only file: URLs can be read, not ${url.protocol}`)
  return fileURLToPath(url)
}

function readableChunks(stream: Readable): ChunkReader {
  expectSource(stream)
  const reader = iteratorChunks(stream)
  return {
    next: () => reader.next(),
    stop() {
      stream.destroy()
    },
  }
}
