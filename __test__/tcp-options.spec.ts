// TCP options: by kind, in order, and typed; what can't be right is marked, and nothing throws.
import test from 'ava'
import { TCP_OPTIONS, TCP_FLAGS, tcpOptionList, tcpOptions, TO_MSS, TO_NOP, TO_WS } from '../src/index.js'

const octets = (...values: number[]) => Uint8Array.from(values)

test('options by kind and in order', t => {
  const list = octets(2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0)
  const options = tcpOptions(list)
  t.deepEqual([...options.keys()], [2, 3, 4, 8])
  t.deepEqual(options.get(TO_MSS), octets(5, 0xb4))
  t.deepEqual(tcpOptionList(list).map(({ kind, offset }) => [kind, offset]), [[2, 0], [1, 4], [3, 5], [4, 8], [8, 10], [0, 20]])
  t.deepEqual(
    [options.mss, options.windowScale, options.sackPermitted, options.timestamps, options.malformed, options.truncated],
    [1460, 7, true, { value: 1, echo: 2 }, false, false],
  )
})

test('repeats are all kept, and the first counts', t => {
  const options = tcpOptions(octets(3, 3, 1, 3, 3, 2))
  t.deepEqual(options.get(TO_WS), octets(1))
  t.deepEqual(options.list.map(({ data }) => data[0]), [1, 2])
})

test('rarer options', t => {
  const sack = octets(5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff)
  t.deepEqual(tcpOptions(sack).sackBlocks, [{ left: 1, right: 2 }, { left: 0xffff_fffe, right: 0xffff_ffff }])
  t.deepEqual(tcpOptions(octets(34, 6, 1, 2, 3, 4)).fastOpen, { kind: 34, cookie: octets(1, 2, 3, 4) })
  for (const kind of [253, 254, 255]) {
    const options = tcpOptions(octets(kind, 6, 0xf9, 0x89, 1, 2))
    t.deepEqual([options.fastOpen?.kind, options.fastOpenCookie, options.experimentId], [kind, octets(1, 2), 0xf989])
  }
  t.is(tcpOptions(octets(254, 4, 0x12, 0x34)).fastOpen, null)
  t.deepEqual(tcpOptions(octets(30, 4, 0x10, 0)).mptcp, { subtype: 1 })
  t.is(tcpOptions(octets(28, 4, 0x80, 2)).userTimeout, 120)
  t.is(tcpOptions(octets(28, 4, 0, 90)).userTimeout, 90)
  t.is(tcpOptions(octets(19, 18, ...Array.from({ length: 16 }, (_, i) => i))).md5?.length, 16)
  t.deepEqual(tcpOptions(octets(29, 4, 1, 2)).ao, octets(1, 2))
})

test('Accurate ECN: three counters in two orders, and fewer', t => {
  // RFC 9768 section 3.2.3: kind 172 has EE0B, ECEB, EE1B; kind 174 EE1B, ECEB, EE0B; lengths 11, 8, 5 and 2.
  const counters = [1, 0, 2, 0xff, 0xff, 0xff, 0, 1, 0]
  const [a, b, c] = [0x1_0002, 0xff_ffff, 0x100]
  const read = (kind: number, length: number) => tcpOptions(octets(kind, length, ...counters.slice(0, length - 2))).accEcn
  t.deepEqual([11, 8, 5, 2].map(length => read(172, length)), [
    { kind: 172, ee0b: a, eceb: b, ee1b: c },
    { kind: 172, ee0b: a, eceb: b, ee1b: null },
    { kind: 172, ee0b: a, eceb: null, ee1b: null },
    { kind: 172, ee0b: null, eceb: null, ee1b: null },
  ])
  t.deepEqual([11, 8, 5, 2].map(length => read(174, length)), [
    { kind: 174, ee0b: c, eceb: b, ee1b: a },
    { kind: 174, ee0b: null, eceb: b, ee1b: a },
    { kind: 174, ee0b: null, eceb: null, ee1b: a },
    { kind: 174, ee0b: null, eceb: null, ee1b: null },
  ])
  t.is(tcpOptions(octets(2, 4, 5, 0xb4)).accEcn, null)
})

test('no octets make it throw or hang', t => {
  const marked = [octets(2), octets(2, 0), octets(2, 1), octets(3, 9, 1), octets(1, 1, 8, 10, 0)]
  for (const list of marked) t.true(tcpOptions(list).malformed)
  t.deepEqual([tcpOptions(octets()).malformed, tcpOptions(octets(0, 9)).malformed, tcpOptions(octets(TO_NOP)).malformed], [false, false, false])
  const cut = tcpOptions({ options: octets(2, 4, 5), optionsCut: true })
  t.deepEqual([cut.malformed, cut.truncated, cut.mss], [false, true, null])
  for (let seed = 1, i = 0; i < 20_000; i++) {
    const list = Uint8Array.from({ length: i % 61 }, () => (seed = (seed * 48_271) % 0x7fff_ffff) % (i % 2 === 0 ? 37 : 256))
    const all = tcpOptions(list)
    t.true(all.list.length <= 40)
    void [all.mss, all.sackBlocks, all.fastOpen, all.mptcp, all.userTimeout, all.experimentId, all.timestamps, all.ao, all.md5, all.accEcn]
  }
})

test('the constants have PATHspider\'s names and values', t => {
  t.deepEqual(TCP_FLAGS, {
    TCP_FIN: 1, TCP_SYN: 2, TCP_RST: 4, TCP_PSH: 8, TCP_ACK: 16, TCP_URG: 32, TCP_ECE: 64, TCP_CWR: 128, TCP_SA: 18,
    TCP_SEC: 194, TCP_SAE: 82, TCP_SAEC: 210,
  })
  t.deepEqual(TCP_OPTIONS, {
    TO_EOL: 0, TO_NOP: 1, TO_MSS: 2, TO_WS: 3, TO_SACKOK: 4, TO_SACK: 5, TO_TS: 8, TO_MPTCP: 30, TO_FASTOPEN: 34,
    TO_EXPA: 254, TO_EXPB: 255, TO_EXID_FASTOPEN: [249, 137],
  })
})
