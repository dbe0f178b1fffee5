/** Stream events, connections and their segments, as the sources have it. A build takes `streams-lazy.ts` instead. */
export { series, Series } from './analysis/series.js'
export { connections, Connections } from './connections.js'
export { streamEvents, StreamEvents } from './stream-events.js'
