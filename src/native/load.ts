/**
 * Finds the native addon: the one that was built in a checkout, else the one of the package for this platform, which npm
 * installs as an optional dependency. Nothing is loaded before it is asked for. Where there is none, the error says
 * exactly what is missing.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as Binding from '../binding/index.js'
import { EngineError } from '../errors.js'

/** What the addon gives. */
export type NativeBinding = typeof Binding

/** Platforms that there are addons for, as the packages `tcpskein-…` are named. */
export const PLATFORMS: readonly string[] = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
]

/** Where modules are looked for, and what this system is; tests say otherwise. */
export interface Surroundings {
  /** Node's `require`, from this module's place in the package. */
  require: NodeJS.Require
  platform: string
  env: Readonly<Record<string, string | undefined>>
}

let loaded: NativeBinding | undefined

/**
 * The addon, loaded once.
 *
 * @throws {@link EngineError} `ERR_NATIVE_MISSING`: there is none, or it can't be loaded
 */
export function loadBinding(): NativeBinding {
  return (loaded ??= search(platformName()))
}

function search(platform: string): NativeBinding {
  return builtBinding(platform) ?? findBinding({ require: createRequire(import.meta.url), platform, env: process.env })
}

/** Where a checkout has its addon: beside this module's folder in the sources, else seen from a bundle in dist/. */
const BUILT = ['../binding', '../src/binding']

/** The addon of a checkout, unless another one was chosen. Without `require`, which takes four times as long. */
function builtBinding(platform: string): NativeBinding | undefined {
  if (process.env.NAPI_RS_NATIVE_LIBRARY_PATH) return undefined
  const paths = BUILT.map(folder => fileURLToPath(new URL(`${folder}/tcpskein.${platform}.node`, import.meta.url)))
  const path = paths.find(existsSync)
  if (path === undefined) return undefined
  return trying(path, () => {
    const addon = { exports: {} }
    process.dlopen(addon, path)
    return addon.exports
  })
}

/**
 * As {@link loadBinding}, among installed packages.
 *
 * @throws {@link EngineError} `ERR_NATIVE_MISSING`
 */
export function findBinding({ require, platform, env }: Surroundings): NativeBinding {
  const chosen = env.NAPI_RS_NATIVE_LIBRARY_PATH
  if (chosen) return trying(chosen, () => require(chosen))
  if (!PLATFORMS.includes(platform))
    throw missing(`there is no native addon for ${platform}, only for ${PLATFORMS.join(', ')}`)
  const name = `tcpskein-${platform}`
  const [found, wanted] = [versionIn(require, `${name}/package.json`), versionIn(require, 'tcpskein/package.json')]
  if (found === undefined) {
    const reason = 'npm leaves optional dependencies out with --omit=optional, or when node_modules was made on another system'
    throw missing(`the package ${name} is not installed, which holds the native addon (${reason}): npm install ${name}@${wanted}`)
  }
  if (found !== wanted)
    throw missing(`the package ${name} is version ${found}, but tcpskein ${wanted} needs the same version: npm install ${name}@${wanted}`)
  return trying(name, () => require(name))
}

function trying(id: string, load: () => unknown): NativeBinding {
  try {
    return load() as NativeBinding
  } catch (error) {
    // The system's words name the file and, for example, the library that it lacks.
    const [line] = String((error as { message?: unknown } | null)?.message ?? error).split('\n')
    throw missing(`the native addon ${id} can't be loaded: ${line}`, error)
  }
}

const missing = (message: string, cause?: unknown): EngineError =>
  new EngineError('ERR_NATIVE_MISSING', message, cause === undefined ? {} : { cause })

function resolved(require: NodeJS.Require, id: string): string | undefined {
  try {
    return require.resolve(id)
  } catch {
    return undefined
  }
}

function versionIn(require: NodeJS.Require, id: string): string | undefined {
  return resolved(require, id) === undefined ? undefined : (require(id) as { version: string }).version
}

/** This system, as napi-rs names it. */
function platformName(): string {
  const name = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') return `${name}-msvc`
  return process.platform === 'linux' ? `${name}-${isMusl() ? 'musl' : 'gnu'}` : name
}

/** Node itself is linked to the libc that counts: its interpreter's name stands in the first octets of the program. */
function isMusl(): boolean {
  try {
    const head = Buffer.alloc(4096)
    const file = openSync(process.execPath, 'r')
    const length = readSync(file, head)
    closeSync(file)
    return head.subarray(0, length).includes('/ld-musl-')
  } catch {
    // A program that may be run but not read: then the usual one.
    return false
  }
}
