// A reassembler that is slow and obviously right: it walks a pcap by itself and keeps a map from stream offset to octet.
// The first octet that came stays. It knows what generated captures hold: Ethernet, IPv4, TCP with a SYN first and a FIN
// last, no ports used twice, no keep-alives.

/** What one side sent. */
export interface NaiveSide {
  /** Octets that came, in order. */
  octets: Uint8Array
  /** What is missing, up to the FIN or else the last octet. */
  gaps: [offset: number, length: number][]
  /** Octets that came again with another value. */
  conflicts: number
  /** Payload octets of all segments. */
  payload: number
  packets: number
}

class Side {
  readonly #octets = new Map<number, number>()
  #isn = 0
  #end = 0
  conflicts = 0
  payload = 0
  packets = 0

  segment(seq: number, flags: number, payload: Uint8Array): void {
    this.packets++
    this.payload += payload.length
    if (flags & 2) this.#isn = seq
    // Distances below 2^31 are enough here; SYN data begins one later.
    const offset = ((seq - this.#isn - 1 + (flags & 2 ? 1 : 0)) | 0) as number
    payload.forEach((octet, i) => {
      const at = offset + i
      const known = this.#octets.get(at)
      if (known === undefined) this.#octets.set(at, octet)
      else if (known !== octet) this.conflicts++
    })
    if (payload.length > 0 || flags & 1) this.#end = Math.max(this.#end, offset + payload.length)
  }

  answer(): NaiveSide {
    const [octets, gaps]: [number[], [number, number][]] = [[], []]
    for (let at = 0; at < this.#end; at++) {
      const octet = this.#octets.get(at)
      if (octet !== undefined) octets.push(octet)
      else if (gaps.at(-1) !== undefined && gaps.at(-1)![0] + gaps.at(-1)![1] === at) gaps.at(-1)![1]++
      else gaps.push([at, 1])
    }
    const { conflicts, payload, packets } = this
    return { octets: Uint8Array.from(octets), gaps, conflicts, payload, packets }
  }
}

/** The streams of a capture, by the client's port. */
export function naiveStreams(capture: Uint8Array): Map<number, { fwd: NaiveSide; rev: NaiveSide }> {
  const sides = new Map<number, { fwd: Side; rev: Side }>()
  const view = new DataView(capture.buffer, capture.byteOffset, capture.byteLength)
  for (let at = 24; at < capture.length; ) {
    const length = view.getUint32(at + 8, true)
    const ip = at + 16 + 14
    const tcp = ip + (view.getUint8(ip) & 15) * 4
    const [source, target] = [view.getUint16(tcp), view.getUint16(tcp + 2)]
    const port = Math.max(source, target)
    const begin = tcp + (view.getUint8(tcp + 12) >> 4) * 4
    const payload = capture.subarray(begin, ip + view.getUint16(ip + 2))
    if (!sides.has(port)) sides.set(port, { fwd: new Side(), rev: new Side() })
    sides.get(port)![source === port ? 'fwd' : 'rev'].segment(view.getUint32(tcp + 4), view.getUint8(tcp + 13), payload)
    at += 16 + length
  }
  return new Map([...sides].map(([port, { fwd, rev }]) => [port, { fwd: fwd.answer(), rev: rev.answer() }]))
}
