/** The native engine: the addon, behind the engine interface. */
import { NativeReader } from '../binding/index.js'
import type { EngineFactory } from '../engine.js'
import { fromNative } from '../errors.js'

/** Engines that run in Rust on Node's worker threads. */
export const nativeEngines: EngineFactory = {
  flows(options) {
    try {
      return NativeReader.flows(options)
    } catch (error) {
      throw fromNative(error)
    }
  },
  packets: options => NativeReader.packets(options),
}
