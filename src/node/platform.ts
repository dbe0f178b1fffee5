/** Node as a place to run in. */
import { markAsUntransferable } from 'node:worker_threads'
import type { Platform } from '../platform.js'
import { chooseEngines } from './engines.js'
import { openSource, sourceName } from './source.js'

/** Files, streams, both engines. */
export const nodePlatform: Platform = {
  engines: chooseEngines,
  sourceName,
  openSource,
  pin: buffer => markAsUntransferable(buffer),
}
