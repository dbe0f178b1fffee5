// What the scripts share: the repository's root, running a program, and a fingerprint of source files.
// Node's own modules only (see prepare.mjs).
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root, without a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** What the addon is made from. Tests and benches are left out: they don't change it. */
export const NATIVE_SOURCES = {
  paths: ['Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'crates/core', 'crates/node'],
  skip: /(^|\/)(tests|benches|examples|target)(\/|$)/,
}

/** @param {string} text one line of progress, to stderr */
export const say = text => console.error(`prepare: ${text}`)

/**
 * Runs a program from the root, its output on our stderr; ends this process with the program's status if it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  if (status === 0) return
  console.error(`prepare: ${command} ${args.join(' ')}: ${error?.message ?? signal ?? `exit status ${status}`}`)
  process.exit(exitCode(status, signal))
}

/**
 * The exit status that a shell would give for a program that ended so.
 *
 * @param {number | null} status
 * @param {NodeJS.Signals | null} signal
 * @returns {number}
 */
export const exitCode = (status, signal) => status ?? (signal ? 128 + constants.signals[signal] : 1)

/**
 * A hash over names and contents of files; missing files count as missing.
 *
 * @param {{ paths: string[], skip: RegExp }} sources files and folders relative to the root, and what to leave out
 * @returns {string} 64 hex digits
 */
export function fingerprint({ paths, skip }) {
  const hash = createHash('sha256')
  for (const path of paths.flatMap(start => filesBelow(start, skip))) {
    const content = readFileSync(join(root, path))
    hash.update(`${path}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/**
 * @param {string} path
 * @param {RegExp} skip
 * @returns {string[]}
 */
function filesBelow(path, skip) {
  const full = join(root, path)
  if (skip.test(path) || !existsSync(full)) return []
  if (!statSync(full).isDirectory()) return [path]
  return readdirSync(full).toSorted().flatMap(name => filesBelow(`${path}/${name}`, skip))
}
