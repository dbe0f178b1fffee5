/**
 * What this package needs of the place it runs in. The entry of a place (`index.ts` for Node, `browser.ts`) says once
 * which it is; everything else asks here, so that no Node module is on the browser's path.
 */
import type { EngineFactory } from './engine.js'
import { InternalError } from './errors.js'
import type { EngineName } from './options.js'
import type { BeginHash } from './pure/sha256.js'
import type { CaptureSource, OpenSource } from './source.js'

/** A place to run in. */
export interface Platform {
  /**
   * The engines of that name.
   *
   * @throws {@link OptionError} where they can't be used here
   */
  engines(name: EngineName): EngineFactory
  /**
   * The name of a source in records and errors.
   *
   * @throws {@link OptionError} where it is nothing that can be read
   */
  sourceName(source: CaptureSource): string
  /** Called when a run is given a source, which may be long before it is opened: it may fail meanwhile. */
  expectSource(source: CaptureSource | AsyncIterable<Uint8Array>): void
  /** Opens a source as far as the engine can't; where `follow` says so, a file is waited at its end for more. */
  openSource(source: CaptureSource, follow: boolean): Promise<OpenSource>
  /** Begins a SHA-256. */
  beginSha256: BeginHash
  /** A buffer that an engine writes to must stay where it is. */
  pin(buffer: ArrayBufferLike): void
}

let current: Platform | undefined

/** Says where the package runs. */
export function setPlatform(platform: Platform): void {
  current = platform
}

/** Where the package runs. */
export function platform(): Platform {
  if (current === undefined) throw new InternalError('import the package by its entry')
  return current
}
