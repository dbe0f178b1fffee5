/** What a build takes in place of `streams.ts`: who asks for flow records needs none of these. */
import { laterClass, laterFunction, laterModule } from './later.js'
import type * as Streams from './streams.js'

const load = laterModule<typeof Streams>('streams.js')

export const connections = laterFunction(load, 'connections')
export const Connections = laterClass(load, 'Connections')
export const series = laterFunction(load, 'series')
export const Series = laterClass(load, 'Series')
export const streamEvents = laterFunction(load, 'streamEvents')
export const StreamEvents = laterClass(load, 'StreamEvents')
