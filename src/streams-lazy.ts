/** What a build takes in place of `streams.ts`: who asks for flow records needs none of these. */
import { createRequire } from 'node:module'
import { laterClass, laterFunction } from './later.js'
import type * as Streams from './streams.js'

let loaded: typeof Streams | undefined
const load = (): typeof Streams => (loaded ??= createRequire(import.meta.url)('./streams.js') as typeof Streams)

export const connections = laterFunction(load, 'connections')
export const Connections = laterClass(load, 'Connections')
export const series = laterFunction(load, 'series')
export const Series = laterClass(load, 'Series')
export const streamEvents = laterFunction(load, 'streamEvents')
export const StreamEvents = laterClass(load, 'StreamEvents')
