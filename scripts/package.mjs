// Puts together what is published: one folder for the main package, one for each platform whose addon is there.
//
//   node scripts/package.mjs [--out target/npm] [--addons artifacts] [--require-all]
//
// Addons are files `tcpskein.<platform>.node`; the folder that `npm run build:cross` and the release fill is taken first,
// then the addon of this checkout. With --require-all a platform without addon is a failure. The main package's
// package.json names all platforms as optional dependencies; the checkout's own doesn't, because npm would look for them.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { thirdPartyLicences } from './third-party.mjs'
import { NATIVE_SOURCES, fingerprint, root } from './tools.mjs'

const LICENCES = ['LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT']
const THIRD_PARTY = 'THIRD-PARTY-LICENSES'
/** Members of package.json that only a checkout needs. */
const OURS = ['scripts', 'devDependencies', 'overrides', 'ava', 'napi']

/** @param {string} path */
const readJson = path => JSON.parse(readFileSync(path, 'utf8'))
/** @param {string} path @param {unknown} value */
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)

/** The platforms, as their folders in npm/ are named. */
export const platforms = () => readdirSync(join(root, 'npm')).toSorted()

/**
 * Where the addon of a platform lies, or null. One that was built here from other sources than there are now doesn't
 * count; one from elsewhere, with nothing said about it, does.
 *
 * @param {string} platform
 * @param {string} addons a folder to look into first
 */
export function addonOf(platform, addons) {
  const places = [addons, join(root, 'src', 'binding')].map(folder => join(folder, `tcpskein.${platform}.node`))
  return places.find(path => existsSync(path) && !isStale(path)) ?? null
}

/** @param {string} addon */
function isStale(addon) {
  const sources = `${addon}.sources`
  return existsSync(sources) && readFileSync(sources, 'utf8') !== fingerprint(NATIVE_SOURCES)
}

/** @param {string} out */
function stageMain(out) {
  const folder = join(out, 'tcpskein')
  const manifest = readJson(join(root, 'package.json'))
  mkdirSync(folder, { recursive: true })
  for (const name of ['README.md', ...manifest.files.filter((/** @type {string} */ name) => !name.startsWith('!'))]) {
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: path => !path.endsWith('.node') })
  }
  for (const name of OURS) delete manifest[name]
  const optionalDependencies = Object.fromEntries(platforms().map(name => [`tcpskein-${name}`, manifest.version]))
  writeJson(join(folder, 'package.json'), { ...manifest, optionalDependencies })
  return folder
}

/** @param {string} out @param {string} platform @param {string} addon @param {string} thirdParty */
function stagePlatform(out, platform, addon, thirdParty) {
  const folder = join(out, `tcpskein-${platform}`)
  cpSync(join(root, 'npm', platform), folder, { recursive: true })
  cpSync(addon, join(folder, `tcpskein.${platform}.node`))
  for (const name of LICENCES) cpSync(join(root, name), join(folder, name))
  writeFileSync(join(folder, THIRD_PARTY), thirdParty)
  const manifest = readJson(join(folder, 'package.json'))
  writeJson(join(folder, 'package.json'), { ...manifest, files: [...manifest.files, ...LICENCES, THIRD_PARTY] })
  return folder
}

/**
 * Makes the folders anew.
 *
 * @param {string} out
 * @param {string} addons
 * @returns {{ main: string, platforms: Map<string, string> }} their paths
 */
export function stage(out, addons) {
  rmSync(out, { recursive: true, force: true })
  const thirdParty = thirdPartyLicences()
  const staged = platforms().flatMap(platform => {
    const addon = addonOf(platform, addons)
    return addon === null ? [] : [/** @type {const} */ ([platform, stagePlatform(out, platform, addon, thirdParty)])]
  })
  return { main: stageMain(out), platforms: new Map(staged) }
}

function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(root, 'target', 'npm') },
      addons: { type: 'string', default: join(root, 'artifacts') },
      'require-all': { type: 'boolean', default: false },
    },
  })
  const staged = stage(resolve(values.out), resolve(values.addons))
  const absent = platforms().filter(platform => !staged.platforms.has(platform))
  // Platforms first: whoever installs the main package at once must find them.
  for (const folder of [...staged.platforms.values(), staged.main]) console.log(folder)
  if (absent.length > 0) console.error(`package: no addon for ${absent.join(', ')}`)
  if (values['require-all'] && absent.length > 0) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
