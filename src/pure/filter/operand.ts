/**
 * What stands behind the qualifiers: addresses, networks, ports, protocol numbers and their names. Mirrors
 * `core::filter::operand`.
 */
import type { Carrier, Expr, Family, Joined, Proto, Test, Transport, Words6 } from './ast.js'
import type { Cursor, Quals } from './cursor.js'
import { numberOf } from './lexer.js'
import { etherType, ipProtocol, isReserved, service } from './words.js'

/** The operand of qualifiers that were just read: one, `not` one, or several in parentheses. */
export function operands(cursor: Cursor, quals: Quals): Expr {
  if (cursor.accept('not')) return { is: 'not', inner: cursor.nested(() => operands(cursor, quals)) }
  if (!cursor.accept('(')) return { is: 'test', test: operand(cursor, quals) }
  const first = cursor.nested(() => operands(cursor, quals))
  const rest: Joined[] = []
  for (let tok = cursor.peek(); tok.is === 'and' || tok.is === 'or'; tok = cursor.peek()) {
    cursor.bump()
    rest.push({ join: tok.is, expr: cursor.nested(() => operands(cursor, quals)) })
  }
  if (!cursor.accept(')')) throw cursor.expected('"and", "or" or ")"')
  return rest.length === 0 ? first : { is: 'chain', first, rest }
}

/** One operand, read as the qualifiers want it. */
export function operand(cursor: Cursor, quals: Quals): Test {
  if (quals.kind === 'port' || quals.kind === 'portrange') return port(cursor, quals)
  if (quals.kind === 'proto' || quals.kind === 'protochain') return protocol(cursor, quals)
  const tok = cursor.peek()
  if (tok.is === 'escaped' || (tok.is === 'word' && !isReserved(tok.word))) throw nameError(cursor, quals)
  return address(cursor, quals)
}

/** What is wrong with the name of a host: nothing but that it would have to be looked up, which nobody can do at once. */
function nameError(cursor: Cursor, { proto, kind }: Quals): Error {
  if (proto === 'ether') return cursor.expected('a MAC address')
  if (kind === 'net') return cursor.expected("a network's address (names of networks are not looked up)")
  if (proto !== null && !['ip', 'ip6', 'arp', 'rarp'].includes(proto))
    return cursor.expected(`no host: "${proto}" has no addresses of its own`)
  return cursor.expected('an address (only the native engine looks up names)')
}

function address(cursor: Cursor, quals: Quals): Test {
  const mark = cursor.at
  const tok = cursor.peek()
  if (tok.is === 'mac') {
    cursor.bump()
    if (quals.proto !== 'ether' || quals.kind === 'net')
      throw cursor.expectedFrom(mark, '"ether host" before a MAC address')
    return { is: 'mac', dir: quals.dir, mac: tok.mac }
  }
  if (tok.is === 'v6') {
    cursor.bump()
    return address6(cursor, quals, tok.addr, mark)
  }
  if (tok.is === 'v4') {
    cursor.bump()
    return address4(cursor, quals, tok.addr, tok.parts, mark)
  }
  if (tok.is === 'num') {
    cursor.bump()
    const [addr, parts] = quals.kind === 'net' ? shortNet(tok.value) : [tok.value, 4]
    return address4(cursor, quals, addr, parts, mark)
  }
  if (quals.proto === 'ether') throw cursor.expected('a MAC address')
  throw cursor.expected('an address')
}

function address4(cursor: Cursor, quals: Quals, addr: number, parts: number, mark: number): Test {
  const { proto, dir } = quals
  if (proto === 'ether') throw cursor.expectedFrom(mark, 'a MAC address')
  if (proto !== null && proto !== 'ip' && proto !== 'arp' && proto !== 'rarp')
    throw cursor.expectedFrom(mark, `no IPv4 address: "${proto}" has none of its own`)
  const carrier: Carrier = proto ?? 'any'
  const mask = mask4(cursor, quals, mark) ?? prefixMask(8 * parts)
  if ((addr & ~mask) !== 0) throw cursor.expectedFrom(mark, 'a network address without bits beyond its mask')
  return { is: 'host4', carrier, dir, addr, mask }
}

/** `/len` or `mask a.b.c.d`. */
function mask4(cursor: Cursor, { kind }: Quals, mark: number): number | null {
  let mask = 0
  if (cursor.accept('/')) {
    const tok = cursor.peek()
    if (tok.is !== 'num' || tok.value > 32) throw cursor.expected('a prefix length of at most 32')
    mask = prefixMask(tok.value)
  } else if (cursor.word() === 'mask') {
    cursor.bump()
    const tok = cursor.peek()
    if (tok.is !== 'v4') throw cursor.expected('a mask such as 255.255.255.0')
    mask = tok.addr
  } else return null
  cursor.bump()
  if (kind !== 'net') throw cursor.expectedFrom(mark, 'an address without a mask (write "net" for networks)')
  return mask
}

