/** Ctrl-C: the first one ends what runs cleanly; a second one ends the program as it always does. */

/** Calls `finish` once; the function that it gives takes that back. */
export function onInterrupt(finish: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, finish)
  return () => {
    for (const signal of signals) process.removeListener(signal, finish)
  }
}
