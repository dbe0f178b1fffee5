/** Numbers of TCP's flags and options: PATHspider's names and values, and the names that the RFCs use. */

/** No more data from the sender. */
export const TCP_FIN = 0x01
/** Synchronize sequence numbers. */
export const TCP_SYN = 0x02
/** Reset the connection. */
export const TCP_RST = 0x04
/** Push. */
export const TCP_PSH = 0x08
/** The acknowledgment field is significant. */
export const TCP_ACK = 0x10
/** The urgent pointer is significant. */
export const TCP_URG = 0x20
/** ECN-echo (RFC 3168). */
export const TCP_ECE = 0x40
/** Congestion window reduced (RFC 3168). */
export const TCP_CWR = 0x80
/** SYN and ACK. */
export const TCP_SA = TCP_SYN | TCP_ACK
/** SYN, ECE and CWR: a SYN that asks for ECN. */
export const TCP_SEC = TCP_SYN | TCP_ECE | TCP_CWR
/** SYN, ACK and ECE: an answer that agrees to ECN. */
export const TCP_SAE = TCP_SYN | TCP_ACK | TCP_ECE
/** SYN, ACK, ECE and CWR. */
export const TCP_SAEC = TCP_SYN | TCP_ACK | TCP_ECE | TCP_CWR

/** End of option list. */
export const TO_EOL = 0
/** No operation. */
export const TO_NOP = 1
/** Maximum segment size. */
export const TO_MSS = 2
/** Window scale (RFC 7323). */
export const TO_WS = 3
/** Selective acknowledgements permitted (RFC 2018). */
export const TO_SACKOK = 4
/** Selective acknowledgement blocks (RFC 2018). */
export const TO_SACK = 5
/** Timestamps (RFC 7323). */
export const TO_TS = 8
/** Multipath TCP (RFC 8684). */
export const TO_MPTCP = 30
/** Fast Open cookie (RFC 7413). */
export const TO_FASTOPEN = 34
/** Experimental option A as PATHspider numbers it; RFC 6994's second experiment. */
export const TO_EXPA = 254
/** Experimental option B as PATHspider numbers it; reserved by IANA, and used for Fast Open by some. */
export const TO_EXPB = 255
/** Experiment identifier of Fast Open (RFC 7413 appendix A), as it stands on the wire. */
export const TO_EXID_FASTOPEN: readonly [number, number] = [0xf9, 0x89]

/** End of option list: the RFC's name of {@link TO_EOL}. */
export const TCP_OPT_END = TO_EOL
/** The RFC's name of {@link TO_NOP}. */
export const TCP_OPT_NO_OPERATION = TO_NOP
/** The RFC's name of {@link TO_MSS}. */
export const TCP_OPT_MAXIMUM_SEGMENT_SIZE = TO_MSS
/** The RFC's name of {@link TO_WS}. */
export const TCP_OPT_WINDOW_SCALE = TO_WS
/** The RFC's name of {@link TO_SACKOK}. */
export const TCP_OPT_SACK_PERMITTED = TO_SACKOK
/** The RFC's name of {@link TO_SACK}. */
export const TCP_OPT_SACK = TO_SACK
/** The RFC's name of {@link TO_TS}. */
export const TCP_OPT_TIMESTAMPS = TO_TS
/** MD5 signature (RFC 2385). */
export const TCP_OPT_MD5 = 19
/** User timeout (RFC 5482). */
export const TCP_OPT_USER_TIMEOUT = 28
/** Authentication option, TCP-AO (RFC 5925). */
export const TCP_OPT_AO = 29
/** The RFC's name of {@link TO_MPTCP}. */
export const TCP_OPT_MPTCP = TO_MPTCP
/** The RFC's name of {@link TO_FASTOPEN}. */
export const TCP_OPT_FAST_OPEN = TO_FASTOPEN
/** Accurate ECN, order 0 (RFC 9768). */
export const TCP_OPT_ACC_ECN0 = 172
/** Accurate ECN, order 1 (RFC 9768). */
export const TCP_OPT_ACC_ECN1 = 174
/** First experiment (RFC 6994). */
export const TCP_OPT_EXP1 = 253
/** Second experiment (RFC 6994). */
export const TCP_OPT_EXP2 = 254

/** The flags by name. */
export const TCP_FLAGS = {
  TCP_FIN, TCP_SYN, TCP_RST, TCP_PSH, TCP_ACK, TCP_URG, TCP_ECE, TCP_CWR, TCP_SA, TCP_SEC, TCP_SAE, TCP_SAEC,
} as const

/** The option kinds by name. */
export const TCP_OPTIONS = {
  TO_EOL, TO_NOP, TO_MSS, TO_WS, TO_SACKOK, TO_SACK, TO_TS, TO_MPTCP, TO_FASTOPEN, TO_EXPA, TO_EXPB, TO_EXID_FASTOPEN,
} as const
