/** Runs jobs over a capture: first that they agree, then how long they take. */
import type { Found, Job } from './bench-jobs.js'

/** A job's times in seconds, every one of them. */
export interface Timed {
  readonly job: string
  readonly kind: Job['kind']
  readonly found: Found
  readonly samples: readonly number[]
}

/** Engines that found different things: nothing is timed then. */
export class Disagreement extends Error {}

/**
 * Each job once to compare what they find, which also warms the page cache and the compiler; then all of them in turn
 * `rounds` times, so that a slow minute of the machine falls on all alike.
 *
 * @throws {@link Disagreement} where two jobs of a kind find different things
 */
export async function measure(
  path: string,
  jobs: readonly Job[],
  rounds: number,
  tell: (job: string, round: number) => void,
): Promise<Timed[]> {
  const found = new Map<Job, Found>()
  for (const job of jobs) {
    tell(job.name, 0)
    found.set(job, await job.run(path))
    compare(job, found)
  }
  const samples = new Map<Job, number[]>(jobs.map(job => [job, []]))
  for (let round = 1; round <= rounds; round++)
    for (const job of jobs) {
      tell(job.name, round)
      const start = performance.now()
      await job.run(path)
      samples.get(job)!.push((performance.now() - start) / 1000)
    }
  return jobs.map(job => ({ job: job.name, kind: job.kind, found: found.get(job)!, samples: samples.get(job)! }))
}

function compare(job: Job, found: ReadonlyMap<Job, Found>): void {
  const [mine, text] = [found.get(job), JSON.stringify(found.get(job))]
  for (const [other, theirs] of found)
    if (other.kind === job.kind && theirs !== mine && JSON.stringify(theirs) !== text)
      throw new Disagreement(`${job.name} found ${text}, but ${other.name} ${JSON.stringify(theirs)}`)
}
