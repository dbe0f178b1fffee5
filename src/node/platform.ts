/** Node as a place to run in. */
import type { Platform } from '../platform.js'
import { chooseEngines } from './engines.js'
import { beginSha256 } from './host.js'
import { expectSource, openSource, sourceName } from './source.js'

/** Files, streams, both engines. */
export const nodePlatform: Platform = {
  engines: chooseEngines,
  sourceName,
  expectSource,
  openSource,
  beginSha256,
  // Loaded here and not at every start, as everywhere below: each of Node's modules takes its time.
  pin: buffer => process.getBuiltinModule('node:worker_threads').markAsUntransferable(buffer),
}
