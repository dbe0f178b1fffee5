/** Exit statuses: all well, a capture that could not be read in full, bad usage. */
export const EXIT = { ok: 0, capture: 1, usage: 2 } as const
