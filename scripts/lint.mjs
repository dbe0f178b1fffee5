// Every check that needs no test run: formatting, clippy, oxlint, types, and two rules about what may be in the tree.
// All of them run, so that one pass shows all there is to mend.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rustReference, typeScriptReference } from './docs.mjs'
import { root } from './tools.mjs'

const node = (/** @type {string[]} */ ...args) => () => passes(process.execPath, args)
// Some systems package rustfmt and clippy apart from cargo.
const cargo = (/** @type {string[]} */ ...args) => () =>
  spawnSync('cargo', [args[0] ?? '', '--version'], { cwd: root, stdio: 'ignore' }).status === 0
    ? passes('cargo', args)
    : null

/**
 * A check answers whether it passed, or null where its tool is missing.
 *
 * @type {[name: string, check: () => boolean | null][]}
 */
const CHECKS = [
  ['rustfmt', cargo('fmt', '--all', '--check')],
  ['clippy', cargo('clippy', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings')],
  ['oxlint', node('node_modules/oxlint/bin/oxlint', '--deny-warnings')],
  ['tsc', node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json')],
  ['tsc, page', node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.page.json')],
  ['typedoc', () => typeScriptReference(true)],
  ['rustdoc', rustReference],
  ['core has no napi', coreIsPure],
  ['lock file names no host', lockIsNeutral],
]

/** @param {string} command @param {string[]} args */
function passes(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  return status === 0
}

/** The core is plain Rust: the binding depends on it, never the other way. */
function coreIsPure() {
  const { status, stdout } = spawnSync('cargo', ['tree', '-p', 'tcpskein-core', '--prefix', 'none', '-e', 'normal'], {
    cwd: root,
    encoding: 'utf8',
  })
  return status === 0 && !/^napi/m.test(stdout)
}

/** package-lock.json holds versions and checksums only, so that it serves behind any registry. */
function lockIsNeutral() {
  return !readFileSync(join(root, 'package-lock.json'), 'utf8').includes('"resolved"')
}

const VERDICT = { true: 'ok     ', false: 'FAILED ', null: 'skipped' }
const failed = CHECKS.filter(([name, check]) => {
  const good = check()
  console.log(`${VERDICT[`${good}`]} ${name}${good === null ? ': not installed' : ''}`)
  return good === false
})
process.exitCode = failed.length === 0 ? 0 : 1
