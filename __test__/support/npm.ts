// Runs npm and Node as someone would who has nothing else: no Rust, no settings, an empty cache.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { npmProgram } from '../../scripts/node-versions.mjs'
import type { Run } from './cli.js'
import { readJson, root } from './places.js'

/** A home folder and a path that holds Node and a shell only. */
export interface Home {
  env: Record<string, string>
}

/** Makes one below `folder`; packages come from, and go to, `registry`. */
export function makeHome(folder: string, registry: string): Home {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync('/bin/sh', join(bin, 'sh'))
  symlinkSync(process.execPath, join(bin, 'node'))
  // npm wants some name and password before it publishes; the registry takes anybody.
  const host = registry.replace(/^http:/, '')
  writeFileSync(join(folder, '.npmrc'), `registry=${registry}\n${host}/:_authToken=nobody\naudit=false\nfund=false\nupdate-notifier=false\n`)
  return { env: { HOME: folder, PATH: bin, npm_config_cache: join(folder, 'cache'), npm_config_registry: registry } }
}

/** Runs a program to its end. */
export function runIn(cwd: string, { env }: Home, command: string, args: readonly string[]): Promise<Run> {
  return new Promise((settle, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', text => (stdout += String(text)))
    child.stderr.setEncoding('utf8').on('data', text => (stderr += String(text)))
    child.on('error', reject)
    child.on('close', status => settle({ status, stdout, stderr }))
  })
}

/** Runs npm; a failure is an error with all that npm said. */
export async function npm(cwd: string, home: Home, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runIn(cwd, home, process.execPath, [npmProgram(), ...args])
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: status ${status}\n${stdout}${stderr}`)
  return stdout
}

interface Manifest {
  dependencies?: Record<string, string>
}

/** The folders of all packages that the one in `folder` needs, and that those need, as they lie in node_modules. */
export function dependencyFolders(folder = root, found = new Set<string>()): Set<string> {
  const { dependencies = {} } = readJson<Manifest>(join(folder, 'package.json'))
  for (const name of Object.keys(dependencies)) {
    const place = installedAt(folder, name)
    if (found.has(place)) continue
    found.add(place)
    dependencyFolders(place, found)
  }
  return found
}

/** Where a package that asks from `folder` finds another one. */
function installedAt(folder: string, name: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const place = join(at, 'node_modules', name)
    if (existsSync(place)) return place
    if (at === dirname(at)) throw new Error(`${name} is not installed`)
  }
}
