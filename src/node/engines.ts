/** Which engine a run gets in Node. */
import type { EngineFactory } from '../engine.js'
import { loadNative } from '../native/index.js'
import type { EngineName } from '../options.js'
import { nodeHost } from './host.js'
import { pureEngines } from './pure-engines.js'

let pure: EngineFactory | undefined
let hasWarned = false

const jsEngines = (): EngineFactory => (pure ??= pureEngines(nodeHost))

/**
 * The engines of that name.
 *
 * @throws {@link EngineError} `ERR_NATIVE_MISSING` where the native ones are asked for and can't be used
 */
export function chooseEngines(name: EngineName): EngineFactory {
  if (name === 'js') return jsEngines()
  const native = loadNative()
  if ('engines' in native) return native.engines
  if (name === 'native') throw native.failure
  warn(`the slower js engine does the work, because ${native.failure.message}`)
  return jsEngines()
}

function warn(text: string): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(text, { type: 'TcpskeinWarning', code: 'TCPSKEIN_JS_ENGINE' })
}
