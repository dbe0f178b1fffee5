// The search for the native addon: which package is asked for, and what is said where there is none.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { EngineError } from '../src/index.js'
import { PLATFORMS, findBinding, loadBinding } from '../src/native/load.js'
import { readJson, root } from './support/places.js'

const folder = mkdtempSync(join(tmpdir(), 'tcpskein-load-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** A project with version 1.2.3 of this package, and what else is said; the `require` of the module that searches. */
function project(name: string, packages: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): NodeJS.Require {
  const modules = join(folder, name, 'node_modules')
  const own = { name: 'tcpskein', version: '1.2.3', exports: { './package.json': './package.json' } }
  const all = { tcpskein: { 'package.json': JSON.stringify(own) }, ...packages }
  for (const [module, files] of Object.entries(all)) {
    mkdirSync(join(modules, module), { recursive: true })
    for (const [file, content] of Object.entries(files)) writeFileSync(join(modules, module, file), content)
  }
  return createRequire(join(modules, 'tcpskein', 'dist', 'index.js'))
}

const platformPackage = (platform: string, version: string): Record<string, string> => ({
  'package.json': JSON.stringify({ name: `tcpskein-${platform}`, version, main: `tcpskein.${platform}.node` }),
  [`tcpskein.${platform}.node`]: 'no addon at all',
})

function refusal(t: ExecutionContext, require: NodeJS.Require, platform: string, env = {}): EngineError {
  const error = t.throws(() => findBinding({ require, platform, env }), { instanceOf: EngineError, code: 'ERR_NATIVE_MISSING' })
  t.notRegex(error.message, /\n/, 'one line')
  return error
}

test('the package is not installed: its name, its version, and how to get it', t => {
  for (const platform of PLATFORMS) {
    const { message } = refusal(t, project('empty'), platform)
    t.regex(message, new RegExp(`^the package tcpskein-${platform} is not installed.*: npm install tcpskein-${platform}@1\\.2\\.3$`))
  }
})

test('the package is of another version', t => {
  const require = project('other', { 'tcpskein-darwin-arm64': platformPackage('darwin-arm64', '1.2.2') })
  t.regex(refusal(t, require, 'darwin-arm64').message, /^the package tcpskein-darwin-arm64 is version 1\.2\.2, but tcpskein 1\.2\.3 needs/)
})

test('a system that there is no addon for', t => {
  t.regex(refusal(t, project('empty'), 'freebsd-x64').message, /^there is no native addon for freebsd-x64, only for linux-x64-gnu, /)
})

test('a file that the system can not load: its words, and the cause', t => {
  const require = project('broken', { 'tcpskein-linux-x64-gnu': platformPackage('linux-x64-gnu', '1.2.3') })
  const error = refusal(t, require, 'linux-x64-gnu')
  t.regex(error.message, /^the native addon tcpskein-linux-x64-gnu can't be loaded: \S/)
  t.true(error.cause instanceof Error)
})

test('a path of the user’s own comes first', t => {
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: join(folder, 'nowhere.node') }
  t.regex(refusal(t, project('empty'), 'linux-x64-gnu', env).message, /nowhere\.node can't be loaded: Cannot find module/)
})

test('the addon of this checkout is found, once', t => {
  t.is(typeof loadBinding().NativeReader, 'function')
  t.is(loadBinding(), loadBinding())
})

test('npm/ holds a package for each platform, as napi makes them', t => {
  const { version } = readJson<{ version: string }>(join(root, 'package.json'))
  t.deepEqual(readdirSync(join(root, 'npm')).toSorted(), PLATFORMS.toSorted())
  const copy = join(folder, 'napi')
  mkdirSync(copy)
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  const napi = join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js')
  const { status, stderr } = spawnSync(process.execPath, [napi, 'create-npm-dirs'], { cwd: copy, encoding: 'utf8' })
  t.is(status, 0, stderr)
  for (const platform of PLATFORMS) {
    for (const file of ['package.json', 'README.md']) {
      const made = readFileSync(join(copy, 'npm', platform, file), 'utf8')
      t.is(readFileSync(join(root, 'npm', platform, file), 'utf8').trim(), made.trim(), `${platform}/${file}: napi create-npm-dirs writes it anew`)
    }
    t.is(readJson<{ version: string }>(join(root, 'npm', platform, 'package.json')).version, version)
  }
})
