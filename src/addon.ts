/** The native addon's loader. It lies beside the folder of the addon, here and where it is built to. */
import { createRequire } from 'node:module'
import type * as Binding from './binding/index.js'

/**
 * Loads the addon.
 *
 * @throws what the loader throws where there is none for this platform
 */
export function requireAddon(): typeof Binding {
  return createRequire(import.meta.url)('./binding/index.cjs') as typeof Binding
}
