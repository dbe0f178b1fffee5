/** The native engine: the addon, behind the engine interface. */
import type { EngineFactory } from '../engine.js'
import { fromNative } from '../errors.js'
import { loadNative, type NativeBinding } from './load.js'

/** Engines that run in Rust on Node's worker threads. The addon is loaded when the first one is made. */
export const nativeEngines: EngineFactory = {
  flows: options => orThrow(({ NativeReader }) => NativeReader.flows(options)),
  packets: options => orThrow(({ NativeReader }) => NativeReader.packets(options)),
  streams: options => orThrow(({ NativeReader }) => NativeReader.streams(options)),
}

function orThrow<T>(make: (binding: NativeBinding) => T): T {
  try {
    return make(loadNative())
  } catch (error) {
    throw fromNative(error)
  }
}
