// The generated captures: the committed files are what the generator makes, and the shipped capture holds what its
// expected flow records say, as counted here by a naive walk that shares no code with the generator.
import { readFileSync, readdirSync } from 'node:fs'
import test from 'ava'
import { generatedFiles } from '../scripts/make-sample.mjs'

const file = (path: string): URL => new URL(`../${path}`, import.meta.url)
const folder = '__test__/fixtures/captures'

test('the committed files are what `npm run gen` makes', t => {
  for (const [path, content] of generatedFiles()) t.deepEqual(readFileSync(file(path)), content, path)
})

test('no capture lies among the generated ones that the generator does not make', t => {
  const made = [...generatedFiles().keys()].filter(path => path.startsWith(folder)).map(path => path.slice(folder.length + 1))
  t.deepEqual(readdirSync(file(folder)).toSorted(), made.toSorted())
})

/** Packets and IP octets of the capture, by `address>address`, without regard to ports. */
function countByAddresses(capture: Buffer): { packets: number, sums: Map<string, [number, number]> } {
  const sums = new Map<string, [number, number]>()
  let packets = 0
  for (let at = 24; at < capture.length; at += 16 + capture.readUInt32LE(at + 8)) {
    packets += 1
    const frame = capture.subarray(at + 16)
    const ip = frame.subarray(frame.readUInt16BE(12) === 0x8100 ? 18 : 14)
    const type = frame.readUInt16BE(frame.readUInt16BE(12) === 0x8100 ? 16 : 12)
    if (type === 0x0806) continue
    const v4 = type === 0x0800
    const source = v4 ? ip.subarray(12, 16) : ip.subarray(8, 24)
    const target = v4 ? ip.subarray(16, 20) : ip.subarray(24, 40)
    const octets = v4 ? ip.readUInt16BE(2) : 40 + ip.readUInt16BE(4)
    const key = `${source.toString('hex')}>${target.toString('hex')}`
    const [seen, sum] = sums.get(key) ?? [0, 0]
    sums.set(key, [seen + 1, sum + octets])
  }
  return { packets, sums }
}

/** An address as the sample has them, to hex digits. */
function hex(address: string): string {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number)).toString('hex')
  const [head = '', tail = ''] = address.split('::')
  const left = head.split(':').map(group => group.padStart(4, '0')).join('')
  const right = tail.split(':').map(group => group.padStart(4, '0')).join('')
  return left + '0'.repeat(32 - left.length - right.length) + right
}

test('the expected records of the sample sum up to what a naive walk counts', t => {
  const { packets, sums } = countByAddresses(readFileSync(file('examples/captures/sample.pcap')))
  const expected = JSON.parse(readFileSync(file(`${folder}/sample.json`), 'utf8'))
  t.is(packets, expected.packets)
  const wanted = new Map<string, [number, number]>()
  for (const flow of expected.flows) {
    for (const [from, to, side] of [[flow.sip, flow.dip, 'fwd'], [flow.dip, flow.sip, 'rev']]) {
      const key = `${hex(from)}>${hex(to)}`
      const [seen, sum] = wanted.get(key) ?? [0, 0]
      wanted.set(key, [seen + flow[`pkt_${side}`], sum + flow[`oct_${side}`]])
    }
  }
  t.deepEqual(new Map([...wanted].toSorted()), new Map([...sums].toSorted()))
  t.is([...sums.values()].reduce((sum, [seen]) => sum + seen, expected.not_ip), packets)
})
