/** Standard output that waits for who reads it, and fails once nobody does. */
import { once } from 'node:events'

/** Standard output, open. */
export interface Stdout {
  /** It is a terminal that shows colours. */
  readonly colors: boolean
  /** Writes; the promise is there to be waited for only when who reads is slow. */
  write(octets: string | Uint8Array): Promise<void> | undefined
  /** Waits until all is out. */
  end(): Promise<void>
}

/** Opens it. */
export function openStdout(): Stdout {
  const { stdout } = process
  const closed = new Promise<never>((_, reject) => stdout.once('error', reject))
  closed.catch(() => {})
  const drained = async () => {
    await Promise.race([once(stdout, 'drain'), closed])
  }
  return {
    colors: stdout.isTTY === true && stdout.hasColors(),
    write(octets) {
      if (octets.length === 0 || stdout.write(octets)) return undefined
      return drained()
    },
    // An empty write is called back when all before it is out, or with the error that stopped it.
    end: () => new Promise<void>((resolve, reject) => stdout.write('', error => (error ? reject(error) : resolve()))),
  }
}
