// The expected flow record of one flow: the scenario's author states the TCP facts, the counts grow as packets are made.

/**
 * What the tcp chain must find: the flags octet of the first SYN each way, whether a FIN and a RST was seen each way,
 * and whether the three-way handshake completed. All absent for a flow that isn't TCP.
 *
 * @typedef {{ syn?: [number | null, number | null], fin?: [boolean, boolean], rst?: [boolean, boolean],
 *   connected?: boolean }} TcpFacts
 */
/** @typedef {{ sip: string, dip: string, sp: number | null, dp: number | null, proto: number }} FlowKey */

/** @param {FlowKey} key @param {TcpFacts} [facts] */
export function newRecord(key, { syn = [null, null], fin = [false, false], rst = [false, false], connected = false } = {}) {
  const counts = { pkt_fwd: 0, pkt_rev: 0, oct_fwd: 0, oct_rev: 0 }
  const facts = {
    tcp_synflags_fwd: syn[0],
    tcp_synflags_rev: syn[1],
    tcp_fin_fwd: fin[0],
    tcp_fin_rev: fin[1],
    tcp_rst_fwd: rst[0],
    tcp_rst_rev: rst[1],
    tcp_connected: connected,
  }
  /** @type {bigint[]} */
  const times = []
  return {
    /** @param {'fwd' | 'rev'} direction @param {number} octets the IP packet's size @param {bigint} ns */
    count(direction, octets, ns) {
      counts[`pkt_${direction}`] += 1
      counts[`oct_${direction}`] += octets
      times.push(ns)
    },
    firstNs: () => times.reduce((a, b) => (b < a ? b : a)),
    lastNs: () => times.reduce((a, b) => (b > a ? b : a)),
    /** The record's columns; times as decimal text, because JSON's numbers don't hold nanoseconds. */
    columns() {
      return {
        ip_version: key.sip.includes(':') ? 6 : 4,
        first_ns: String(this.firstNs()),
        last_ns: String(this.lastNs()),
        ...key,
        ...counts,
        ...facts,
      }
    },
  }
}
