// Makes sure that what a command needs is there: node_modules, the native addon, dist/. Node's own modules only,
// because it must run in a checkout where nothing is installed yet. Everything it says goes to stderr, so that a
// command's own output stays clean; when all is there it says nothing.
//
//   --deps    node_modules                        (lint)
//   --demo    node_modules, release addon, dist/  (demo, bench)
//   --test    the same, and cargo itself          (test)
//   --build   the same as --demo, built anew even when it looks up to date
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NATIVE_SOURCES, exitCode, fingerprint, root, run, say } from './tools.mjs'

const MODES = ['--deps', '--demo', '--test', '--build']
/** What was built from which sources; it goes when node_modules goes, which only costs one quick rebuild. */
const STAMP = join(root, 'node_modules', '.cache', 'tcpskein', 'prepare.json')
const BINDING = join(root, 'src', 'binding')
const NO_CARGO = 'tcpskein: cargo was not found; install Rust from https://rustup.rs, then run this command again.'

/** What dist/ is made from. */
const DIST_SOURCES = {
  paths: ['src', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build-ts.mjs'],
  skip: /\.node$/,
}

/** @param {string} path */
const readJson = path => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

/** Does node_modules hold the versions that package-lock.json names? npm leaves its own lock file there. */
function dependenciesAreThere() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true
    const found = installed[path]
    // An optional package of another platform is rightly missing.
    return found ? found.version === entry.version : entry.optional === true || entry.devOptional === true
  })
}

/** Runs npm: the one that started us, or the one on the path. @param {string[]} args @param {boolean} quietly */
function npm(args, quietly) {
  const stdio = /** @type {import('node:child_process').StdioOptions} */ (quietly ? 'ignore' : ['ignore', 2, 2])
  const all = [...args, '--no-audit', '--no-fund', '--loglevel=error']
  const started = process.env.npm_execpath
  return started && existsSync(started)
    ? spawnSync(process.execPath, [started, ...all], { cwd: root, stdio })
    : spawnSync('npm', all, { cwd: root, stdio, shell: process.platform === 'win32' })
}

function installDependencies() {
  say('installing the npm packages (npm ci)')
  if (npm(['ci'], true).status === 0) return
  // npm ci wants the lock file to know each package for each platform; a registry that lacks some gives a lock file
  // that doesn't. npm install takes what this platform needs, at the versions of the lock file.
  say('npm ci failed; trying npm install --no-save')
  const { status, signal } = npm(['install', '--no-save'], false)
  if (status !== 0) process.exit(exitCode(status, signal))
}

const cargoIsThere = () => spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status === 0

/** The built addon's path, size and time, or null where there is none for this platform. */
function addon() {
  if (!existsSync(BINDING)) return null
  const marker = `.${process.platform}-${process.arch}`
  const name = readdirSync(BINDING).find(file => file.endsWith('.node') && file.includes(marker))
  if (!name) return null
  const { size, mtimeMs } = statSync(join(BINDING, name))
  return { name, identity: `${name} ${size} ${mtimeMs}` }
}

/** @param {Record<string, string>} stamp */
function writeStamp(stamp) {
  mkdirSync(join(STAMP, '..'), { recursive: true })
  writeFileSync(STAMP, `${JSON.stringify(stamp, null, 2)}\n`)
}

/** All that decides what the addon is: platform, sources, and how package.json says to build it. */
function nativeFingerprint() {
  const { napi, scripts } = readJson(join(root, 'package.json'))
  const how = JSON.stringify([process.platform, process.arch, napi.binaryName, scripts['build:native']])
  return `${fingerprint(NATIVE_SOURCES)} ${how}`
}

/** @param {string} script a script of package.json */
function runScript(script) {
  const { scripts } = readJson(join(root, 'package.json'))
  const [command, ...args] = scripts[script].split(' ')
  const bin = join(root, 'node_modules', '.bin')
  const PATH = `${bin}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`
  run(command, args, { env: { ...process.env, PATH }, shell: process.platform === 'win32' })
}

/** @param {string} mode */
function prepare(mode) {
  const force = mode === '--build'
  const native = nativeFingerprint()
  const stamp = readJson(STAMP) ?? {}
  const nativeIsFresh = () => !force && stamp.native === native && stamp.addon === addon()?.identity
  const wantsCargo = mode === '--test' || (mode !== '--deps' && !nativeIsFresh())
  // Asked first, so that without Rust nothing is downloaded only to fail afterwards.
  if (wantsCargo && !cargoIsThere()) {
    console.error(NO_CARGO)
    process.exit(1)
  }
  if (!dependenciesAreThere()) installDependencies()
  if (mode === '--deps') return

  if (!nativeIsFresh()) {
    say('building the native addon (the first time takes about a minute)')
    runScript('build:native')
    Object.assign(stamp, { native, addon: addon()?.identity ?? '' })
    writeStamp(stamp)
  }
  const dist = fingerprint(DIST_SOURCES)
  if (force || stamp.dist !== dist || !existsSync(join(root, 'dist', 'index.js'))) {
    say('compiling the TypeScript to dist/')
    runScript('build:ts')
    writeStamp({ ...stamp, dist: fingerprint(DIST_SOURCES) })
  }
}

const mode = process.argv[2] ?? ''
if (!MODES.includes(mode) || process.argv.length > 3) {
  console.error(`usage: node scripts/prepare.mjs ${MODES.join(' | ')}`)
  process.exit(2)
}
prepare(mode)
