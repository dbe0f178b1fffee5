// The licences of what is linked into the addon, as those licences ask for: every crate with its licence's text.
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './tools.mjs'

/**
 * @typedef {{ id: string, name: string, version: string, license: string | null, manifest_path: string, source: string | null }} Crate
 * @typedef {{ id: string, deps: { pkg: string, dep_kinds: { kind: string | null }[] }[] }} Node
 */

/** Crates that the addon is linked from, on any platform; ours are left out. @returns {Crate[]} */
function linkedCrates() {
  const { status, stdout, stderr } = spawnSync('cargo', ['metadata', '--format-version', '1', '--locked'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`cargo metadata: ${stderr}`)
  /** @type {{ packages: Crate[], resolve: { nodes: Node[] } }} */
  const { packages, resolve } = JSON.parse(stdout)
  const nodes = new Map(resolve.nodes.map(node => [node.id, node]))
  const addon = packages.find(({ name }) => name === 'tcpskein-node')
  /** @type {Set<string>} */
  const found = new Set()
  const queue = addon === undefined ? [] : [addon.id]
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id)) continue
    found.add(id)
    // Neither what only builds or tests, nor procedural macros' own crates would have to be here; the latter do no harm.
    const linked = (nodes.get(id)?.deps ?? []).filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null))
    queue.push(...linked.map(({ pkg }) => pkg))
  }
  return packages.filter(({ id, source }) => found.has(id) && source !== null).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Also one folder down, where crates keep the sources of others that they are made from. @param {Crate} crate */
function licenceTexts({ manifest_path: manifest }) {
  const top = readdirSync(dirname(manifest), { withFileTypes: true })
  const below = top.filter(entry => entry.isDirectory()).flatMap(({ name }) => readdirSync(join(dirname(manifest), name), { withFileTypes: true }))
  return [...top, ...below]
    .filter(entry => entry.isFile() && /^(licen[cs]e|copying|notice|unlicense)/i.test(entry.name))
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8').trim())
}

/** The text: first who, then each licence's text once, with the crates that came with it. */
export function thirdPartyLicences() {
  const crates = linkedCrates()
  /** @type {Map<string, string[]>} */
  const users = new Map()
  for (const crate of crates)
    for (const text of licenceTexts(crate)) users.set(text, [...(users.get(text) ?? []), crate.name])
  const list = crates.map(({ name, version, license }) => `${name} ${version}: ${license ?? 'see below'}`)
  const texts = [...users].map(([text, names]) => `${'-'.repeat(80)}\n${names.join(', ')}\n\n${text}\n`)
  return `The addon contains these crates:\n\n${list.join('\n')}\n\n${texts.join('\n')}`
}
