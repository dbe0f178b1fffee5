/**
 * A thread that writes files, so that neither the reading nor Node's event loop waits for a disk. In come batches of
 * files, out go answers. One file is open at a time; a write that fails takes back what it wrote, so that a file never
 * ends inside a part.
 */
import { closeSync, ftruncateSync, fstatSync, openSync, rmSync, writeSync, constants } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { FileAnswer, FileBatch, FileJob } from './file-jobs.js'

const { O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } = constants
/** What is not there is not made: a file without its beginning could not be read. */
const FLAGS = { create: O_CREAT | O_EXCL, replace: O_CREAT | O_TRUNC, append: O_APPEND } as const

const { folder } = workerData as { folder: string }

parentPort!.on('message', ({ jobs, octets }: FileBatch) => {
  const failures: [number, string][] = []
  let at = 0
  for (const [i, job] of jobs.entries()) {
    try {
      write(job, new Uint8Array(octets, at, job.length))
    } catch (error) {
      failures.push([i, (error as Error).message])
    }
    at += job.length
  }
  parentPort!.postMessage({ failures, octets } satisfies FileAnswer, [octets])
})

function write({ name, mode }: FileJob, octets: Uint8Array): void {
  const path = join(folder, name)
  const file = openSync(path, O_WRONLY | FLAGS[mode], 0o666)
  const before = mode === 'append' ? fstatSync(file).size : 0
  try {
    for (let at = 0; at < octets.length; ) at += writeSync(file, octets, at)
  } catch (error) {
    if (mode === 'append') ftruncateSync(file, before)
    else rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}
