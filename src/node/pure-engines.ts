/** The js engine, as the sources have it. A build takes `pure-engines-lazy.ts` instead. */
export { pureEngines } from '../pure/engine.js'
