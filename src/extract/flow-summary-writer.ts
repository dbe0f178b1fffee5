/** `FlowSummaryWriter`: for each stream a table with a line per packet. */
import { join } from 'node:path'
import { FileSink } from './file-sink.js'
import type { PacketCursor } from './packet-log.js'
import { namesOf, type PacketTime, type PartStart, type StreamPart } from './part.js'
import type { FileWriterOptions } from './pcap-writer.js'
import { secondsText, spanText } from './times.js'
import { FLOW_SUMMARY_COLUMNS } from './summary-columns.js'
import type { StreamWriter, WriterContext } from './writer.js'

const HEADER = `${FLOW_SUMMARY_COLUMNS.join(',')}\n`

/**
 * Writes `FOLDER/flows/ID.csv` for each stream. Columns: the packet's time (seconds since the Unix epoch, nine decimals);
 * who sent it (`fwd` = the client, `rev` = the server); its octets of payload on the wire; such octets of the client, of
 * the server and of both so far, repeated ones included; seconds since the packet before it, since the client's one
 * before it, and since the server's (empty where there was none).
 */
export class FlowSummaryWriter implements StreamWriter {
  readonly name = 'summary'
  readonly wants = { frames: false, octets: false }
  /** @internal */
  readonly namesOnly = true
  readonly #files: FileSink
  readonly #table = new Text()

  /** @param outputDir its folder `flows` is made where it isn't there */
  constructor(outputDir: string, options: FileWriterOptions = {}) {
    this.#files = new FileSink({ folder: join(outputDir, 'flows'), what: 'summaries', overwrite: options.overwrite ?? false })
  }

  /** Files and octets written. */
  get stats(): { files: number; bytes: number } {
    return { ...this.#files.stats }
  }

  open(context: WriterContext): Promise<void> {
    return this.#files.open(context)
  }

  write(part: StreamPart): Promise<void> | undefined {
    const first = part.number === 0
    if (part.packets.length > 0 || first) {
      const { key, id } = namesOf(part)
      const table = this.#table
      table.length = 0
      if (first) table.add(HEADER)
      new Lines(part.start).write(part.packets.cursor(), table)
      table.copyTo(this.#files.room(`${id}.csv`, key, first, table.length))
    }
    return this.#files.ready()
  }

  close(): Promise<void> {
    return this.#files.close()
  }
}

/** Characters that are gathered as a string: longer ones would be moved to where the heap keeps what lives long. */
const AT_ONCE = 4096

/** Text of one octet per character, in a buffer that is used again. */
class Text {
  length = 0
  #octets = Buffer.allocUnsafe(2 * AT_ONCE)

  add(text: string): void {
    const end = this.length + text.length
    if (end > this.#octets.length) {
      const larger = Buffer.allocUnsafe(2 * end)
      this.#octets.copy(larger, 0, 0, this.length)
      this.#octets = larger
    }
    this.#octets.write(text, this.length, 'latin1')
    this.length = end
  }

  copyTo(to: Buffer): void {
    this.#octets.copy(to, 0, 0, this.length)
  }
}

/** Makes lines, with the sums and times so far. */
class Lines {
  readonly #bytes: [number, number]
  readonly #times: [PacketTime | null, PacketTime | null]
  #last: PacketTime | null

  constructor({ payloadBytes, lastPacket: { client, server, either } }: PartStart) {
    this.#bytes = [payloadBytes.client, payloadBytes.server]
    this.#times = [client, server]
    this.#last = either
  }

  write(cursor: PacketCursor, to: Text): void {
    let lines = ''
    while (cursor.next()) {
      lines += this.#line(cursor)
      if (lines.length < AT_ONCE) continue
      to.add(lines)
      lines = ''
    }
    to.add(lines)
  }

  #line(packet: PacketCursor): string {
    const { second, nanosecond, direction, payloadLength } = packet
    const way = direction === 'fwd' ? 0 : 1
    const [bytes, times] = [this.#bytes, this.#times]
    bytes[way] += payloadLength
    const since = (time: PacketTime | null) => (time === null ? '' : spanText(second, nanosecond, time[0], time[1]))
    const sums = `${payloadLength},${bytes[0]},${bytes[1]},${bytes[0] + bytes[1]}`
    const spans = `${since(this.#last)},${since(times[0])},${since(times[1])}`
    this.#last = times[way] = [second, nanosecond]
    return `${secondsText(second, nanosecond)},${direction},${sums},${spans}\n`
  }
}
