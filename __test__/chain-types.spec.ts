// What the type checker knows of records and chains: tsc reads this file; running it only shows that it runs.
import test from 'ava'
import {
  basicChain, flowTable, observe, tcpChain,
  type BasicFields, type Chain, type FlowBase, type FlowRecord, type NumberColumn, type Observer, type TcpFields,
} from '../src/index.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_ extends true>(): void => {}

interface Rtt {
  syn_ns: bigint | null
  rtt_us: number | null
}
declare const rtt: Chain<Rtt>
declare const clash: Chain<{ sip: number }>
declare const base: Chain<{ first_ns: bigint }>

/** Never called: its types are the test. */
async function types(): Promise<void> {
  const plain = observe('x')
  holds<Same<typeof plain, Observer<FlowRecord<[]>>>>()
  const flows = observe('x', { chains: [basicChain(), tcpChain(), rtt] })
  type Flow = typeof flows extends AsyncIterable<infer F> ? F : never
  holds<Same<Flow['pkt_fwd'], number>>()
  holds<Same<Flow['tcp_synflags_fwd'], number | null>>()
  holds<Same<Flow['syn_ns'], bigint | null>>()
  holds<Same<Flow['first_ns'], bigint>>()
  holds<Same<Exclude<keyof Flow, keyof FlowBase>, keyof BasicFields | keyof TcpFields | keyof Rtt>>()
  // @ts-expect-error no chain gives this column
  void ((flow: Flow) => flow.mss_len_fwd)
  // @ts-expect-error 'sip' is basicChain's
  observe('x', { chains: [basicChain(), clash] })
  // @ts-expect-error 'first_ns' is in every record
  observe('x', { chains: [base] })
  // @ts-expect-error the same chain twice
  observe('x', { chains: [tcpChain(), tcpChain()] })
  const copy = observe('x', { chains: [{ ...basicChain() }, rtt] })
  type Copied = typeof copy extends AsyncIterable<infer F> ? F : never
  holds<Same<Copied['dip'], string>>()
  const wrong: Chain<{ n: number }> = {
    name: 'wrong',
    newFlow: () => ({ n: 0 }),
    // @ts-expect-error views are read-only
    tcp: (_, segment) => void (segment.flags = 1),
  }
  void wrong
  const table = await flowTable('x', { chains: [basicChain(), rtt] })
  holds<Same<ReturnType<typeof table.column<'oct_fwd'>>, NumberColumn>>()
  holds<Same<ReturnType<typeof table.column<'syn_ns'>>, BigInt64Array>>()
  // @ts-expect-error there is no such column
  table.column('oct')
}

test('types are checked by tsc', t => {
  t.is(typeof types, 'function')
})
