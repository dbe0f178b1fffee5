/**
 * Makes a capture of TCP connections in which everything that is counted is known beforehand. The same arguments give
 * the same octets on every machine.
 */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a generated capture holds: what a right answer must say. */
export interface Generated {
  readonly path: string
  readonly bytes: number
  readonly packets: number
  readonly flows: number
  /** Octets of IP packets, both directions of all flows. */
  readonly octets: number
}

/** What to make. */
export interface GenerateOptions {
  /** Packets, about: the last connections are finished. */
  readonly packets: number
  /** Connections that are open at the same time. */
  readonly concurrent: number
  readonly seed?: number
}

const [FIN, SYN, PSH, ACK] = [0x01, 0x02, 0x08, 0x10]
const ETHERNET = 14
const TCP = 20
const RECORD = 16
const MSS = 1460
const START = 1_767_607_200

/** A small generator of random numbers: xorshift with 32 bits of state. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

/** An open connection. */
interface Connection {
  readonly id: number
  readonly v6: boolean
  readonly seq: [number, number]
  /** Segments still to come: `[direction, flags, payload octets]`, the next one last. */
  readonly plan: [direction: 0 | 1, flags: number, length: number][]
}

function connect(id: number, random: (below: number) => number): Connection {
  const plan: Connection['plan'] = [[0, SYN, 0], [1, SYN | ACK, 0], [0, ACK, 0], [0, PSH | ACK, 100 + random(400)]]
  // Most answers are short, few are long.
  const segments = 1 + random(8) * random(8)
  for (let i = 0; i < segments; i++) {
    plan.push([1, ACK, i + 1 < segments ? MSS : 1 + random(MSS)])
    if (i % 2 === 1) plan.push([0, ACK, 0])
  }
  plan.push([0, FIN | ACK, 0], [1, FIN | ACK, 0], [0, ACK, 0])
  return { id, v6: id % 8 === 7, seq: [random(2 ** 32), random(2 ** 32)], plan: plan.toReversed() }
}

/** Writes records into a block and the block to a file. */
class Writer {
  readonly #file: number
  readonly #block = Buffer.alloc(1 << 22)
  #at = 0
  bytes = 0

  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  /** Room for `length` octets, all zero. */
  room(length: number): Buffer {
    if (this.#at + length > this.#block.length) this.flush()
    this.#at += length
    this.bytes += length
    return this.#block.subarray(this.#at - length, this.#at).fill(0)
  }

  flush(): void {
    writeSync(this.#file, this.#block, 0, this.#at)
    this.#at = 0
  }

  close(): void {
    this.flush()
    closeSync(this.#file)
  }
}

function writeHeader(writer: Writer): void {
  const header = writer.room(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt32LE(0x00040002, 4)
  header.writeUInt32LE(262_144, 16)
  header.writeUInt32LE(1, 20)
}

/** Writes an address: 10.0.0.0/8 or 2001:db8::/32, the client's with the connection's number, the server's one of 256. */
function writeAddress(packet: Buffer, at: number, { id, v6 }: Connection, isServer: boolean): void {
  const last = at + (v6 ? 16 : 4)
  if (v6) packet.writeUInt32BE(0x20010db8, at)
  packet.writeUInt32BE((isServer ? 0x0aff0000 + (id & 0xff) : 0x0a000000 + (id >>> 15)) >>> 0, last - 4)
}

/** One packet; answers the octets of its IP part. Checksums are left 0: nobody asks for them here. */
function writePacket(writer: Writer, micros: number, connection: Connection, [way, flags, length]: Connection['plan'][number]): number {
  const { id, v6, seq } = connection
  const ipHeader = v6 ? 40 : 20
  const size = ipHeader + TCP + length
  const record = writer.room(RECORD + ETHERNET + size)
  record.writeUInt32LE(START + Math.floor(micros / 1e6), 0)
  record.writeUInt32LE(micros % 1e6, 4)
  record.writeUInt32LE(ETHERNET + size, 8)
  record.writeUInt32LE(ETHERNET + size, 12)
  record.writeUInt16BE(v6 ? 0x86dd : 0x0800, RECORD + 12)
  const packet = record.subarray(RECORD + ETHERNET)
  if (v6) {
    packet.writeUInt32BE(0x60000000, 0)
    packet.writeUInt16BE(TCP + length, 4)
    packet.writeUInt16BE(0x0640, 6)
  } else {
    packet.writeUInt16BE(0x4500, 0)
    packet.writeUInt16BE(size, 2)
    packet.writeUInt16BE(0x4000, 6)
    packet.writeUInt16BE(0x4006, 8)
  }
  const source = v6 ? 8 : 12
  writeAddress(packet, source, connection, way === 1)
  writeAddress(packet, source + (v6 ? 16 : 4), connection, way === 0)
  const tcp = packet.subarray(ipHeader)
  const ports: [number, number] = [32_768 + (id & 0x7fff), 443]
  tcp.writeUInt16BE(ports[way], 0)
  tcp.writeUInt16BE(ports[1 - way]!, 2)
  tcp.writeUInt32BE(seq[way], 4)
  if ((flags & ACK) !== 0) tcp.writeUInt32BE(seq[1 - way]!, 8)
  tcp.writeUInt16BE(0x5000 | flags, 12)
  tcp.writeUInt16BE(0xffff, 14)
  seq[way] = (seq[way] + length + (flags & (SYN | FIN) ? 1 : 0)) >>> 0
  return size
}

/**
 * Writes a capture to the system's folder for temporary files; one that is there already is replaced, because what it
 * must hold is counted on the way.
 */
export function generate({ packets: wanted, concurrent, seed = 1 }: GenerateOptions): Generated {
  const path = join(tmpdir(), `tcpskein-bench-${wanted}-${concurrent}-${seed}.pcap`)
  const draft = `${path}.${process.pid}`
  const random = randomFrom(seed)
  const writer = new Writer(draft)
  writeHeader(writer)
  const open: Connection[] = []
  let [packets, flows, octets, micros] = [0, 0, 0, 0]
  for (;;) {
    if (packets < wanted) while (open.length < concurrent) open.push(connect(flows++, random))
    if (open.length === 0) break
    const index = random(open.length)
    const connection = open[index]!
    micros += 1 + random(10)
    octets += writePacket(writer, micros, connection, connection.plan.pop()!)
    packets += 1
    if (connection.plan.length === 0) open[index] = open.at(-1)!
    if (connection.plan.length === 0) open.pop()
  }
  writer.close()
  renameSync(draft, path)
  return { path, bytes: writer.bytes, packets, flows, octets }
}
