// The analysis of real captures against Wireshark's.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { connections, type AnalysedRecord } from '../src/index.js'
import { AnalysisScores, type AnalysedStream } from './support/analysis-oracle.js'
import { NO_CORPUS, corpusFolder, readJson } from './support/places.js'

const corpus = corpusFolder()

interface Answers {
  capture: string
  streams: AnalysedStream[]
}

test('kinds of segments and initial round trips are what Wireshark says', async t => {
  t.timeout(600_000)
  if (corpus === null) {
    t.log(NO_CORPUS)
    t.pass()
    return
  }
  const scores = new AnalysisScores()
  const folder = join(corpus, 'dev')
  for (const name of readdirSync(join(folder, 'oracle')).toSorted()) {
    const { capture, streams } = readJson<Answers>(join(folder, 'oracle', name))
    const hard = new Map(streams.filter(stream => stream.hard === true).map(stream => [stream.first_frame, stream]))
    if (hard.size === 0) continue
    const records = connections(join(folder, 'captures', capture), { analyse: true, maxStreamBytes: 0, onError: () => {} })
    for await (const record of records) {
      const stream = matching(hard.get(record.first_packet), record)
      if (stream) scores.compare(capture, stream, record)
    }
  }
  t.true(scores.all.judged > 7000, `${scores.all.judged} connections judged`)
  for (const [kind, score] of scores.kinds) {
    t.log(`${kind}: ${score}`)
    if (process.env.TCPSKEIN_SHOW) for (const line of score.wrong) t.log(`  ${line}`)
    t.true(score.share >= 0.97, kind)
  }
  t.log(`all kinds of a connection: ${scores.all}`)
  t.log(`initial round trip within 1 µs: ${scores.irtt}`)
  if (process.env.TCPSKEIN_SHOW) for (const line of scores.irtt.wrong) t.log(`  ${line}`)
  t.true(scores.irtt.share >= 0.995)
})

/** The stream, if the record is of the same connection. */
function matching(stream: AnalysedStream | undefined, record: AnalysedRecord): AnalysedStream | undefined {
  if (!stream?.client) return undefined
  const ports = [stream.client[1], stream.server[1]].toSorted()
  const same = String(ports) === String([record.client_port, record.server_port].toSorted())
  return same ? stream : undefined
}
