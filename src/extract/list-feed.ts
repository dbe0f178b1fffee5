/** A list of packets as a capture source. */
import { PacketFeed, type FedPacket } from '../packet-feed.js'

/** Gives the packets to a reader as it asks for them; a list of any length takes no more memory than one packet. */
export async function* listFeed(packets: Iterable<FedPacket>): AsyncGenerator<Uint8Array, undefined> {
  const feed = new PacketFeed()
  const chunks = feed[Symbol.asyncIterator]()
  for (const packet of packets) {
    while (!feed.push(packet)) {
      const { value } = await chunks.next()
      if (value) yield value
    }
  }
  feed.end()
  for (let chunk = await chunks.next(); chunk.done !== true; chunk = await chunks.next()) yield chunk.value
}
