/** Link-layer header types that captures are read by: `LINKTYPE_` numbers. Mirrors `core::decode::link::types`. */

/** The link types that are decoded (<https://www.tcpdump.org/linktypes.html>). */
export const LinkType = {
  NULL: 0,
  ETHERNET: 1,
  TOKEN_RING: 6,
  ARCNET: 7,
  SLIP: 8,
  PPP: 9,
  FDDI: 10,
  /** Raw IP: numbers that stand in files of some systems. */
  RAW_12: 12,
  RAW_14: 14,
  PPP_HDLC: 50,
  PPP_ETHER: 51,
  ATM_RFC1483: 100,
  RAW: 101,
  C_HDLC: 104,
  IEEE802_11: 105,
  LINUX_ATM_CLIP: 106,
  FRELAY: 107,
  LOOP: 108,
  ENC: 109,
  LINUX_SLL: 113,
  PFLOG: 117,
  IEEE802_11_PRISM: 119,
  IP_OVER_FC: 122,
  SUNATM: 123,
  IEEE802_11_RADIOTAP: 127,
  ARCNET_LINUX: 129,
  APPLE_IP_OVER_IEEE1394: 138,
  DOCSIS: 143,
  /** A private number, under which Darwin writes PKTAP. */
  USER2: 149,
  IEEE802_11_AVS: 163,
  PPP_PPPD: 166,
  JUNIPER_ETHER: 178,
  PPI: 192,
  PPP_WITH_DIR: 204,
  C_HDLC_WITH_DIR: 205,
  FRELAY_WITH_DIR: 206,
  IPNET: 226,
  IPV4: 228,
  IPV6: 229,
  NFLOG: 239,
  IPOIB: 242,
  PKTAP: 258,
  ETHERNET_MPACKET: 274,
  LINUX_SLL2: 276,
} as const

/** The link type of a file's number: some systems wrote their own `DLT_` values for raw IP. */
export function linkFromFile(number: number): number {
  // DLT_RAW is 12 nearly everywhere and 14 on OpenBSD; both mean LINKTYPE_RAW.
  return number === LinkType.RAW_12 || number === LinkType.RAW_14 ? LinkType.RAW : number
}
