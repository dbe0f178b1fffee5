/** The native engine: the addon, behind the engine interface. */
import { NativeReader } from '../binding/index.js'
import type { Engine, EngineFactory, TraceEngineOptions } from '../engine.js'
import { fromNative } from '../errors.js'

/** Engines that run in Rust on Node's worker threads. */
export const nativeEngines: EngineFactory = {
  flows: options => orThrow(() => NativeReader.flows(options)),
  packets: options => orThrow(() => NativeReader.packets(options)),
  streams: options => orThrow(() => NativeReader.streams(options)),
}

/** The engine that writes a capture file per flow; there is no other. */
export const traceEngine = (options: TraceEngineOptions): Engine => orThrow(() => NativeReader.trace(options))

function orThrow<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw fromNative(error)
  }
}
