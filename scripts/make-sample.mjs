// Makes every capture in the repository, and what is expected of each: `npm run gen`. The same run gives the same
// octets on every machine; a test holds the committed files against it.
//
//   examples/captures/sample.pcap            shipped, for the demo and the examples
//   __test__/fixtures/captures/sample.json   the flow records it must give
//   __test__/fixtures/captures/*.pcap        small captures, one for each container, link type and damage
//   __test__/fixtures/captures/fixtures.json what each of them must give
//   __test__/fixtures/README.md              one row for each
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fixtures } from './captures/fixtures.mjs'
import { sample } from './captures/sample.mjs'
import { root } from './tools.mjs'

const FOLDER = '__test__/fixtures/captures'

/** @param {unknown} value */
const json = value => Buffer.from(`${JSON.stringify(value, null, 2)}\n`)

/** @param {ReturnType<typeof fixtures>} made */
function expectations({ files, flows, packetsPerFlow }) {
  const rows = Object.entries(files).map(([name, { packets, damage, damageOffset }]) => [
    name,
    damage === null ? { packets, damage } : { packets, damage, damage_offset: damageOffset },
  ])
  return { flows, packets_per_flow: packetsPerFlow, files: Object.fromEntries(rows) }
}

/** @param {ReturnType<typeof fixtures>} made */
const readme = ({ files }) => `# Fixtures

Made by \`npm run gen\` (scripts/make-sample.mjs); never edited by hand. All hold the same two short connections, one
IPv4 and one IPv6, unless their row says otherwise. What each must give is in \`captures/fixtures.json\`: the flows of an
unharmed file, then for each file how many packets can be read, what is wrong with it, and where the damaged item begins.
\`captures/sample.json\` does the same for the capture that the package ships, \`examples/captures/sample.pcap\`; times are
decimal text there, because nanoseconds since 1970 don't fit a JSON number. A packet record's microseconds drop the last
three digits of \`first_ns\` and \`last_ns\`.

| capture | packets | purpose |
|---|---|---|
| \`../../examples/captures/sample.pcap\` | ${sample().expected.packets} | Shipped: what flow analysis must get right, in a dozen conversations. |
${Object.entries(files).map(([name, { packets, purpose }]) => `| \`captures/${name}\` | ${packets} | ${purpose} |`).join('\n')}
`

/**
 * All generated files.
 *
 * @returns {Map<string, Buffer>} path from the root → content
 */
export function generatedFiles() {
  const shipped = sample()
  const made = fixtures()
  return new Map([
    ['examples/captures/sample.pcap', shipped.capture],
    [`${FOLDER}/sample.json`, json(shipped.expected)],
    [`${FOLDER}/fixtures.json`, json(expectations(made))],
    ['__test__/fixtures/README.md', Buffer.from(readme(made))],
    ...Object.entries(made.files).map(([name, { content }]) => /** @type {[string, Buffer]} */ ([`${FOLDER}/${name}`, content])),
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of generatedFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
    console.log(`${path} ${content.length}`)
  }
}
