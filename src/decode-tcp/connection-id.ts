/** Names of one direction of a connection: what `decodeTcp` calls a connection id, and its text. */
import { formatAddress } from '../address.js'

/** One direction of a TCP connection: source address and port, destination address and port. */
export type ConnectionId = readonly [sourceAddr: string, sourcePort: number, destinationAddr: string, destinationPort: number]

/** The same; addresses may also be the 4 or 16 octets of a header. */
export type ConnectionIdLike = readonly [string | Uint8Array, number, string | Uint8Array, number]

/**
 * A connection id as text: `a:p=>b:p` for IPv4, `a.p=>b.p` for IPv6.
 *
 * @param version 4 or 6; without it, the version of the addresses
 * @throws RangeError for another version, an address of another version, or a port that can't be one
 */
export function connectionIdToString(id: ConnectionIdLike, version?: number): string {
  const [source, sourcePort, destination, destinationPort] = id
  const v = version ?? versionOf(source)
  if (v !== 4 && v !== 6) throw new RangeError(`version: expected 4 or 6, not ${String(version)}`)
  const mark = v === 4 ? ':' : '.'
  const end = (address: string | Uint8Array, port: number) => `${addressText(address, v)}${mark}${portText(port)}`
  return `${end(source, sourcePort)}=>${end(destination, destinationPort)}`
}

function versionOf(address: string | Uint8Array): 4 | 6 {
  return typeof address === 'string' ? (address.includes(':') ? 6 : 4) : address.length === 16 ? 6 : 4
}

function addressText(address: string | Uint8Array, version: 4 | 6): string {
  if (typeof address === 'string') {
    if (process.getBuiltinModule('node:net').isIP(address) === version) return address
  } else if (address.length === (version === 4 ? 4 : 16)) return formatAddress(address, 0, version)
  throw new RangeError(`'${String(address)}' is no IPv${version} address`)
}

function portText(port: number): string {
  if (Number.isInteger(port) && port >= 0 && port <= 0xffff) return String(port)
  throw new RangeError(`'${String(port)}' is no port`)
}
