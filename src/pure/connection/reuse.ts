/** Whether a segment begins a new connection on ports that are known. Mirrors `core::connection::begins_anew`. */
import { Flags, type Segment } from '../decode/segment.js'
import type { Connection, Side } from './observed.js'
import { State } from './state.js'

/** Octets by which a SYN may come late: data with higher numbers was seen first. */
const LATE = 2 ** 20

/**
 * A SYN of `own` that can't belong to `known` begins another connection. One that repeats a known number never does.
 * `isIdle`: no segment came for the idle time, so that any other SYN is of another connection.
 */
export function beginsAnew(known: Connection, segment: Segment, own: Side, isIdle: boolean): boolean {
  if ((segment.flags & (Flags.SYN | Flags.RST)) !== Flags.SYN) return false
  const { syn } = own
  if (syn.isSeen && syn.isn === (segment.seq | 0)) return false
  // A server that answers a second time may choose another number; after the end it's another connection.
  if (segment.has(Flags.ACK)) return known.isOver && syn.isSeen
  if (known.isOver || isIdle) return true
  return syn.isSeen ? !isInWindow(known, segment.seq, own) : !isLate(known, segment.seq, own)
}

/** RFC 5961 section 4.2: a SYN inside the window of a connection that stands is answered and changes nothing. */
function isInWindow(known: Connection, seq: number, own: Side): boolean {
  const { stream } = own
  if ((known.state !== State.Established && known.state !== State.Closing) || !stream.hasStarted) return false
  const ahead = (seq - stream.seqAt(stream.rcvNxt)) | 0
  return ahead >= 0 && ahead < known.window(known.peer(own))
}

/** The SYN of a direction whose later segments (or whose peer's answer) came first. */
function isLate(known: Connection, seq: number, own: Side): boolean {
  const { stream } = own
  if (stream.hasStarted) {
    const behind = (stream.seqAt(stream.rcvNxt) - (seq + 1)) | 0
    return behind >= 0 && behind <= LATE
  }
  // Nothing of this direction was seen: the other side's SYN (simultaneous open, or the answer came first), or a few
  // segments that overtook the SYN.
  return known.peer(own).syn.isSeen || known.fwd.packets + known.rev.packets <= 3
}
