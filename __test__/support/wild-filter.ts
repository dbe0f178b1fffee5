// Generates filter expressions, most of them right. The same seed gives the same one.
import type { Random } from './random.js'
import { pick } from './wild-frames.js'

const PRIMITIVES = [
  'ip', 'ip6', 'arp', 'tcp', 'udp', 'sctp', 'icmp', 'icmp6', 'igmp', 'ah', 'esp', 'pim', 'stp', 'ipx', 'atalk', 'aarp',
  'iso', 'clnp', 'isis', 'host 10.0.0.1', 'src host 10.0.0.2', 'dst 10.0.0.0', 'src and dst 10.0.0.1', 'net 10.0.0',
  'net 10', 'src net 10.0.0.0/30', 'net 10.0.0.0 mask 255.255.255.254', 'arp host 10.0.0.1', 'ip6 host fd00::1', 'net fd00::/8',
  'dst net 2002::/16', 'src or dst host fd00::2', 'host ::ffff:10.0.0.1', 'port 80', 'tcp port http', 'udp port domain',
  'tcp src portrange 1000-50000', 'portrange ftp-data-http', 'dst port 53 or 80', 'tcp dst port (80 or 53)', 'sctp port 7',
  'proto 6', 'ip proto \\udp', 'ip6 proto 58', 'ether proto 0x86dd', 'ether proto \\ip', 'ether host 2:0:0:0:0:1',
  'ether src 02-00-00-00-00-01', 'ether dst 02aa.0000.0001', 'broadcast', 'ether multicast', 'ip broadcast', 'ip multicast',
  'ip6 multicast', 'vlan', 'vlan 1', 'vlan and vlan 2', 'mpls', 'mpls 0 and mpls', 'pppoed', 'pppoes', 'pppoes 1 and ip',
  'geneve', 'geneve and tcp', 'geneve 1 or udp', 'geneve and ether host 2:0:0:0:0:1', 'geneve and vlan', 'llc', 'llc u', 'llc RR',
  'protochain 6', 'ip protochain 17', 'ip6 protochain \\tcp', 'protochain 44', 'less 100', 'greater 60', 'inbound', 'outbound', 'len > 80', 'length != 60', 'ip[0] & 0xf != 5', 'ip[8] < 64', 'ip[2:2] > 100',
  'tcp[13] & 2 != 0', 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn', 'icmp[icmptype] = icmp-unreach', 'icmp6[0] >= 128',
  'udp[4:2] > 30', 'ip6[6] = 6', 'ether[12:2] = 0x800', 'link[0] = 69', 'tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420',
  'ip[2:2] - ((ip[0] & 0xf) << 2) > 40', 'ip[9] * 2 + 1 = 13', 'len / 7 % 3 = 1', '-ip[0] < 0', 'ip[ip[0] & 15] ^ 255 > 3',
  'ip[-2:2] = 0x800', 'len & 0 = 0', 'tcp[2:2] <= 80', '4294967295 < len', 'ip[6:2] & 0x1fff = 0', '1 + 1 = 2', '(len - 5) > 50',
]

const WRONG = [
  'host', 'tcp port httpd', 'port 65536', 'net 10.0.0.1/8', 'ether host 10.0.0.1', 'vlan 5000', 'ip[0:3] = 1', 'len >', '((ip)',
  'ip)', '10', 'ether protochain 6', 'llc foo', 'geneve 16777216', 'net tcpnet', 'ether host x', 'host tcp', 'arp protochain 6', 'gateway x', 'tcp broadcast', 'foo', 'net 10.1.1.1.1', '08 = len', '0x1ffffffff = len', 'len / 0 = 1',
  'len << 32 = 1', 'ah[0] = 1', 'tcp host 10.0.0.1', 'ip host fd00::1', 'net fd00::1/8', 'host 10.0.0.0/8', 'host \u00e9t\u00e9', 'a"b\'c',
  '\\', 'tcp[', 'tcp[0', 'portrange a-b', 'udp port http', 'ether', 'ether proto foo', 'proto foo', 'src', 'not', 'ip and', '$', 'ip \u2028',
  'net 10.0.0.0 mask 5', 'net fd00::/129', 'fd00::1::2', 'mpls 1048576', 'pppoes 65536', 'less x', '('.repeat(70), 'not '.repeat(70) + 'ip',
  '1' + '+1'.repeat(300) + ' = len', 'x'.repeat(200), 'ip or '.repeat(30) + 'nothing at all',
]

/** An expression; `isRight` says that it is to be one that can be compiled. */
export function wildFilter(random: Random, isRight: boolean): string {
  if (!isRight && random.once(2)) return pick(random, WRONG)
  const parts = Array.from({ length: 1 + random.below(4) }, () => {
    const part = random.once(5) ? `(${wildFilter(random, isRight)})` : pick(random, PRIMITIVES)
    return random.once(5) ? `not ${part}` : part
  })
  const text = parts.reduce((left, right) => `${left} ${pick(random, ['and', 'or', '&&', '||'])} ${right}`)
  if (isRight) return text
  // One character is lost, or another one came.
  const at = random.below(text.length + 1)
  return text.slice(0, at) + pick(random, ['', '(', ')', '[', '!', ' ', '=', '5', 'x', '\u00e9', '\t', ':']) + text.slice(at + random.below(2))
}
