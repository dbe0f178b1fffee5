// Where the tests find things: the repository, its fixtures, and captures that are not part of it.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The shipped capture. */
export const samplePath = join(root, 'examples', 'captures', 'sample.pcap')

/** A generated capture. */
export const fixture = (name: string): string => join(root, '__test__', 'fixtures', 'captures', name)

/** Reads JSON. The caller says what it holds. */
export const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

/**
 * The folder of real captures with independent answers, or null where it isn't there: `TCPSKEIN_CORPUS`, else
 * `../shared/corpus` beside the repository.
 */
export function corpusFolder(): string | null {
  const folder = process.env.TCPSKEIN_CORPUS ?? resolve(root, '..', 'shared', 'corpus')
  return existsSync(join(folder, 'dev', 'MANIFEST.json')) ? folder : null
}

/** What a test logs when it can't run without that folder. */
export const NO_CORPUS = 'skipped: the folder of real captures is not there (set TCPSKEIN_CORPUS)'
