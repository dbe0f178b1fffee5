// A package registry of the test's own: it holds what was published to it, and asks no other.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './places.js'
import { freePort } from './ports.js'

/** A registry that answers. */
export interface Registry {
  url: string
  stop(): Promise<void>
}

/** Starts one that keeps its packages below `folder`. */
export async function startRegistry(folder: string): Promise<Registry> {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const config = join(folder, 'config.json')
  // No uplinks: a package that wasn't published here is not found.
  const packages = { '**': { access: '$all', publish: '$all' } }
  const auth = { htpasswd: { file: join(folder, 'users') } }
  const settings = { storage: join(folder, 'storage'), auth, packages, web: { enable: false }, log: { type: 'stdout', level: 'warn' } }
  // Both the package list and the tarballs are larger than the default allows for one request.
  writeFileSync(config, JSON.stringify({ ...settings, max_body_size: '100mb' }))
  const program = join(root, 'node_modules', 'verdaccio', 'bin', 'verdaccio')
  const address = `127.0.0.1:${port}`
  const child = spawn(process.execPath, [program, '--config', config, '--listen', address], { stdio: ['ignore', 'pipe', 'pipe'] })
  const url = `http://${address}`
  await answers(url, child)
  return { url, stop: () => stop(child) }
}

/** Waits for the first answer, at most two minutes; fails with what the program said when it ends before. */
async function answers(url: string, child: ChildProcess): Promise<void> {
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', text => (said += String(text)))
  for (let i = 0; i < 480; i += 1) {
    if (child.exitCode !== null) throw new Error(`the registry ended: ${said}`)
    const found = await fetch(`${url}/-/ping`).then(response => response.ok, () => false)
    if (found) return
    await new Promise(resolve => setTimeout(resolve, 250))
  }
  throw new Error(`the registry doesn't answer: ${said}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill()
  await once(child, 'exit')
}
