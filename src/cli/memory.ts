/** Less memory for commands that go through much of what lives shortly. */
import { setFlagsFromString } from 'node:v8'

/** Milliseconds in which threads start, and how often the flag is set meanwhile. */
const STARTING = 2000
const AGAIN = 20

/**
 * Keeps the part of the heap for new objects about as small as it begins. It grows to 32 MiB otherwise where objects pile
 * up for a moment, as parts of streams do while a disk is slow, and stays at that. No time was lost by it (measured).
 */
export function keepNewSpaceSmall(): void {
  set()
  // V8 sets it back whenever a thread begins, and those that write files begin soon.
  const again = setInterval(set, AGAIN).unref()
  setTimeout(() => clearInterval(again), STARTING).unref()
}

function set(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
