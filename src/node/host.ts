/** Node as the pure engine's host: files and the system's sentences for what goes wrong with them. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { getSystemErrorMap } from 'node:util'
import type { Input } from '../pure/capture/input.js'
import { ioError } from '../pure/error.js'
import type { Host, Inflate } from '../pure/host.js'
import type { Hash } from '../pure/sha256.js'

/** Node's files, and whatever Node can decode. */
export const nodeHost: Host = {
  openFile: path => new FileInput(path),
  decoder: () => null,
  // Loaded here, because few need it.
  inflate: () => createRequire(import.meta.url)('pako') as Inflate,
  beginSha256,
  yield: () => setImmediate(),
}

/** Begins a SHA-256. Node's module is loaded here, because few need it and loading takes milliseconds. */
export function beginSha256(): Hash {
  return process.getBuiltinModule('node:crypto').createHash('sha256')
}

/** A regular file, read in order. */
class FileInput implements Input {
  #file: number | undefined
  #position = 0

  constructor(path: string) {
    this.#file = attempt('open', () => openSync(path, 'r'))
    if (!attempt('open', () => fstatSync(this.#file!)).isDirectory()) return
    this.close()
    throw ioError('read', 'it is a directory')
  }

  fill(out: Uint8Array, at: number): number {
    const file = this.#file
    if (file === undefined) return 0
    const read = attempt('read', () => readSync(file, out, at, out.length - at, null))
    this.#position += read
    return read
  }

  position(): number {
    return this.#position
  }

  compression(): null {
    return null
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

function attempt<T>(op: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw ioError(op, sentence(error), error)
  }
}

/** The system's sentence for an error, as other programs write it. */
function sentence(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]
  if (known === undefined) return message
  return known.charAt(0).toUpperCase() + known.slice(1)
}
