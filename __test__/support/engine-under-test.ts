// The engine that a file of tests runs with: `native`, or what the file that imports it said.
import * as tcpskein from '../../src/index.js'

const engine = process.env.TCPSKEIN_TEST_ENGINE === 'js' ? 'js' : 'native'

export const streamEvents = (source: Parameters<typeof tcpskein.streamEvents>[0], options: tcpskein.StreamOptions = {}) =>
  tcpskein.streamEvents(source, { engine, ...options })

export const connections = (source: Parameters<typeof tcpskein.connections>[0], options: tcpskein.ConnectionsOptions = {}) =>
  tcpskein.connections(source, { engine, ...options })
