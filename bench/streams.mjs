// Every octet of both directions of every connection through a checksum in a JavaScript callback.
// usage: node bench/streams.mjs FILE
import * as zlib from 'node:zlib'
import { streamEvents } from '../dist/index.js'

// zlib.crc32 came with Node 20.15; an older one gets a checksum of its own.
/** @type {(data: Uint8Array, sum: number) => number} */
const checksum = zlib.crc32 ?? ((data, sum) => data.reduce((s, octet) => (s * 31 + octet) >>> 0, sum))
let [connections, octets, gaps, sum] = [0, 0, 0, 0]
await streamEvents(process.argv[2] ?? '-').each(event => {
  if (event.type === 'data') {
    sum = checksum(event.data, sum)
    octets += event.length
  } else if (event.type === 'gap') gaps += event.length
  else if (event.type === 'open') connections++
})
console.log(`conns=${connections} bytes=${octets} gaps=${gaps} checksum=${sum.toString(16)}`)
