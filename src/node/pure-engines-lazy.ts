/**
 * What a build takes in place of `pure-engines.ts`. Most programs never need the js engine, and it is nearly half of the
 * package's code, which would be read at every start.
 */
import { laterFunction, laterModule } from '../later.js'
import type * as PureEngine from '../pure/engine.js'

export const pureEngines = laterFunction(laterModule<typeof PureEngine>('pure.js'), 'pureEngines')
