/** The columns of a batch of packets, as arrays to be filled. */
import type { ColumnPlace } from '../../batch/view.js'
import { HEAD_LENGTH, Upper } from '../../packet/columns.js'
import type { Layout } from '../batch.js'
import type { Packet } from '../capture/packet.js'
import type { Datagram } from '../decode/datagram.js'
import { TimeWriter } from '../time.js'

/** Arrays over one batch; what each means is told in `src/packet/columns.ts`. */
export class PacketRows {
  readonly key: Uint32Array
  readonly meta: Uint32Array
  readonly number: Float64Array
  readonly capture: Uint32Array
  readonly times: TimeWriter
  readonly second: Float64Array
  readonly nanosecond: Uint32Array
  readonly ip: Uint32Array
  readonly ipLen: Uint32Array
  readonly ipCaptured: Uint32Array
  readonly upper: Uint32Array
  readonly upperLen: Uint32Array
  readonly upperCaptured: Uint32Array
  readonly packets: Uint32Array
  readonly octets: Uint32Array
  readonly #head: Uint8Array
  readonly vlan: Uint16Array
  readonly hasVlan: Uint8Array
  readonly tunnel: Uint8Array
  readonly hasTunnel: Uint8Array
  readonly tunnelId: Uint32Array
  readonly hasTunnelId: Uint8Array
  /** Where frames are asked for. */
  readonly frames: FrameRows | undefined

  constructor(layout: Layout, batch: Uint8Array) {
    const { maxRows } = layout
    const { buffer, byteOffset } = batch
    const places = new Map<string, ColumnPlace>(layout.columns.map(place => [place.name, place]))
    const values = (name: string) => byteOffset + places.get(name)!.values
    const u32 = (name: string) => new Uint32Array(buffer, values(name), maxRows)
    const f64 = (name: string) => new Float64Array(buffer, values(name), maxRows)
    const flags = (name: string) => new Uint8Array(buffer, byteOffset + places.get(name)!.flags!, maxRows)
    this.key = u32('key')
    this.meta = u32('meta')
    this.number = f64('number')
    this.capture = u32('capture')
    this.times = new TimeWriter(buffer, values('ts_ns'), maxRows)
    this.second = f64('second')
    this.nanosecond = u32('nanosecond')
    this.ip = u32('ip')
    this.ipLen = u32('ip_len')
    this.ipCaptured = u32('ip_captured')
    this.upper = u32('upper')
    this.upperLen = u32('upper_len')
    this.upperCaptured = u32('upper_captured')
    this.packets = u32('packets')
    this.octets = u32('octets')
    this.#head = new Uint8Array(buffer, values('head'), HEAD_LENGTH * maxRows)
    this.vlan = new Uint16Array(buffer, values('vlan'), maxRows)
    this.hasVlan = flags('vlan')
    this.tunnel = new Uint8Array(buffer, values('tunnel'), maxRows)
    this.hasTunnel = flags('tunnel')
    this.tunnelId = u32('tunnel_id')
    this.hasTunnelId = flags('tunnel_id')
    const link = () => new Uint16Array(buffer, values('link'), maxRows)
    this.frames = places.has('frame') ? new FrameRows(u32('frame'), u32('frame_captured'), u32('frame_len'), link(), u32('snaplen')) : undefined
  }

  /** Copies the first octets of a TCP or UDP header. A field of two octets of which one was captured is none. */
  writeHead(row: number, { bytes, upper, upperCaptured }: Datagram, kind: number): void {
    const head = this.#head
    const at = row * HEAD_LENGTH
    const is = kind === Upper.Tcp || kind === Upper.Udp
    const there = is ? Math.min(HEAD_LENGTH, upperCaptured & ~1) : 0
    for (let i = 0; i < HEAD_LENGTH; i++) head[at + i] = i < there ? bytes[upper + i]! : 0
  }
}

/** The columns that tell where frames lie. */
class FrameRows {
  readonly #frame: Uint32Array
  readonly #captured: Uint32Array
  readonly #length: Uint32Array
  readonly #link: Uint16Array
  readonly #snaplen: Uint32Array

  constructor(frame: Uint32Array, captured: Uint32Array, length: Uint32Array, link: Uint16Array, snaplen: Uint32Array) {
    this.#frame = frame
    this.#captured = captured
    this.#length = length
    this.#link = link
    this.#snaplen = snaplen
  }

  write(row: number, { start, capturedLen, wireLen, link }: Packet, snaplen: number): void {
    this.#frame[row] = start
    this.#captured[row] = capturedLen
    this.#length[row] = wireLen
    this.#link[row] = link
    this.#snaplen[row] = snaplen
  }
}
