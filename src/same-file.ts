/** Outputs that are inputs too. */
import { fstatSync, readdirSync, statSync, type BigIntStats } from 'node:fs'
import { join } from 'node:path'
import { OptionError } from './errors.js'

/** What writers of many files call them: `ADDRESS_PORT-ADDRESS_PORT-TIME…`. */
const NAMED_BY_FLOW = /_\d+-.+_\d+-/

/**
 * Refuses to write to a file that is read, whatever it is called there.
 *
 * @param inputs paths; `-` is standard input
 * @throws {@link OptionError}
 */
export function refuseInput(output: string | undefined, inputs: readonly string[]): void {
  if (output === undefined || output === '-') return
  if (identities(inputs).has(identity(output) ?? '')) refuse(output)
}

/**
 * Refuses to write files that are named by flows to a folder where one of those is read.
 *
 * @throws {@link OptionError}
 */
export function refuseInputIn(folder: string, inputs: readonly string[]): void {
  const read = identities(inputs)
  for (const name of read.size > 0 ? namesIn(folder) : []) {
    const path = join(folder, name)
    if (NAMED_BY_FLOW.test(name) && read.has(identity(path) ?? '')) refuse(path)
  }
}

function refuse(path: string): never {
  throw new OptionError(`${path}: this file is an input, and would be overwritten`)
}

function identities(paths: readonly string[]): Set<string> {
  return new Set(paths.flatMap(path => identity(path) ?? []))
}

/** Device and inode of a file; devices and pipes lose nothing. */
function identity(path: string): string | undefined {
  const found = stats(path)
  return found?.isFile() ? `${found.dev}:${found.ino}` : undefined
}

function stats(path: string): BigIntStats | undefined {
  try {
    return path === '-' ? fstatSync(0, { bigint: true }) : statSync(path, { bigint: true })
  } catch {
    // What can't be looked at says so where it is opened.
    return undefined
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
