/** The names of hooks, and a look at what a chain has under others. */
import { OptionError } from '../errors.js'
import { similar } from '../similar.js'

/** The hooks that a chain may have, `newFlow` apart. */
export const HOOK_NAMES = ['ip4', 'ip6', 'icmp4', 'icmp6', 'tcp', 'udp'] as const

/** One of them. */
export type HookName = (typeof HOOK_NAMES)[number]

const FUNCTIONS: readonly string[] = ['newFlow', ...HOOK_NAMES]

/**
 * A hook with a misspelt name would never be called. A function under another name is taken for one; a method of the
 * chain's class, which may be there for the others, only where its name is like a hook's.
 *
 * @throws {@link OptionError} that names it, and what may have been meant
 */
export function checkHooks(chain: object, name: string): void {
  for (const hook of FUNCTIONS) {
    const value: unknown = (chain as Record<string, unknown>)[hook]
    if (value !== undefined && typeof value !== 'function') throw new OptionError(`chains: the hook ${hook} of '${name}' is no function`)
    if (isAsync(value)) throw new OptionError(`chains: the hook ${hook} of '${name}' is async; hooks are called for each packet, and not waited for`)
  }
  for (let of: object | null = chain; of !== null && of !== Object.prototype; of = Object.getPrototypeOf(of) as object | null)
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(of)))
      if (typeof value === 'function') checkName(key, name, of === chain)
}

function isAsync(hook: unknown): boolean {
  return ['AsyncFunction', 'AsyncGeneratorFunction', 'GeneratorFunction'].includes((hook as object | undefined)?.constructor.name ?? '')
}

function checkName(key: string, chain: string, own: boolean): void {
  if (FUNCTIONS.includes(key) || key === 'constructor') return
  const [meant] = similar(key, FUNCTIONS)
  if (meant === undefined && !own) return
  const ending = meant === undefined ? `there are ${FUNCTIONS.join(', ')}` : `did you mean ${meant}?`
  throw new OptionError(`chains: '${chain}' has a function ${key}, which is no hook; ${ending}`)
}
