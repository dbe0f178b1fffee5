/** The built-in chains by the names that `--chain` takes. */
import {
  basicChain,
  dnsChain,
  dscpChain,
  ecnChain,
  evilChain,
  icmpChain,
  mssChain,
  noopChain,
  tcpChain,
  tcpOptChain,
  tfoChain,
  udpChain,
  type AnyChain,
} from '../index.js'

/** Each chain's maker, in the order in which they are listed. */
export const CHAINS: Readonly<Record<string, () => AnyChain>> = {
  basic: basicChain,
  tcp: tcpChain,
  tcpopt: tcpOptChain,
  mss: mssChain,
  tfo: tfoChain,
  ecn: ecnChain,
  dscp: dscpChain,
  evil: evilChain,
  icmp: icmpChain,
  udp: udpChain,
  dns: dnsChain,
  noop: noopChain,
}
