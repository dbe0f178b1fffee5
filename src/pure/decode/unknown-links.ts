/** How many packets had which unknown link type: the first types by number, all others in the total only. */

/** Most types told apart: a capture with more of them was made by hand. */
export const MAX_UNKNOWN_LINKS = 64

/** Packets by link type, in order of appearance. */
export class UnknownLinks {
  readonly counts: [link: number, packets: number][] = []

  /** Counts a packet. */
  count(link: number): void {
    const known = this.counts.find(([number]) => number === link)
    if (known !== undefined) known[1] += 1
    else if (this.counts.length < MAX_UNKNOWN_LINKS) this.counts.push([link, 1])
  }
}
