/** What streams are called: for people and in results (`key`), and as a file or document (`id`). */
import type { PacketTime } from './part.js'
import { secondsText } from './times.js'

/** The ends of a connection. */
export interface Ends {
  readonly clientAddr: string
  readonly clientPort: number
  readonly serverAddr: string
  readonly serverPort: number
}

/** An endpoint as text; RFC 5952 section 6 asks for brackets around an IPv6 address with a port. */
function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** `'SRC:SPORT ==> DST:DPORT'`; several connections on the same ports have the same. */
export function streamKey({ clientAddr, clientPort, serverAddr, serverPort }: Ends): string {
  return `${endpoint(clientAddr, clientPort)} ==> ${endpoint(serverAddr, serverPort)}`
}

/**
 * A name that is safe for files (IPv6's colons become dots), the same in each run over the same captures, and another
 * one for each stream of a run: endpoints, time and number of its first packet, and which capture that is in where
 * there are several (from 0; null: there is one).
 */
export function streamId(ends: Ends, first: PacketTime, firstPacket: number, capture: number | null): string {
  const sides = `${side(ends.clientAddr, ends.clientPort)}-${side(ends.serverAddr, ends.serverPort)}`
  return `${sides}-${secondsText(first[0], first[1])}-${firstPacket}${capture === null ? '' : `-c${capture + 1}`}`
}

function side(address: string, port: number): string {
  // A name that begins with a dot would be hidden.
  const text = address.includes(':') ? address.replace(/^::/, '0::').replaceAll(':', '.') : address
  return `${text}_${port}`
}
