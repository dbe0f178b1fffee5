/** What the addon does for live captures beside engines: filters, interfaces, recordings. Errors get their class. */
import type { NativeInterface, NativeLiveOptions, NativeRecorder, NativeRecordOptions } from '../binding/index.js'
import { fromNative } from '../errors.js'
import { loadBinding } from './load.js'

/** @throws {@link OptionError} with the place of the error */
export function checkNativeFilter(text: string): void {
  orThrow(() => loadBinding().checkFilter(text))
}

/** Every interface. */
export function nativeInterfaces(): NativeInterface[] {
  return orThrow(() => loadBinding().interfaces())
}

/** Begins to record. */
export function startRecorder(live: NativeLiveOptions, record: NativeRecordOptions): NativeRecorder {
  return orThrow(() => loadBinding().NativeRecorder.start(live, record))
}

export type { NativeRecorder } from '../binding/index.js'

function orThrow<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw fromNative(error)
  }
}
