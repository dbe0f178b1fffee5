/** The native engine: the addon, behind the engine interface. It is loaded when it is first asked for. */
import type { EngineFactory } from '../engine.js'
import { fromNative, type FlowError } from '../errors.js'
import { loadBinding, type NativeBinding } from './load.js'

/** Engines that run in Rust on threads of their own, or why there are none. */
export type Loaded = { readonly engines: EngineFactory } | { readonly failure: FlowError }

let loaded: Loaded | undefined

/** Loads the addon; the same answer each time. */
export function loadNative(): Loaded {
  loaded ??= load()
  return loaded
}

function load(): Loaded {
  try {
    return { engines: enginesOf(loadBinding()) }
  } catch (failure) {
    return { failure: fromNative(failure) }
  }
}

function enginesOf({ NativeReader }: NativeBinding): EngineFactory {
  return {
    flows: options => orThrow(() => NativeReader.flows(options)),
    packets: options => orThrow(() => NativeReader.packets(options)),
    streams: options => orThrow(() => NativeReader.streams(options)),
    partitions: options => orThrow(() => NativeReader.partitions(options)),
    trace: options => orThrow(() => NativeReader.trace(options)),
    series: (options, ids, headBytes) => orThrow(() => NativeReader.series(options, [...ids], headBytes)),
  }
}

function orThrow<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw fromNative(error)
  }
}
