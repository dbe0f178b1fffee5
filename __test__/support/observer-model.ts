// A naive model of the flow table: lists searched from end to end, one second at a time. It follows what PATHspider's
// Observer does, with three differences, where that loses or mixes flows:
// - a flow that goes idle stays for late packets counted from the second at which it went idle, not from the packet
//   before that;
// - timers that are due in the past (packets out of order in time) fire at the next tick, not never;
// - what PATHspider leaves to the order of a set is ordered here: by the number of the flow.

/** A packet of a flow: the 5-tuple in either direction. */
export interface ModelPacket {
  at: number
  src: string
  dst: string
  ports: [number, number]
  /** A chain says that the flow is complete after this packet. */
  completes: boolean
}

/** What the model says of a flow. */
export interface ModelFlow {
  flow_id: number
  sip: string
  sp: number
  first: number
  last: number
  pkt_fwd: number
  pkt_rev: number
  end_reason: 'complete' | 'idle' | 'flush' | 'evicted'
}

interface Open extends ModelFlow {
  key: string
  /** Second at which it goes idle, or is emitted once it expires. */
  due: number
  isExpiring: boolean
  /** Its place among the flows that completed. */
  completed: number
}

/** Limits of a table. */
export interface ModelOptions {
  idleTimeout: number
  expiryTimeout: number
  maxFlows?: number
}

const ends = (packet: ModelPacket): [string, string] => [`${packet.src} ${packet.ports[0]}`, `${packet.dst} ${packet.ports[1]}`]

/** The flow records of the packets, in the order in which flows end. */
export function modelFlows(packets: readonly ModelPacket[], options: ModelOptions): ModelFlow[] {
  const { idleTimeout, expiryTimeout, maxFlows = Infinity } = options
  const open: Open[] = []
  const ended: ModelFlow[] = []
  let clock: number | undefined
  let opened = 0
  let completed = 0
  const inOrder = (flows: readonly Open[]) => flows.toSorted((a, b) => a.due - b.due || a.flow_id - b.flow_id)
  const emit = (flow: Open) => {
    open.splice(open.indexOf(flow), 1)
    const { key: _, due: _due, isExpiring: _isExpiring, completed: _completed, ...record } = flow
    ended.push(record)
  }
  const expire = (flow: Open, now: number, reason: ModelFlow['end_reason']) =>
    Object.assign(flow, { isExpiring: true, end_reason: reason, due: Math.ceil(now + expiryTimeout), completed: completed++ })
  const tick = (second: number) => {
    for (const flow of open) if (!flow.isExpiring && flow.due <= second) expire(flow, flow.due, 'idle')
    for (const flow of inOrder(open)) if (flow.isExpiring && flow.due <= second) emit(flow)
  }
  /** Makes room: first the flow that would be emitted first, else the one seen least recently. */
  const evict = () => {
    const expiring = open.filter(flow => flow.isExpiring).toSorted((a, b) => a.due - b.due || a.completed - b.completed)
    const [oldest] = open.toSorted((a, b) => a.last - b.last)
    if (expiring.length === 0) oldest!.end_reason = 'evicted'
    emit(expiring[0] ?? oldest!)
  }

  for (const packet of packets) {
    const second = Math.ceil(packet.at)
    if (clock !== undefined && second > clock) tick(second)
    clock = Math.max(clock ?? second, second)
    const [from, to] = ends(packet)
    let flow = open.find(({ key }) => key === `${from}>${to}` || key === `${to}>${from}`)
    if (!flow) {
      if (open.length >= maxFlows) evict()
      const counts = { pkt_fwd: 0, pkt_rev: 0, first: packet.at, last: packet.at }
      const start = { flow_id: opened++, sip: packet.src, sp: packet.ports[0], end_reason: 'flush' as const }
      flow = { ...start, ...counts, key: `${from}>${to}`, due: -Infinity, isExpiring: false, completed: 0 }
      open.push(flow)
    }
    flow[flow.key === `${from}>${to}` ? 'pkt_fwd' : 'pkt_rev'] += 1
    flow.last = packet.at
    if (!flow.isExpiring) flow.due = Math.max(flow.due, Math.ceil(packet.at + idleTimeout))
    if (packet.completes && !flow.isExpiring) expire(flow, clock, 'complete')
  }
  for (const flow of inOrder(open.filter(({ isExpiring }) => isExpiring))) emit(flow)
  while (open.length > 0) emit(open[0]!)
  return ended
}
