// Other versions of Node, and of other machines, from the npm registry; kept, so that they are fetched once.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './tools.mjs'

const SYSTEM = process.platform === 'win32' ? 'win' : process.platform

/** npm's program: the one that started us, else the one beside Node, else the one on the path. */
export function npmProgram() {
  const started = process.env.npm_execpath
  if (started?.endsWith('npm-cli.js') && existsSync(started)) return started
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')
  if (existsSync(beside)) return beside
  const { stdout } = spawnSync('npm', ['root', '--global'], { encoding: 'utf8', shell: process.platform === 'win32' })
  return join(stdout.trim(), 'npm', 'bin', 'npm-cli.js')
}

/**
 * The program of the newest Node of a line.
 *
 * @param {string} major for example '22'
 * @param {string} [arch] as in `process.arch`
 * @returns {{ path: string, problem?: undefined } | { path?: undefined, problem: string }} where it is, or in one line
 *   why there is none
 */
export function nodeProgram(major, arch = process.arch) {
  if (arch === process.arch && process.versions.node.startsWith(`${major}.`)) return { path: process.execPath }
  const name = `node-${SYSTEM}-${arch}`
  const folder = join(root, 'node_modules', '.cache', 'tcpskein', `${name}-${major}`)
  const path = join(folder, 'node_modules', name, 'bin', SYSTEM === 'win' ? 'node.exe' : 'node')
  if (existsSync(path)) return { path }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  // --force: a program for another machine is what is wanted.
  const args = ['install', '--no-save', '--force', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${major}`]
  const { status, stderr } = spawnSync(process.execPath, [npmProgram(), ...args], { cwd: folder, encoding: 'utf8' })
  if (status === 0 && existsSync(path)) return { path }
  return { problem: `Node ${major} for ${arch} can't be fetched: ${stderr.trim().split('\n')[0]}` }
}
