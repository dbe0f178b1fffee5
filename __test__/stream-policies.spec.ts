// Overlap policies through the API: the table of overlapping segments that target-based reassembly describes.
import { join } from 'node:path'
import test from 'ava'
import type { OverlapPolicy } from '../src/index.js'
import { collect } from './support/collect.js'
import { connections } from './support/engine-under-test.js'
import { pcap } from './support/frames.js'
import { NO_CORPUS, corpusFolder, readJson } from './support/places.js'
import { ACK, PSH, SYN, framesOf } from './support/stream-capture.js'

interface Table {
  cases: { policy: OverlapPolicy; case: string; steps: { offset: number; data: string; expect: string }[] }[]
}

const folder = corpusFolder()

for (const isn of [0, 1, 4_294_967_295, 4_294_967_285])
  test(`each policy keeps what the table says, ISN ${isn}`, async t => {
    if (folder === null) {
      t.log(NO_CORPUS)
      t.pass()
      return
    }
    const { cases } = readJson<Table>(join(folder, 'overlap-policies.json'))
    t.is(cases.length, 24)
    for (const { policy, case: name, steps } of cases)
      for (let count = 1; count <= steps.length; count++) {
        // Octet 1 comes last, so that nothing is delivered before the policy has decided everything.
        const segments = [...steps.slice(0, count).map(step => [step.offset + 1, step.data] as const), [1, '^'] as const]
        t.is(await streamOf(isn, policy, segments), `^${steps[count - 1]!.expect}`, `${policy} ${name} ${count}`)
      }
  })

/** The client's stream, '.' for what is missing. */
async function streamOf(isn: number, policy: OverlapPolicy, segments: (readonly [offset: number, data: string])[]) {
  const steps = segments.map(([offset, data]) => {
    return { seq: (isn + offset) >>> 0, flags: PSH | ACK, payload: new TextEncoder().encode(data) }
  })
  const [record] = await collect(connections(pcap(framesOf([{ seq: isn, flags: SYN }, ...steps])), { policy }))
  let text = Buffer.from(record!.client.bytes()).toString('latin1')
  for (const [offset, length] of record!.gaps_fwd) text = `${text.slice(0, offset)}${'.'.repeat(length)}${text.slice(offset)}`
  return text
}
