// The packages as users get them: published to a registry of the test's own, installed into empty projects where there
// is no Rust, and run there. Nothing comes from anywhere else: what the main package needs is published beforehand too.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { basicChain, observe, tcpChain } from '../src/index.js'
import { nodeProgram } from '../scripts/node-versions.mjs'
import { stage } from '../scripts/package.mjs'
import { run as runHere } from './support/cli.js'
import { collect } from './support/collect.js'
import { dependencyFolders, makeHome, npm, runIn, type Home } from './support/npm.js'
import { readJson, root, samplePath } from './support/places.js'
import { startRegistry, type Registry } from './support/registry.js'

const NODES = ['20', '22', '24']
const folder = mkdtempSync(join(tmpdir(), 'tcpskein-install-'))
const { version } = readJson<{ version: string }>(join(root, 'package.json'))
const staged = stage(join(folder, 'staged'), join(root, 'artifacts'))

let registry: Registry | undefined
let home: Home
const onUnix = process.platform === 'win32' ? test.skip : test

test.before('publish', async t => {
  t.timeout(600_000)
  if (process.platform === 'win32') return
  registry = await startRegistry(join(folder, 'registry'))
  home = makeHome(join(folder, 'home'), registry.url)
  const publish = (path: string) => npm(folder, home, ['publish', path, '--ignore-scripts', '--access', 'public', '--tag', 'latest'])
  for (const dependency of dependencyFolders()) await publish(dependency)
  for (const path of [...staged.platforms.values(), staged.main]) await publish(path)
})

test.after.always(async () => {
  await registry?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** An empty project, in which npm then installs this package. */
async function project(name: string, ...options: string[]): Promise<string> {
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, private: true }))
  await npm(path, home, ['install', 'tcpskein', ...options])
  return path
}

const LOOP = `
  let n = 0
  for await (const flow of observe(process.argv[2], { chains: [basicChain(), tcpChain()] })) n += flow.pkt_fwd
  console.log(n)`

const SCRIPTS: Readonly<Record<string, string>> = {
  'module.mjs': `import { observe, basicChain, tcpChain } from 'tcpskein'${LOOP}`,
  'common.cjs': `const { observe, basicChain, tcpChain } = require('tcpskein')\n;(async () => {${LOOP}\n})()`,
  'typed.ts': `import { observe, basicChain, tcpChain, type FlowRecord } from 'tcpskein'
export type Record = FlowRecord<[ReturnType<typeof basicChain>]>
// @ts-expect-error this column isn't asked for
export const wrong = (record: Record) => record.tcp_connected
let n: number = 0
for await (const flow of observe(process.argv[2]!, { chains: [basicChain(), tcpChain()] })) n += flow.pkt_fwd
console.log(n)`,
}

/** Writes the scripts; the TypeScript one is compiled, as strictly as can be and against the installed types. */
async function writeScripts(t: ExecutionContext, path: string): Promise<string[]> {
  for (const [name, text] of Object.entries(SCRIPTS)) writeFileSync(join(path, name), text)
  const compilerOptions = { strict: true, target: 'es2023', module: 'nodenext', skipLibCheck: false, types: ['node'], outDir: 'out' }
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }))
  writeFileSync(join(path, 'package.json'), JSON.stringify({ ...readJson<object>(join(path, 'package.json')), type: 'module' }))
  // The compiler, and types that don't come with this package, are the checkout's.
  mkdirSync(join(path, 'node_modules', '@types'))
  for (const name of ['@types/node', 'undici-types']) symlinkSync(join(root, 'node_modules', name), join(path, 'node_modules', name))
  const { status, stdout } = await runIn(path, home, process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc')])
  t.is(status, 0, stdout)
  return ['module.mjs', 'common.cjs', join('out', 'typed.js')]
}

onUnix('with the platform’s package: the command, ESM, CommonJS and TypeScript, on each Node', async t => {
  t.timeout(600_000)
  t.is((await runIn(folder, home, 'sh', ['-c', 'command -v cargo rustc'])).stdout, '', 'there is no Rust')
  const path = await project('whole')
  const installed = readJson<{ packages: Record<string, { hasInstallScript?: true }> }>(join(path, 'package-lock.json')).packages
  t.deepEqual(Object.keys(installed).filter(name => installed[name]!.hasInstallScript === true), [], 'nothing is run at installation')
  const addons = Object.keys(installed).filter(name => existsSync(join(path, name, 'package.json')) && /tcpskein-/.test(name))
  t.is(addons.length, 1, `one platform's package: ${addons.join(' ')}`)

  const scripts = await writeScripts(t, path)
  const flows = await collect(observe(samplePath, { chains: [basicChain(), tcpChain()] }))
  const packets = flows.reduce((sum, flow) => sum + flow.pkt_fwd, 0)
  const csv = await runHere(['flows', samplePath, '--format', 'csv', '--quiet'])
  t.true(packets > 0 && csv.status === 0)
  for (const major of NODES) {
    const node = nodeProgram(major)
    if (node.path === undefined) {
      t.log(`skipped: ${node.problem}`)
      continue
    }
    for (const script of scripts)
      t.deepEqual(await runIn(path, home, node.path, [script, samplePath]), { status: 0, stdout: `${packets}\n`, stderr: '' }, `${script} on Node ${major}`)
    const command = join(path, 'node_modules', '.bin', 'tcpskein')
    const found = await runIn(path, home, node.path, [command, 'flows', samplePath, '--format', 'csv', '--quiet'])
    t.deepEqual(found, csv, `the command on Node ${major}`)
  }
  const byName = await runIn(path, home, join(path, 'node_modules', '.bin', 'tcpskein'), ['--version'])
  t.deepEqual(byName, { status: 0, stdout: `${version}\n`, stderr: '' })
})

onUnix('without the platform’s package: one line says which one is missing', async t => {
  t.timeout(300_000)
  const path = await project('bare', '--omit=optional')
  const command = join(path, 'node_modules', '.bin', 'tcpskein')
  const { status, stdout, stderr } = await runIn(path, home, command, ['flows', samplePath])
  t.deepEqual([status, stdout], [1, ''])
  t.regex(stderr, new RegExp(`^tcpskein: the package tcpskein-${process.platform}-${process.arch}\\S* is not installed[^\\n]*npm install tcpskein-\\S+@${version}\\n$`))
  // What the line says, done.
  const [, advice = ''] = /npm (install \S+)\n$/.exec(stderr) ?? []
  await npm(path, home, advice.split(' '))
  t.is((await runIn(path, home, command, ['flows', samplePath, '--quiet'])).status, 0)
})

test('the README’s first command is what was run here', t => {
  t.regex(readFileSync(join(root, 'README.md'), 'utf8'), /^```sh\nnpm install tcpskein\n```$/m)
})
