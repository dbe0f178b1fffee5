// What is published, looked at without installing it: sizes, files, types, maps, versions, and what the addons ask of a
// system.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test from 'ava'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { npmProgram } from '../scripts/node-versions.mjs'
import { addonOf, platforms, stage } from '../scripts/package.mjs'
import { readJson, root } from './support/places.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-package-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const artifacts = join(root, 'artifacts')
const staged = stage(join(folder, 'staged'), artifacts)

interface Packed {
  filename: string
  size: number
  unpackedSize: number
  files: { path: string }[]
}

function pack(path: string): Packed {
  const args = [npmProgram(), 'pack', '--json', '--ignore-scripts', '--pack-destination', folder, path]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  // One object per package; newer versions of npm key them by name.
  const [packed] = Object.values(JSON.parse(stdout) as Packed[])
  return packed!
}

const main = pack(staged.main)
const kB = (octets: number): string => `${Math.round(octets / 1000)} kB`

/** What a user downloads at most, in octets. Growing beyond these is a decision, not an accident. */
const BUDGET = {
  main: { size: 1_050_000, unpackedSize: 4_000_000 },
  platform: { size: 1_400_000, unpackedSize: 3_100_000 },
}

test('the packages stay small', t => {
  t.log(`tcpskein: ${kB(main.size)} packed, ${kB(main.unpackedSize)} unpacked, ${main.files.length} files`)
  t.true(main.size <= BUDGET.main.size && main.unpackedSize <= BUDGET.main.unpackedSize)
  for (const [platform, path] of staged.platforms) {
    const { size, unpackedSize } = pack(path)
    t.log(`tcpskein-${platform}: ${kB(size)} packed, ${kB(unpackedSize)} unpacked`)
    t.true(size <= BUDGET.platform.size && unpackedSize <= BUDGET.platform.unpackedSize, platform)
  }
})

test('the main package holds what runs, its types and maps, and nothing else', t => {
  const paths = main.files.map(file => file.path)
  const known = /^(bin\/tcpskein\.js|dist\/.*\.(js|js\.map|d\.ts)|dist\/report-page\.html|package\.json|(README|CHANGELOG)\.md|LICENSE(-APACHE|-MIT)?)$/
  t.deepEqual(paths.filter(path => !known.test(path)), [])
  t.true(paths.includes('dist/index.d.ts'))
  // The one for browsers has none, or the package would be half as large again.
  for (const path of paths.filter(path => /^dist\/.*\.js$/.test(path) && path !== 'dist/browser.js')) {
    // The package ships no src/: the maps carry the sources. A module that only hands on has none.
    const map = readJson<{ sources: string[]; sourcesContent?: (string | null)[] }>(join(staged.main, `${path}.map`))
    t.is((map.sourcesContent ?? []).filter(content => content !== null).length, map.sources.length, `${path}: its map`)
  }
})

test('a platform’s package holds the addon and the licences of what is in it', t => {
  for (const [platform, path] of staged.platforms) {
    const names = pack(path).files.map(file => file.path).toSorted()
    t.deepEqual(names, ['LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'THIRD-PARTY-LICENSES', 'package.json', `tcpskein.${platform}.node`])
    const text = readFileSync(join(path, 'THIRD-PARTY-LICENSES'), 'utf8')
    for (const crate of ['etherparse', 'napi', 'zstd', 'hashbrown']) t.regex(text, new RegExp(`^${crate} \\d.*: \\w`, 'm'))
    t.notRegex(text, /^tcpskein/m)
  }
})

test('a release without an addon for each platform fails', t => {
  const script = join(root, 'scripts', 'package.mjs')
  const args = [script, '--require-all', '--out', join(folder, 'all'), '--addons', join(folder, 'none')]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  t.is(status, 1)
  t.regex(stderr, /^package: no addon for .*win32-x64-msvc/m)
})

test('the main package asks for every platform at its own version', t => {
  const { version, optionalDependencies, scripts } = readJson<Record<string, unknown>>(join(staged.main, 'package.json'))
  t.deepEqual(optionalDependencies, Object.fromEntries(platforms().map(platform => [`tcpskein-${platform}`, version])))
  t.is(scripts, undefined, 'nothing runs at installation')
})

test('one version everywhere, and the changelog has it', t => {
  const { version } = readJson<{ version: string }>(join(root, 'package.json'))
  const text = (path: string) => readFileSync(join(root, path), 'utf8')
  t.is(/^\[workspace\.package\]\nversion = "(.*)"$/m.exec(text('Cargo.toml'))?.[1], version)
  t.regex(text('CHANGELOG.md'), new RegExp(`^## \\[${version}\\]`, 'm'))
  for (const platform of platforms()) t.is(readJson<{ version: string }>(join(root, 'npm', platform, 'package.json')).version, version)
})

test('publint finds nothing to say', async t => {
  const manifest = readJson<Record<string, unknown>>(join(staged.main, 'package.json'))
  const { messages } = await publint({ pkgDir: staged.main, strict: true, pack: 'npm' })
  t.deepEqual(messages.map(message => formatMessage(message, manifest)), [])
})

test('are the types wrong? no', t => {
  const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js')
  const args = [attw, '--profile', 'esm-only', '--format', 'ascii', '--no-color', join(folder, main.filename)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  t.is(status, 0, `${stdout}${stderr}`)
})

/** Every addon at hand. */
const addons = platforms().flatMap(platform => addonOf(platform, artifacts) ?? [])
/** Versions of glibc that a library asks for, newest last. */
const glibcVersions = (octets: Buffer): number[] =>
  [...new Set([...octets.toString('latin1').matchAll(/GLIBC_2\.(\d+)/g)].map(match => Number(match[1])))].toSorted((a, b) => a - b)

test('addons for glibc ask for 2.17 at most', t => {
  const built = addons.filter(path => path.endsWith('-gnu.node') && path.startsWith(artifacts))
  if (built.length === 0) t.log('skipped: nothing in artifacts/ (npm run build:cross); a plain build asks for what this system has')
  t.pass()
  for (const path of built) {
    const versions = glibcVersions(readFileSync(path))
    t.log(`${basename(path)}: glibc 2.${versions.at(-1)}`)
    t.true(versions.length > 0 && versions.at(-1)! <= 17, `${path}: 2.${versions.join(', 2.')}`)
  }
})

test('addons for musl ask nothing of glibc', t => {
  const built = addons.filter(path => path.endsWith('-musl.node'))
  if (built.length === 0) t.log('skipped: none is built (npm run build:cross)')
  t.pass()
  for (const path of built) {
    const octets = readFileSync(path)
    t.deepEqual(glibcVersions(octets), [], path)
    t.true(octets.includes('\0libc.so\0'), `${path} is linked to musl`)
  }
})

test('no addon brings paths of the machine that built it', t => {
  for (const path of addons) {
    const text = readFileSync(path).toString('latin1')
    t.false(text.includes(root), `${path} names this checkout`)
  }
})

test('the folder for npm has a README and a binary name for each platform', t => {
  for (const platform of readdirSync(join(root, 'npm'))) {
    const { main: entry, files } = readJson<{ main: string; files: string[] }>(join(root, 'npm', platform, 'package.json'))
    t.deepEqual([entry, files], [`tcpskein.${platform}.node`, [entry]])
    t.true(existsSync(join(root, 'npm', platform, 'README.md')))
  }
})
