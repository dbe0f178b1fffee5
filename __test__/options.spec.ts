// Options: each wrong one is refused at once, with its name, before any file is opened.
import test from 'ava'
import { OptionError, basicChain, observe, tcpChain, type ObserveOptions } from '../src/index.js'
import { seconds, integer } from '../src/options.js'
import { samplePath } from './support/places.js'

const wrong: Record<string, [options: object, message: RegExp]> = {
  'a misspelt name': [{ idletimeout: 3 }, /^idletimeout: there is no such option; there are .*idleTimeout/],
  'idleTimeout as text': [{ idleTimeout: '30' }, /^idleTimeout: .*not '30'/],
  'idleTimeout negative': [{ idleTimeout: -1 }, /^idleTimeout: .*not -1/],
  'expiryTimeout NaN': [{ expiryTimeout: Number.NaN }, /^expiryTimeout: .*not NaN/],
  'expiryTimeout null': [{ expiryTimeout: null }, /^expiryTimeout: .*not null/],
  'maxFlows 0': [{ maxFlows: 0 }, /^maxFlows: .* from 1 to 4294967295, not 0/],
  'maxFlows a fraction': [{ maxFlows: 1.5 }, /^maxFlows: /],
  'maxFlows too large': [{ maxFlows: 2 ** 32 }, /^maxFlows: /],
  'aggregate 1': [{ aggregate: 1 }, /^aggregate: expected true or false, not 1/],
  'a signal that is none': [{ signal: new AbortController() }, /^signal: expected an AbortSignal/],
  'chains that are no list': [{ chains: basicChain() }, /^chains: expected a list/],
  'a chain without its parentheses': [{ chains: [basicChain] }, /^chains: .*parentheses/],
  'a chain that is null': [{ chains: [null] }, /^chains: /],
  'a chain twice': [{ chains: [tcpChain(), tcpChain()] }, /^chains: there are two chains with the name 'tcp'/],
}

for (const [title, [options, message]] of Object.entries(wrong)) {
  test(`refused: ${title}`, t => {
    const error = t.throws(() => observe(samplePath, options as ObserveOptions<[]>), { instanceOf: OptionError, message })
    t.is(error.code, 'ERR_INVALID_OPTION')
  })
}

const noSources: Record<string, unknown> = {
  'an empty list': [],
  'a number': 7,
  null: null,
  undefined,
  'an object': {},
  'a http: URL': new URL('http://example.com/a.pcap'),
  'a list with a number in it': [samplePath, 7],
}

for (const [title, source] of Object.entries(noSources)) {
  test(`refused as a source: ${title}`, t => {
    t.throws(() => observe(source as string), { instanceOf: OptionError, message: /^source: / })
  })
}

test('an option that is undefined has its default', t => {
  t.notThrows(() => observe(samplePath, { idleTimeout: undefined, maxFlows: undefined } as unknown as ObserveOptions<[]>))
  t.is(seconds('idleTimeout', undefined, 30), 30)
  t.is(seconds('idleTimeout', Infinity, 30), Infinity)
  t.is(integer('maxFlows', 1, 5, 1, 10), 1)
})
