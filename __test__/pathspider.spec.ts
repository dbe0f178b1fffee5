// PATHspider's own cases: every chain gives the fields that PATHspider gives, whichever way the chains run.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import {
  basicChain, dnsChain, dscpChain, ecnChain, evilChain, icmpChain, mssChain, noopChain, observe, tcpChain,
  tcpOptChain, tfoChain, udpChain, type AnyChain,
} from '../src/index.js'

interface Case {
  capture: string
  chains: string[]
  flows: number
  expected?: Record<string, unknown>
}

const MAKERS: Record<string, () => AnyChain> = {
  basic: basicChain, tcp: tcpChain, tcpopt: tcpOptChain, mss: mssChain, tfo: tfoChain, ecn: ecnChain,
  dscp: dscpChain, evil: evilChain, icmp: icmpChain, udp: udpChain, dns: dnsChain, noop: noopChain,
}

const folder = join(process.env.TCPSKEIN_CORPUS ?? join(import.meta.dirname, '../../shared/corpus'), 'pathspider')
const there = existsSync(join(folder, 'expect.json'))
const cases = there ? (JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8')) as { cases: Case[] }).cases : []

if (!there)
  test('PATHspider\'s cases', t => {
    t.log(`skipped: no ${folder}; set TCPSKEIN_CORPUS`)
    t.pass()
  })

async function records(path: string, chains: readonly AnyChain[]): Promise<Record<string, unknown>[]> {
  const out: Record<string, unknown>[] = []
  for await (const flow of observe(path, { chains })) out.push({ ...flow })
  return out
}

/** A chain of the user's own that does what a built-in one does. */
const own = (chain: AnyChain): AnyChain => ({ ...chain })

const WAYS: Record<string, (chains: AnyChain[]) => AnyChain[]> = {
  natively: chains => chains,
  'in TypeScript': chains => [...chains.map(own), own(noopChain())],
  mixed: chains => [...chains, own(noopChain())],
}

for (const { capture, chains, flows, expected } of cases)
  for (const [way, turn] of Object.entries(WAYS))
    test(`${capture}: ${chains.join(', ')} ${way}`, async t => {
      const out = await records(join(folder, 'captures', capture), turn(chains.map(name => MAKERS[name]!())))
      t.is(out.length, flows)
      for (const [field, value] of Object.entries(expected ?? {})) t.deepEqual(out[0]![field], value, field)
    })

for (const capture of new Set(cases.map(({ capture }) => capture)))
  test(`${capture}: all chains give the same records natively and in TypeScript`, async t => {
    const path = join(folder, 'captures', capture)
    const all = Object.values(MAKERS).map(make => make())
    const native = await records(path, all)
    t.deepEqual(await records(path, all.map(own)), native)
    t.deepEqual(Object.keys((await records(path, [...all.slice(1), own(all[0]!)]))[0]!).toSorted(), Object.keys(native[0]!).toSorted())
  })
