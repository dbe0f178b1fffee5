/**
 * From the outermost datagram to the innermost one: fragments put together, tunnels opened, checksums judged. Mirrors
 * `core::decode::walk`.
 */
import type { Packet } from '../capture/packet.js'
import { Verdict, verifyCaptured, verifyIpv4Header } from './checksum.js'
import { Datagram, Fragment } from './datagram.js'
import { Outcome, type Defragmenter } from './defrag/defragmenter.js'
import { Drop } from './drop.js'
import type { EncapTable, PeerTable } from './encap.js'
import { FragmentPart, hasSourceRoute, skipExtensions } from './ip.js'
import type { Walk } from './link/walk.js'
import { MAX_TUNNELS, TunnelOpener } from './tunnel/tunnel.js'

/** What a decoder lends. */
export interface WalkTools {
  readonly walk: Walk
  readonly peers: PeerTable
  readonly encaps: EncapTable
  readonly defragmenter: Defragmenter
}

/** Walks inwards, packet by packet. */
export class InnerWalk {
  /** A checksum on the latest packet's way was bad. */
  isBad = false
  readonly #tools: WalkTools
  readonly #decap: boolean
  readonly #checks: boolean
  readonly #opener: TunnelOpener
  readonly #part = new FragmentPart()
  /** Where an inner datagram goes that may turn out to be none. */
  readonly #spare = new Datagram()
  /** Reassembled datagrams: the outer one, and one tunnelled in it. */
  readonly #buffers = [new Uint8Array(0), new Uint8Array(0)]
  #tunnels = 0

  constructor(tools: WalkTools, decap: boolean, checks: boolean) {
    this.#tools = tools
    this.#decap = decap
    this.#checks = checks
    this.#opener = new TunnelOpener(tools.walk, tools.peers)
  }

  /** Turns `datagram` into the innermost one; one of {@link Drop}. */
  run(datagram: Datagram, packet: Packet): number {
    this.isBad = false
    this.#tunnels = 0
    this.#innermost(datagram)
    let drop = this.#whole(datagram, packet, 0)
    if (drop === Drop.None) drop = this.#whole(datagram, packet, 1)
    if (drop === Drop.None && this.#checks && upperVerdict(datagram) === Verdict.Bad) this.isBad = true
    datagram.outer = this.#encap()
    return drop
  }

  /** Opens tunnels until there is none, or a fragment comes. */
  #innermost(datagram: Datagram): void {
    this.#judgeHeader(datagram)
    while (this.#decap && this.#tunnels < MAX_TUNNELS && !isFragment(datagram)) {
      if (!this.#opener.open(datagram, this.#spare)) return
      datagram.copyFrom(this.#spare)
      this.#tunnels += 1
      this.#judgeHeader(datagram)
    }
  }

  /** Goes on behind `datagram`, which is put together first if it is a fragment. */
  #whole(datagram: Datagram, packet: Packet, buffer: 0 | 1): number {
    if (!isFragment(datagram)) return Drop.None
    const drop = this.#reassemble(datagram, packet, buffer)
    if (drop === Drop.None) this.#innermost(datagram)
    return drop
  }

  #reassemble(datagram: Datagram, packet: Packet, index: 0 | 1): number {
    const part = this.#part
    if (!part.read(datagram)) return Drop.Broken
    const { defragmenter } = this.#tools
    if (defragmenter.push(datagram, part, this.#encap(), packet) !== Outcome.Complete) return Drop.Fragment
    const { ip, ipCaptured, ipLen, bytes } = datagram
    const length = defragmenter.outputLength
    let buffer = this.#buffers[index]!
    if (buffer.length < ipCaptured + length) this.#buffers[index] = buffer = new Uint8Array(ipCaptured + length + 65_536)
    buffer.set(bytes.subarray(ip, ip + ipCaptured))
    defragmenter.takeOutput(buffer, ipCaptured)
    datagram.bytes = buffer
    datagram.proto = defragmenter.outputProto
    datagram.fragment = Fragment.Whole
    datagram.src -= ip
    datagram.dst -= ip
    datagram.ip = 0
    datagram.ipLen = ipLen - (part.end - part.start) + length
    datagram.upper = ipCaptured
    datagram.upperLen = length
    datagram.upperCaptured = length
    datagram.packets = defragmenter.outputPackets
    datagram.octets = defragmenter.outputOctets
    datagram.reassembled = true
    datagram.serial = defragmenter.lastSerial
    skipExtensions(datagram)
    return Drop.None
  }

  /** The number of what is around the datagram. */
  #encap(): number {
    return this.#tools.encaps.number(this.#tools.walk.layers)
  }

  #judgeHeader({ bytes, version, ip, ipCaptured }: Datagram): void {
    if (!this.#checks || version !== 4) return
    if (verifyIpv4Header(bytes, ip, ip + ipCaptured) === Verdict.Bad) this.isBad = true
  }
}

/** Fragments that the defragmenter can take: those that are captured in full. */
function isFragment(datagram: Datagram): boolean {
  return datagram.fragment !== Fragment.Whole && datagram.ipCaptured === datagram.ipLen
}

function upperVerdict(datagram: Datagram): number {
  // With a source route, the pseudo header has the last address of all, and the header may not.
  if (datagram.fragment !== Fragment.Whole || hasSourceRoute(datagram)) return Verdict.Unknown
  return verifyCaptured(datagram)
}
