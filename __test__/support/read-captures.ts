// Reads classic pcap and pcapng octet by octet, without any of the code under test.

/** A packet as it stands in a file. */
export interface FilePacket {
  ns: bigint
  link: number
  snaplen: number
  wire: number
  data: Buffer
}

/** A classic pcap's packets. */
export function readPcap(file: Buffer): FilePacket[] {
  const magic = file.toString('hex', 0, 4)
  const found = ({ d4c3b2a1: [false, 1000n], a1b2c3d4: [true, 1000n], '4d3cb2a1': [false, 1n], a1b23c4d: [true, 1n] } as const)[magic]
  if (!found) throw new Error(`no pcap: ${magic}`)
  const [big, unit] = found
  const u32 = (at: number) => (big ? file.readUInt32BE(at) : file.readUInt32LE(at))
  const [snaplen, link] = [u32(16), u32(20) & 0xffff]
  const packets: FilePacket[] = []
  for (let at = 24; at < file.length; ) {
    const length = u32(at + 8)
    if (at + 16 + length > file.length) throw new Error(`a record at ${at} is cut`)
    const ns = BigInt(u32(at)) * 1_000_000_000n + BigInt(u32(at + 4)) * unit
    packets.push({ ns, link, snaplen, wire: u32(at + 12), data: file.subarray(at + 16, at + 16 + length) })
    at += 16 + length
  }
  return packets
}

/** A pcapng's packets: one section, interfaces with if_tsresol only. */
export function readPcapng(file: Buffer): FilePacket[] {
  const big = file.readUInt32BE(8) === 0x1a2b3c4d
  const u16 = (at: number) => (big ? file.readUInt16BE(at) : file.readUInt16LE(at))
  const u32 = (at: number) => (big ? file.readUInt32BE(at) : file.readUInt32LE(at))
  const interfaces: { link: number; snaplen: number; unit: bigint }[] = []
  const packets: FilePacket[] = []
  for (let at = 0; at < file.length; at += u32(at + 4)) {
    if (u32(at + u32(at + 4) - 4) !== u32(at + 4)) throw new Error(`the lengths of a block at ${at} differ`)
    if (u32(at) === 1) interfaces.push({ link: u16(at + 8), snaplen: u32(at + 12), unit: file[at + 20] === 9 ? 1n : 1000n })
    if (u32(at) !== 6) continue
    const { link, snaplen, unit } = interfaces[u32(at + 8)]!
    const ns = ((BigInt(u32(at + 12)) << 32n) | BigInt(u32(at + 16))) * unit
    packets.push({ ns, link, snaplen, wire: u32(at + 24), data: file.subarray(at + 28, at + 28 + u32(at + 20)) })
  }
  return packets
}