function address6(cursor: Cursor, { proto, dir, kind }: Quals, addr: Words6, mark: number): Test {
  if (proto !== null && proto !== 'ip6') throw cursor.expectedFrom(mark, `no IPv6 address after "${proto}"`)
  let prefix = 128
  if (cursor.accept('/')) {
    const tok = cursor.peek()
    if (tok.is !== 'num' || tok.value > 128) throw cursor.expected('a prefix length of at most 128')
    prefix = tok.value
    cursor.bump()
  }
  if (prefix < 128 && kind !== 'net')
    throw cursor.expectedFrom(mark, 'an address without a prefix length (write "net" for networks)')
  const isBeyond = addr.some((word, i) => (word & ~prefixMask(Math.min(Math.max(prefix - 32 * i, 0), 32))) !== 0)
  if (isBeyond) throw cursor.expectedFrom(mark, 'a network address without bits beyond its prefix')
  return { is: 'host6', dir, addr, prefix }
}

type Named = readonly [low: number, high: number, transport: Transport]

function port(cursor: Cursor, quals: Quals): Test {
  const mark = cursor.at
  const { proto } = quals
  if (proto !== null && proto !== 'tcp' && proto !== 'udp' && proto !== 'sctp')
    throw cursor.expected('no port: only tcp, udp and sctp have ports')
  const asked: Transport = proto ?? 'any'
  const isRange = quals.kind === 'portrange'
  const found = portOf(cursor, isRange)
  if (found === null)
    throw cursor.expected(
      isRange ? 'a port range such as 1-1024' : "a port number of at most 65535 or a service's name",
    )
  cursor.bump()
  const [low, high, named] = found
  if (asked !== 'any' && named !== 'any' && asked !== named)
    throw cursor.expectedFrom(mark, 'a service of the transport before it')
  const transport = asked === 'any' ? named : asked
  return { is: 'port', transport, dir: quals.dir, low: Math.min(low, high), high: Math.max(low, high) }
}

function portOf(cursor: Cursor, isRange: boolean): Named | null {
  const tok = cursor.peek()
  if (tok.is === 'num') return tok.value <= 0xffff ? [tok.value, tok.value, 'any'] : null
  if (tok.is !== 'word' && tok.is !== 'escaped') return null
  if (isRange) return namedRange(tok.word)
  const named = namedPort(tok.word)
  return named === null ? null : [named[0], named[0], named[1]]
}

function protocol(cursor: Cursor, { proto, kind }: Quals): Test {
  if (proto === 'ether' && kind === 'protochain')
    throw cursor.expected('no protocol: only ip and ip6 have "protochain"')
  if (proto !== null && proto !== 'ether' && proto !== 'ip' && proto !== 'ip6')
    throw cursor.expected('no protocol: only ether, ip and ip6 have "proto"')
  const tok = cursor.peek()
  const isLink = proto === 'ether'
  let number: number | undefined
  if (tok.is === 'num') number = tok.value
  else if (tok.is === 'word' || tok.is === 'escaped') number = isLink ? etherType(tok.word) : ipProtocol(tok.word)
  if (number === undefined)
    throw cursor.expected(`${isLink ? "an Ethernet type's" : "an IP protocol's"} number or name`)
  cursor.bump()
  if (isLink) return { is: 'etherType', number }
  return { is: kind === 'protochain' ? 'protoChain' : 'ipProto', family: familyOf(proto), number }
}

function familyOf(proto: Proto | null): Family {
  if (proto === null) return 'both'
  return proto === 'ip' ? 'v4' : 'v6'
}

/** `net 10` is 10.0.0.0/8, `net 0xc0a8` is 192.168.0.0/16: the number moves up until its first octet isn't 0. */
function shortNet(number: number): [addr: number, parts: number] {
  const empty = Math.floor(Math.clz32(number) / 8)
  return empty >= 1 && empty <= 3 ? [(number << (8 * empty)) >>> 0, 4 - empty] : [number, 4]
}

/** A mask with as many bits. */
export function prefixMask(bits: number): number {
  return bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0
}

function namedPort(word: string): [number, Transport] | null {
  const found = service(word)
  if (found === undefined) return null
  const [number, transports] = found
  return [number, transports === 'tu' ? 'any' : transports === 't' ? 'tcp' : 'udp']
}

/** `a-b`, each a number or a name; names may hold hyphens themselves. */
function namedRange(word: string): Named | null {
  const end = (text: string): [number, Transport] | null => {
    const number = numberOf(text)
    if (typeof number === 'string') return namedPort(text)
    return number <= 0xffff ? [number, 'any'] : null
  }
  for (let at = word.indexOf('-'); at >= 0; at = word.indexOf('-', at + 1)) {
    const low = end(word.slice(0, at))
    const high = end(word.slice(at + 1))
    if (low !== null && high !== null) return [low[0], high[0], low[1] === high[1] ? low[1] : 'any']
  }
  const one = end(word)
  return one === null ? null : [one[0], one[0], one[1]]
}
