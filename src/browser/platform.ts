/** A browser as a place to run in: octets and streams, and the engine in JavaScript. */
import { OptionError } from '../errors.js'
import type { Platform } from '../platform.js'
import { pureEngines } from '../pure/engine.js'
import { browserHost } from '../pure/host.js'
import { chunksOf, isStream, notASource, type CaptureSource } from '../source.js'

const engines = pureEngines(browserHost)

/** No files, one engine. */
export const browserPlatform: Platform = {
  engines(name) {
    if (name === 'native') throw new OptionError("engine: the native engine can't be used in a browser")
    return engines
  },
  sourceName,
  // Streams of browsers keep their errors until they are read.
  expectSource: () => {},
  openSource(source) {
    const name = sourceName(source)
    return Promise.resolve({ kind: 'chunks', chunks: chunksOf(source as Uint8Array), name })
  },
  beginSha256: browserHost.beginSha256,
  // Nothing else could take a buffer away: no other thread is given one.
  pin: () => {},
}

function sourceName(source: CaptureSource): string {
  if (source instanceof Uint8Array) return 'octets'
  if (typeof source === 'string' || source instanceof URL)
    throw new OptionError(`source: a browser has no files; give octets, or a stream such as (await fetch('${String(source)}')).body`)
  if (typeof source === 'object' && source !== null && isStream(source)) return 'stream'
  throw notASource()
}
