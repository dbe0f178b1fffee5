/**
 * What a build takes in place of `pure-engines.ts`. Most programs never need the js engine, and it is nearly half of the
 * package's code, which would be read at every start.
 */
import { createRequire } from 'node:module'
import type * as PureEngine from '../pure/engine.js'

type Engines = typeof PureEngine

/** As {@link Engines.pureEngines}; the module beside the bundle is loaded when first needed. */
export const pureEngines: Engines['pureEngines'] = host =>
  (createRequire(import.meta.url)('./pure.js') as Engines).pureEngines(host)
