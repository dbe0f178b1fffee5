/** `PcapWriter`: each stream's packets as a capture of their own. */
import { join } from 'node:path'
import { FileSink } from './file-sink.js'
import type { PacketLog } from './packet-log.js'
import { namesOf, type StreamPart } from './part.js'
import type { StreamWriter, WriterContext } from './writer.js'

/** What writers of files take. */
export interface FileWriterOptions {
  /**
   * Files of the same name may be replaced, and the folder may hold some.
   * @defaultValue false: the folder must be empty, or not there
   */
  overwrite?: boolean
}

/** Octets of a capture's header. */
const HEADER = 24
/** Longest packet that readers of captures believe. */
const SNAPLEN = 262_144

/**
 * Writes a capture for each stream: `FOLDER/pcaps/ID.pcap`, times in nanoseconds. Frames are those of the source,
 * fragments included. Where a stream's packets have several link types (pcapng allows it), each further type gets a file
 * of its own, `ID.linktype113.pcap`, since a pcap file has one. Times that 32 bits of seconds can't hold are counted.
 *
 * A part is one write: the file is opened, appended to and closed, so that no more than one is open at a time.
 */
export class PcapWriter implements StreamWriter {
  readonly name = 'pcap'
  readonly wants = { frames: true, octets: false }
  /** @internal */
  readonly namesOnly = true
  readonly #files: FileSink
  /** Further link types of the open streams that have several. */
  readonly #further = new Map<string, readonly number[]>()
  #wildTimes = 0

  /** @param outputDir its folder `pcaps` is made where it isn't there */
  constructor(outputDir: string, options: FileWriterOptions = {}) {
    this.#files = new FileSink({ folder: join(outputDir, 'pcaps'), what: 'captures', overwrite: options.overwrite ?? false })
  }

  /** Files and octets written; packets with a time before 1970 or after 2106, which came out wrong. */
  get stats(): { files: number; bytes: number; wildTimes: number } {
    return { ...this.#files.stats, wildTimes: this.#wildTimes }
  }

  open(context: WriterContext): Promise<void> {
    return this.#files.open(context)
  }

  write(part: StreamPart): Promise<void> | undefined {
    if (part.packets.length > 0) {
      const found = this.#measure(part.packets)
      const { linkType, id } = namesOf(part)
      for (const [type, length] of found)
        if (type === linkType) this.#append(part, type, length, `${id}.pcap`, part.number === 0)
        else this.#append(part, type, length, `${id}.linktype${type}.pcap`, this.#isNew(id, type))
    }
    if (part.last && this.#further.size > 0) this.#further.delete(namesOf(part).id)
    return this.#files.ready()
  }

  close(): Promise<void> {
    return this.#files.close()
  }

  #append(part: StreamPart, type: number, length: number, name: string, first: boolean): void {
    const header = first ? HEADER : 0
    const octets = this.#files.room(name, namesOf(part).key, first, header + length)
    if (first) writeHeader(octets, type)
    copyRecords(part.packets, type, octets.subarray(header))
  }

  /** A further link type of a stream that it had not before. */
  #isNew(id: string, type: number): boolean {
    const before = this.#further.get(id) ?? []
    if (before.includes(type)) return false
    this.#further.set(id, [...before, type])
    return true
  }

  /** Octets of the records of each link type. */
  #measure(packets: PacketLog): Map<number, number> {
    const found = new Map<number, number>()
    const cursor = packets.cursor()
    let [type, length] = [-1, 0]
    while (cursor.next()) {
      const { linkType, second } = cursor
      if (linkType !== type) {
        if (length > 0) found.set(type, length)
        type = linkType
        length = found.get(type) ?? 0
      }
      length += cursor.recordLength
      if (second !== second >>> 0) this.#wildTimes += 1
    }
    if (length > 0) found.set(type, length)
    return found
  }
}

/** A little-endian header with times in nanoseconds. */
function writeHeader(octets: Buffer, linkType: number): void {
  octets.writeUInt32LE(0xa1b2_3c4d, 0)
  octets.writeUInt16LE(2, 4)
  octets.writeUInt16LE(4, 6)
  octets.fill(0, 8, 16)
  octets.writeUInt32LE(SNAPLEN, 16)
  octets.writeUInt32LE(linkType, 20)
}

function copyRecords(packets: PacketLog, linkType: number, to: Buffer): void {
  const cursor = packets.cursor()
  for (let at = 0; cursor.next(); ) if (cursor.linkType === linkType) at += cursor.copyRecord(to, at)
}
