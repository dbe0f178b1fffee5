/** NoOpChain: adds nothing and keeps every flow. */
import { builtIn, type BuiltInChain } from './chain.js'

/** The columns of {@link noopChain}: none. */
export type NoopFields = Record<never, never>

const chain = builtIn<NoopFields>({
  name: 'noop',
  columns: [],
  newFlow: () => ({}),
})

/** Nothing: PATHspider's NoOpChain, to measure what a chain costs. */
export function noopChain(): BuiltInChain<NoopFields> {
  return chain
}
