// Types: a record has exactly the columns of the chains given. `tsc` checks it (npm run lint); here it is only run.
import test from 'ava'
import { basicChain, observe, tcpChain } from '../src/index.js'
import type { BasicFields, FlowBase, FlowRecord, Observer, TcpFields } from '../src/index.js'
import { samplePath } from './support/places.js'

/** True only for types that are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** The same, flat. */
type Flat<T> = { [Key in keyof T]: T[Key] } & {}

const holds = <T extends true>(value?: T): void => void value

type Item<T> = T extends AsyncIterable<infer Record> ? Record : never

test('a record has exactly the columns of the chains given', async t => {
  const none = observe(samplePath)
  const basic = observe(samplePath, { chains: [basicChain()] })
  const both = observe(samplePath, { chains: [basicChain(), tcpChain()] })
  holds<Same<Item<typeof none>, Flat<FlowBase>>>()
  holds<Same<Item<typeof basic>, Flat<FlowBase & BasicFields>>>()
  holds<Same<Item<typeof both>, Flat<FlowBase & BasicFields & TcpFields>>>()
  holds<Same<FlowRecord<[]>, Flat<FlowBase>>>()
  holds<Same<Item<Observer>, FlowBase>>()

  for await (const flow of both) {
    holds<Same<typeof flow.tcp_connected, boolean>>()
    holds<Same<typeof flow.sp, number | null>>()
    holds<Same<typeof flow.first_ns, bigint>>()
    holds<Same<typeof flow.end_reason, 'complete' | 'idle' | 'flush' | 'evicted'>>()
    t.is(typeof flow.tcp_connected, 'boolean')
    // @ts-expect-error there is no such column
    t.is(flow.tcp_conected, undefined)
  }
  for await (const flow of basic) {
    // @ts-expect-error the chain isn't given
    t.is(flow.tcp_connected, undefined)
  }
})

test('the columns that a chain declares are the columns of its type and of its records', async t => {
  const columns = {
    basic: basicChain().columns satisfies readonly (keyof BasicFields)[],
    tcp: tcpChain().columns satisfies readonly (keyof TcpFields)[],
  }
  const first = await observe(samplePath, { chains: [basicChain(), tcpChain()] }).next()
  const base = await observe(samplePath).next()
  t.deepEqual(Object.keys(first.value!), [...Object.keys(base.value!), ...columns.basic, ...columns.tcp])
})

test('options are typed', t => {
  // @ts-expect-error a misspelt option
  t.throws(() => observe(samplePath, { idletimeout: 3 }))
  // @ts-expect-error not a number
  t.throws(() => observe(samplePath, { idleTimeout: '3' }))
  // @ts-expect-error not a chain
  t.throws(() => observe(samplePath, { chains: ['basic'] }))
})
