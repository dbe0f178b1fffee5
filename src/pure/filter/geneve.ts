/** `geneve [vni]` (RFC 8926): by its UDP port and version; what follows is about the packet inside. */
import { half, masked, octet, word, type Ask, type Emitter, type Field, type Ways } from './emit.js'
import { carries, IPV4, IPV6 } from './link.js'
import { firstFragment, transport } from './primitives.js'
import { Source } from './program.js'

const GENEVE_PORT = 6081
const ALL = 0xffff_ffff

/** Asks for a Geneve packet, and moves all places into it. */
export function geneve(e: Emitter, vni: number | null, ways: Ways): void {
  const { network } = e.layout
  const beyond = (source: number, at: number): Field => ({ source, base: network, at: network + at, mask: ALL })
  const header = (w: Ways, port: Field, version: Field, id: Field, source: number) => {
    const enter: Ask = v => e.equal({ source, base: network, at: 0, mask: ALL }, 1, v)
    const isId: Ask = v => e.equal(masked(id, 0xffff_ff00), ((vni ?? 0) << 8) >>> 0, v)
    const known: Ask = v => (vni === null ? enter(v) : e.and(v, isId, enter))
    const isVersion: Ask = v => e.equal(masked(version, 0xc0), 0, v)
    e.and(w, v => e.equal(port, GENEVE_PORT, v), v => e.and(v, isVersion, known))
  }
  const behind4: Ask = w =>
    header(w, beyond(Source.HalfBeyond, 2), beyond(Source.OctetBeyond, 8), beyond(Source.WordBeyond, 12), Source.Geneve4)
  const behind6: Ask = w => header(w, half(network + 42), octet(network + 48), word(network + 52), Source.Geneve6)
  const udp4: Ask = w => e.and(w, v => transport(e, 'udp', network + 9, v), v => e.and(v, u => firstFragment(e, u), behind4))
  const udp6: Ask = w => e.and(w, v => transport(e, 'udp', network + 6, v), behind6)
  e.or(ways, w => e.and(w, v => carries(e, IPV4, v), udp4), w => e.and(w, v => carries(e, IPV6, v), udp6))
  e.moves = true
  e.layout.pushGeneve()
}
