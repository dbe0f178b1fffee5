// Captures on an interface through the built package until SIGINT, for bench/live.mjs:
//
//   live-consumer.mjs JOB IFACE RINGBYTES        JOB: flows or streams
//
// Says `ready` once it captures; at the end prints one line of JSON.
import { basicChain, observe, streamEvents, tcpChain } from '../dist/index.js'

const [job, name = '', ring = ''] = process.argv.slice(2)
const source = { interface: name, ringBytes: Number(ring) }

async function flows() {
  const run = observe(source, { chains: [basicChain(), tcpChain()] })
  process.once('SIGINT', () => run.finish())
  let records = 0
  for await (const flow of run) if (flow.proto === 6) records++
  return { records, octets: 0, stats: run.stats }
}

async function streams() {
  const run = streamEvents(source)
  process.once('SIGINT', () => run.finish())
  let [records, octets] = [0, 0]
  await run.each(event => {
    if (event.type === 'data') octets += event.data.length
    if (event.type === 'close') records++
  })
  return { records, octets, stats: run.stats }
}

setTimeout(() => console.log('ready'), 300)
const { records, octets, stats } = await (job === 'streams' ? streams() : flows())
const { received, dropped, packets } = stats
console.log(JSON.stringify({ records, octets, received, dropped, packets }))
