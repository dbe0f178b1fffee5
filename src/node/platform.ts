/** Node as a place to run in. */
import { markAsUntransferable } from 'node:worker_threads'
import type { Platform } from '../platform.js'
import { chooseEngines } from './engines.js'
import { beginSha256 } from './host.js'
import { openSource, sourceName } from './source.js'

/** Files, streams, both engines. */
export const nodePlatform: Platform = {
  engines: chooseEngines,
  sourceName,
  openSource,
  beginSha256,
  pin: buffer => markAsUntransferable(buffer),
}
