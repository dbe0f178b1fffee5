/** Cuts the IPv4 packet of a frame into fragments (RFC 791 section 3.2), without any of the code under test. */

/** The IP packet of an Ethernet frame. */
export const ip = (frame: Uint8Array): Uint8Array => frame.subarray(14)

/** Frames with fragments of at most `size` octets of payload, a multiple of 8, the first one last. */
export function fragments(frame: Uint8Array, size: number): Uint8Array[] {
  const [header, payload] = [frame.subarray(0, 34), frame.subarray(34)]
  const frames: Uint8Array[] = []
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size)
    const out = new Uint8Array(34 + part.length)
    out.set(header)
    out.set(part, 34)
    const view = new DataView(out.buffer)
    view.setUint16(16, 20 + part.length)
    view.setUint16(20, (at + part.length < payload.length ? 0x2000 : 0) | (at / 8))
    frames.push(out)
  }
  return [...frames.slice(1), frames[0]!]
}
