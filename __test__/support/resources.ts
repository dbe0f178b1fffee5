// What this process holds of the system, where the system tells (Linux): open files and threads.
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The system tells. */
export const canCount: boolean = process.platform === 'linux'

/** Names of open files that are `path`. */
export const openFiles = (path: string): number => openNames().filter(name => name === path).length

/** Names of open files in a folder. */
export const openFilesIn = (folder: string): number => openNames().filter(name => name.startsWith(join(folder, '/'))).length

function openNames(): string[] {
  return readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
}

/** Threads of this process. */
export const threads = (): number => readdirSync('/proc/self/task').length

/** Waits until `found` gives `wanted`, at most two seconds; the last answer. */
export async function settled(found: () => number, wanted: number): Promise<number> {
  const end = performance.now() + 2000
  while (found() !== wanted && performance.now() < end) await sleep(5)
  return found()
}

/** Threads beyond `before`, when they have had time to end: fewer than before is right too, as one may just have been ending. */
export const threadsLeft = async (before: number): Promise<number> => {
  const more = () => Math.max(threads() - before, 0)
  // A busy machine takes its time.
  for (let tries = 0; tries < 4 && more() > 0; tries++) await settled(more, 0)
  return more()
}
