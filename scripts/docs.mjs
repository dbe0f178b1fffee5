// Writes the API reference, of TypeScript to target/docs/api and of Rust to target/doc: `npm run docs`. A warning is a
// failure. With --check nothing is written for TypeScript; that is how `npm run lint` asks.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './tools.mjs'

/** @param {string} command @param {string[]} args @param {Record<string, string>} [env] */
const succeeds = (command, args, env = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0

/** From the comments of src/. @param {boolean} check */
export function typeScriptReference(check) {
  const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc')
  return succeeds(process.execPath, [typedoc, '--logLevel', 'Warn', ...(check ? ['--emit', 'none'] : [])])
}

/** From the comments of crates/. */
export function rustReference() {
  return succeeds('cargo', ['doc', '--workspace', '--no-deps', '--quiet'], { RUSTDOCFLAGS: '-D warnings' })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check')
  const results = [typeScriptReference(check), rustReference()]
  if (!check) console.log('target/docs/api/index.html\ntarget/doc/tcpskein_core/index.html')
  process.exitCode = results.every(Boolean) ? 0 : 1
}
