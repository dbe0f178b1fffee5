/** The columns of a batch of packets, as arrays to be filled. */
import type { ColumnPlace } from '../../batch/view.js'
import type { Layout } from '../batch.js'
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
  readonly vlan: Uint16Array
  readonly hasVlan: Uint8Array
  readonly tunnel: Uint8Array
  readonly hasTunnel: Uint8Array
  readonly tunnelId: Uint32Array
  readonly hasTunnelId: Uint8Array

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
    this.vlan = new Uint16Array(buffer, values('vlan'), maxRows)
    this.hasVlan = flags('vlan')
    this.tunnel = new Uint8Array(buffer, values('tunnel'), maxRows)
    this.hasTunnel = flags('tunnel')
    this.tunnelId = u32('tunnel_id')
    this.hasTunnelId = flags('tunnel_id')
  }
}
