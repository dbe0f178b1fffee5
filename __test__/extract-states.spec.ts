// The states of both ends, against what RFC 9293 says for each segment.
import test from 'ava'
import { TCPStreamExtractor } from '../src/index.js'
import { pcap, type TcpFields } from './support/frames.js'
import { ACK, FIN, RST, SYN, framesOf } from './support/stream-capture.js'

/** `c`: from the client, `s`: from the server; numbers count from the side's own ISN. */
type Step = ['c' | 's', number, number, number, string?]

const [C, S] = [0xffff_fff0, 5000]

function capture(steps: readonly Step[], isns: readonly [number, number] = [C, S]): Uint8Array {
  const frames = steps.map(([side, flags, seq, ack, payload = '']): Partial<TcpFields> => {
    const [own, other] = side === 'c' ? isns : [isns[1], isns[0]]
    return {
      ports: side === 'c' ? [1000, 80] : [80, 1000],
      reversed: side === 's',
      flags,
      seq: (own + seq) >>> 0,
      ack: flags & ACK ? (other + ack) >>> 0 : 0,
      payload: Buffer.from(payload),
    }
  })
  return pcap(framesOf(frames))
}

/** `client/server` after each packet. */
async function states(steps: readonly Step[], isns?: readonly [number, number]): Promise<string[]> {
  const extractor = new TCPStreamExtractor(capture(steps, isns))
  const out: string[] = []
  for (let packet = await extractor.next(); packet; packet = await extractor.next())
    out.push(`${packet.stream.clientState}/${packet.stream.serverState}`)
  return out
}

const HANDSHAKE: Step[] = [['c', SYN, 0, 0], ['s', SYN | ACK, 0, 1], ['c', ACK, 1, 1]]
const OPENED = ['SYN-SENT/LISTEN', 'SYN-SENT/SYN-RECEIVED', 'ESTABLISHED/ESTABLISHED']

const cases: Record<string, [steps: Step[], expected: string[]]> = {
  'the client closes first (section 3.6, figure 12)': [
    [...HANDSHAKE, ['c', FIN | ACK, 1, 1], ['s', ACK, 1, 2], ['s', FIN | ACK, 1, 2], ['c', ACK, 2, 2]],
    [...OPENED, 'FIN-WAIT-1/ESTABLISHED', 'FIN-WAIT-2/CLOSE-WAIT', 'FIN-WAIT-2/LAST-ACK', 'TIME-WAIT/CLOSED'],
  ],
  'the server closes first, and its FIN is answered with a FIN': [
    [...HANDSHAKE, ['s', FIN | ACK, 1, 1, 'bye'], ['c', FIN | ACK, 1, 5], ['s', ACK, 5, 2]],
    [...OPENED, 'ESTABLISHED/FIN-WAIT-1', 'LAST-ACK/FIN-WAIT-2', 'CLOSED/TIME-WAIT'],
  ],
  'both close at once (figure 13)': [
    [...HANDSHAKE, ['c', FIN | ACK, 1, 1], ['s', FIN | ACK, 1, 1], ['c', ACK, 2, 2], ['s', ACK, 2, 2]],
    [...OPENED, 'FIN-WAIT-1/ESTABLISHED', 'FIN-WAIT-1/FIN-WAIT-1', 'CLOSING/FIN-WAIT-2', 'TIME-WAIT/TIME-WAIT'],
  ],
  // The acknowledgement of a SYN counts as received when it passes: both were acknowledged after the fourth packet.
  'both open at once (section 3.5, figure 8)': [
    [['c', SYN, 0, 0], ['s', SYN, 0, 0], ['c', SYN | ACK, 0, 1], ['s', SYN | ACK, 0, 1], ['c', ACK, 1, 1]],
    ['SYN-SENT/LISTEN', 'SYN-SENT/SYN-SENT', 'SYN-RECEIVED/SYN-SENT', 'ESTABLISHED/ESTABLISHED', 'ESTABLISHED/ESTABLISHED'],
  ],
  'a refused connection': [
    [['c', SYN, 0, 0], ['s', RST | ACK, 0, 1]],
    ['SYN-SENT/LISTEN', 'CLOSED/CLOSED'],
  ],
  'a SYN scan: the client is never established': [
    [['c', SYN, 0, 0], ['s', SYN | ACK, 0, 1], ['c', RST, 1, 0]],
    ['SYN-SENT/LISTEN', 'SYN-SENT/SYN-RECEIVED', 'CLOSED/CLOSED'],
  ],
  'a RST that nobody can accept changes nothing': [
    [...HANDSHAKE, ['s', RST, 2_000_000_000, 0], ['c', ACK, 1, 1, 'x']],
    [...OPENED, 'ESTABLISHED/ESTABLISHED', 'ESTABLISHED/ESTABLISHED'],
  ],
  'repeated segments change nothing': [
    [['c', SYN, 0, 0], ['c', SYN, 0, 0], ['s', SYN | ACK, 0, 1], ['s', SYN | ACK, 0, 1], ['c', ACK, 1, 1], ['c', FIN | ACK, 1, 1], ['c', FIN | ACK, 1, 1]],
    [OPENED[0]!, OPENED[0]!, OPENED[1]!, OPENED[1]!, OPENED[2]!, 'FIN-WAIT-1/ESTABLISHED', 'FIN-WAIT-1/ESTABLISHED'],
  ],
  'the capture begins too late': [
    [['s', ACK, 1, 1, 'data'], ['c', ACK, 1, 5], ['s', FIN | ACK, 5, 1]],
    ['ESTABLISHED/ESTABLISHED', 'ESTABLISHED/ESTABLISHED', 'FIN-WAIT-1/ESTABLISHED'],
  ],
  'the server\'s answer is missing': [
    [['c', SYN, 0, 0], ['c', ACK, 1, 1, 'hello'], ['s', ACK, 1, 6]],
    ['SYN-SENT/LISTEN', 'ESTABLISHED/LISTEN', 'ESTABLISHED/ESTABLISHED'],
  ],
  'an acknowledgement of data is none of the FIN behind it': [
    [...HANDSHAKE, ['c', FIN | ACK, 1, 1, 'hello'], ['s', ACK, 1, 6], ['s', ACK, 1, 7]],
    [...OPENED, 'FIN-WAIT-1/ESTABLISHED', 'FIN-WAIT-1/ESTABLISHED', 'FIN-WAIT-2/CLOSE-WAIT'],
  ],
}

for (const [title, [steps, expected]] of Object.entries(cases))
  test(title, async t => {
    t.deepEqual(await states(steps), expected)
    // What the numbers are must not matter.
    t.deepEqual(await states(steps, [7, 0xffff_ffff]), expected)
  })

test('the history has each change once, with its packet and time', async t => {
  const [steps] = cases['the client closes first (section 3.6, figure 12)']!
  const extractor = new TCPStreamExtractor(capture([...steps.slice(0, 3), ['c', ACK, 1, 1], ...steps.slice(3)]))
  const [stream] = await extractor.summary()
  const told = stream!.stateHistory.map(({ packet, client, server }) => `${packet} ${client}/${server}`)
  const expected = cases['the client closes first (section 3.6, figure 12)']![1]
  t.deepEqual(told, expected.map((state, i) => `${i < 3 ? i + 1 : i + 2} ${state}`))
  t.deepEqual(stream!.stateHistory.map(change => change.timestampNs), [0, 1, 2, 4, 5, 6, 7].map(i => 1_000_000_000_000n + BigInt(i) * 10_000n))
})
