// Which frames belong to which traced flow, by a naive walk over what another tool says of each frame.

/** What is known of a TCP frame. */
export interface SeenFrame {
  number: number
  /** `address port` of either end. */
  from: string
  to: string
  syn: boolean
  ack: boolean
  rst: boolean
  fin: boolean
  seq: number
  /** Frames of fragments that it completes. */
  fragments: readonly number[]
}

/** Frame numbers of each flow: one direction, until its FIN or a SYN with another number. In order of first frames. */
export function naiveFlows(frames: readonly SeenFrame[]): number[][] {
  const all: number[][] = []
  const open = new Map<string, { frames: number[]; isn: number | undefined; latest: number }>()
  for (const { number, from, to, syn, rst, fin, seq, fragments } of frames) {
    const key = `${from} > ${to}`
    let flow = open.get(key)
    // A SYN that comes up to a mebioctet after its data is late, not new.
    const overtaken = flow !== undefined && flow.isn === undefined && ((flow.latest - seq - 1) >>> 0) <= 1 << 20
    if (flow && syn && !rst && flow.isn !== seq && !overtaken) flow = undefined
    if (!flow) {
      flow = { frames: [], isn: undefined, latest: seq }
      open.set(key, flow)
      all.push(flow.frames)
    }
    if (syn) flow.isn ??= seq
    flow.latest = seq
    flow.frames.push(...fragments, number)
    if (fin) open.delete(key)
  }
  return all
}
