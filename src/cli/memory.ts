/** Less memory for commands that go through much of what lives shortly. */
import { setFlagsFromString } from 'node:v8'

/**
 * Keeps the part of the heap for new objects as small as it begins. It grows to 32 MiB otherwise where objects pile up
 * for a moment, as parts of streams do while a disk is slow, and stays at that. No time was lost by it (measured).
 */
export function keepNewSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
