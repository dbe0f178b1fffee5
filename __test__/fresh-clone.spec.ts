// What the README tells to do in a checkout, done in a fresh one: the files of this one as git has them, and nothing that
// was installed or built. Takes minutes, so it runs when asked to: `TCPSKEIN_FRESH_CLONE=1`, as .ci/run does.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import type { Run } from './support/cli.js'
import { root } from './support/places.js'
import { expectedSample } from './support/sample.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-clone-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** Copies what a clone would have, changes that aren't committed included; null where this is no checkout. */
function clone(): string | null {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  if (listed.status !== 0) return null
  const path = join(folder, 'clone')
  for (const name of listed.stdout.split('\0').filter(name => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    cpSync(join(root, name), join(path, name), { force: true })
  }
  return path
}

function runIn(cwd: string, line: string): Promise<Run> {
  // What the packages of others were compiled to is taken from here: that they can be built is not in question.
  const env = { ...process.env, CARGO_TARGET_DIR: join(root, 'target') }
  for (const name of Object.keys(env).filter(name => name.startsWith('npm_'))) delete (env as NodeJS.ProcessEnv)[name]
  return new Promise((settle, reject) => {
    const child = spawn(line, { cwd, env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', chunk => (stdout += String(chunk)))
    child.stderr.on('data', chunk => (stderr += String(chunk)))
    child.on('error', reject)
    child.on('close', status => settle({ status, stdout, stderr }))
  })
}

test('npm run demo in a fresh clone: builds what is missing, then prints the flows', async t => {
  if (process.env.TCPSKEIN_FRESH_CLONE === undefined) {
    t.log('skipped: takes minutes; TCPSKEIN_FRESH_CLONE=1 runs it, and .ci/run does')
    t.pass()
    return
  }
  t.timeout(1_200_000)
  const path = clone()
  if (path === null) {
    t.log('skipped: this is no git checkout')
    t.pass()
    return
  }
  const { status, stdout, stderr } = await runIn(path, 'npm run demo')
  t.is(status, 0, stderr)
  t.regex(stderr, /installing the npm packages[^]*building the native addon[^]*compiling the TypeScript/)
  const [header, ...rows] = stdout.split('\n').filter(line => line !== '' && !line.startsWith('>'))
  t.regex(header!, /^flow_id .* sip .* tcp_connected/)
  t.is(rows.length, expectedSample.flows.length)
  // Once all is there, nothing is built again.
  const again = await runIn(path, 'npm run --silent demo')
  t.is(again.status, 0, again.stderr)
  t.notRegex(again.stderr, /prepare:/)
})
