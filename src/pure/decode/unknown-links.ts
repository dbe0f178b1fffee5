/** How many packets had which unknown link type: the first few types by number, all others in the total only. */

/** Most types told apart. */
const MAX = 4

/** Packets by link type, in order of appearance. */
export class UnknownLinks {
  readonly counts: [link: number, packets: number][] = []

  /** Counts a packet. */
  count(link: number): void {
    const known = this.counts.find(([number]) => number === link)
    if (known !== undefined) known[1] += 1
    else if (this.counts.length < MAX) this.counts.push([link, 1])
  }
}
