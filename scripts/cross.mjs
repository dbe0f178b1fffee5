// Builds the addon for Linux, on any Linux, as it is released: `npm run build:cross [-- platform ...]`.
//
// Needs Rust with rustup, and Python 3 for zig and cargo-zigbuild (from PyPI, into target/cross), unless they are there.
// The gnu ones run with glibc 2.17 and later; Node 20 itself asks for more. Results go to artifacts/. Then the arm64 one
// is run, under qemu-user where the machine is another; where that is missing, the line says so.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { nodeProgram } from './node-versions.mjs'
import { NATIVE_SOURCES, fingerprint, root, run } from './tools.mjs'

const OUT = join(root, 'artifacts')
const WORK = join(root, 'target', 'cross')
const TOOLS = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.0']

/** @type {Readonly<Record<string, { triple: string, glibc?: string, rustflags?: string }>>} */
const TARGETS = {
  'linux-x64-gnu': { triple: 'x86_64-unknown-linux-gnu', glibc: '2.17' },
  'linux-arm64-gnu': { triple: 'aarch64-unknown-linux-gnu', glibc: '2.17' },
  // A library for musl must be linked to it and not hold a copy.
  'linux-x64-musl': { triple: 'x86_64-unknown-linux-musl', rustflags: '-C target-feature=-crt-static' },
  'linux-arm64-musl': { triple: 'aarch64-unknown-linux-musl', rustflags: '-C target-feature=-crt-static' },
}

/** @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
const works = (command, args, env) => spawnSync(command, args, { stdio: 'ignore', env: env ?? process.env }).status === 0

/** The path on which cargo finds cargo-zigbuild, and that finds zig; both are installed where they are missing. */
function toolPath() {
  const bin = join(WORK, 'venv', 'bin')
  const path = `${bin}${delimiter}${process.env.PATH ?? ''}`
  if (works('cargo-zigbuild', ['--version'], { ...process.env, PATH: path })) return path
  run('python3', ['-m', 'venv', join(WORK, 'venv')])
  run(join(bin, 'pip'), ['install', '--quiet', ...TOOLS])
  return path
}

/** @param {string} platform @param {string} path */
function build(platform, path) {
  const { triple, glibc, rustflags } = TARGETS[platform] ?? {}
  if (triple === undefined) throw new RangeError(platform)
  const library = spawnSync('rustc', ['--print', 'target-libdir', '--target', triple], { encoding: 'utf8' }).stdout.trim()
  if (!existsSync(library)) run('rustup', ['target', 'add', triple])
  const env = { ...process.env, PATH: path, ...(rustflags === undefined ? {} : { RUSTFLAGS: rustflags }) }
  const target = glibc === undefined ? triple : `${triple}.${glibc}`
  run('cargo', ['zigbuild', '--release', '--package', 'tcpskein-node', '--target', target, '--target-dir', WORK], { env })
  mkdirSync(OUT, { recursive: true })
  const result = join(OUT, `tcpskein.${platform}.node`)
  copyFileSync(join(WORK, triple, 'release', 'libtcpskein_node.so'), result)
  writeFileSync(`${result}.sources`, fingerprint(NATIVE_SOURCES))
  console.log(result)
}

/** How to start Node for arm64 on this machine, or in one line why that can't be. @returns {string[] | string} */
function arm64Node() {
  const libraries = process.env.QEMU_LD_PREFIX ?? '/usr/aarch64-linux-gnu'
  const emulator = ['qemu-aarch64-static', 'qemu-aarch64'].find(name => works(name, ['--version']))
  if (process.arch !== 'arm64' && emulator === undefined) return 'there is no qemu-aarch64 (apt-get install qemu-user-static)'
  if (process.arch !== 'arm64' && !existsSync(join(libraries, 'lib', 'ld-linux-aarch64.so.1')))
    return `there are no arm64 libraries in ${libraries} (apt-get install libc6-arm64-cross libstdc++6-arm64-cross)`
  const node = nodeProgram('22', 'arm64')
  if (node.path === undefined) return node.problem
  return process.arch === 'arm64' || emulator === undefined ? [node.path] : [emulator, '-L', libraries, node.path]
}

function runArm64() {
  const node = arm64Node()
  if (typeof node === 'string') return console.log(`linux-arm64-gnu: not run, skipped: ${node}`)
  const [command = '', ...args] = node
  // dist/ is what runs; prepare.mjs has built it.
  run(command, [...args, join(root, 'scripts', 'smoke.mjs'), join(OUT, 'tcpskein.linux-arm64-gnu.node')])
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(platform => !(platform in TARGETS))
if (unknown.length > 0) {
  console.error(`no such platform: ${unknown.join(', ')}; there are ${Object.keys(TARGETS).join(', ')}`)
  process.exit(2)
}
const path = toolPath()
const platforms = wanted.length > 0 ? wanted : Object.keys(TARGETS)
for (const platform of platforms) build(platform, path)
if (platforms.includes('linux-arm64-gnu')) runArm64()
