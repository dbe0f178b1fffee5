/** Which engine a run gets in Node. */
import type { EngineFactory } from '../engine.js'
import { OptionError } from '../errors.js'
import { loadNative } from '../native/index.js'
import type { EngineName } from '../options.js'
import { pureEngines } from '../pure/engine.js'
import { nodeHost } from './host.js'

const jsEngines = pureEngines(nodeHost)
let hasWarned = false

/**
 * The engines of that name.
 *
 * @throws {@link OptionError} where the native ones are asked for and can't be used
 */
export function chooseEngines(name: EngineName): EngineFactory {
  if (name === 'js') return jsEngines
  const native = loadNative()
  if ('engines' in native) return native.engines
  const reason = plainReason(native.failure)
  if (name === 'native') throw new OptionError(`engine: the native engine can't be used: ${reason}`, { cause: native.failure })
  warn(`the native engine can't be used (${reason}); the slower js engine does the work`)
  return jsEngines
}

function warn(text: string): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(text, { type: 'TcpskeinWarning', code: 'TCPSKEIN_JS_ENGINE' })
}

/** The loader tries several files; the causes of its error say what became of each, and the first is the nearest. */
function plainReason(error: Error): string {
  let deepest: unknown = error
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause
  const { message } = deepest instanceof Error ? deepest : error
  return message.split('\n', 1)[0]!
}
