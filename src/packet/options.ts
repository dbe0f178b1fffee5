/** TCP options (RFC 9293 section 3.2): nothing in them makes a hook fail; what can't be right is marked. */
import {
  TCP_OPT_ACC_ECN0, TCP_OPT_ACC_ECN1, TCP_OPT_AO, TCP_OPT_EXP1, TCP_OPT_EXP2, TCP_OPT_MD5, TCP_OPT_USER_TIMEOUT, TO_EOL,
  TO_EXID_FASTOPEN, TO_EXPB, TO_FASTOPEN, TO_MPTCP, TO_MSS, TO_NOP, TO_SACK, TO_SACKOK, TO_TS, TO_WS,
} from './constants.js'

/** One option as it stands in the list. */
export interface TcpOption {
  /** Kind, 0 to 255. */
  readonly kind: number
  /** The octets after kind and length, copied. */
  readonly data: Uint8Array
  /** Where the kind octet stands, in octets from the start of the options. */
  readonly offset: number
}

/** Whatever has TCP options: a {@link TcpView}, or the options' octets themselves. */
export type TcpOptionsSource = Uint8Array | { readonly options: Uint8Array; readonly optionsCut?: boolean }

/** A Fast Open option (RFC 7413). */
export interface FastOpenOption {
  /** 34, or the experiment's kind (253, 254, 255) under which identifier 0xF989 stood. */
  readonly kind: number
  /** The cookie; empty where one is asked for. */
  readonly cookie: Uint8Array
}

/** An Accurate ECN option (RFC 9768 section 3.2.3): counters of octets, modulo 2^24; null for those that were left out. */
export interface AccEcnOption {
  /** 172 or 174: the two differ in which counter comes first. */
  readonly kind: number
  /** Octets of payload that came marked ECT(0). */
  readonly ee0b: number | null
  /** Octets of payload that came marked CE. */
  readonly eceb: number | null
  /** Octets of payload that came marked ECT(1). */
  readonly ee1b: number | null
}

/** Most octets of options that a TCP header can have. */
const MAX_LENGTH = 40

/**
 * Options by kind. Of a kind that stands there twice, the first counts; {@link TcpOptions.list} has them all. End of
 * list and no-operation are in the list only.
 */
export class TcpOptions extends Map<number, Uint8Array> {
  /** Every option in the order on the wire, repeats, end of list and no-operation included. */
  readonly list: readonly TcpOption[]
  /** A length below two, or one beyond the end: what follows it can't be read. */
  readonly malformed: boolean
  /** Not all options were captured. */
  readonly truncated: boolean

  /** @internal */
  constructor(octets: Uint8Array, cut: boolean) {
    super()
    const list: TcpOption[] = []
    const whole = walk(octets.length > MAX_LENGTH ? octets.subarray(0, MAX_LENGTH) : octets, list)
    this.list = list
    this.malformed = !whole && !cut
    const ended = list.at(-1)?.kind === TO_EOL
    this.truncated = cut && !ended
    for (const { kind, data } of list) if (kind !== TO_EOL && kind !== TO_NOP && !this.has(kind)) this.set(kind, data)
  }

  /** Maximum segment size, octets. */
  get mss(): number | null {
    return this.#number(TO_MSS, 2)
  }

  /** Window shift as announced; RFC 7323 section 2.3 lets no more than 14 count. */
  get windowScale(): number | null {
    return this.#number(TO_WS, 1)
  }

  /** Selective acknowledgements are permitted. */
  get sackPermitted(): boolean {
    return this.#sized(TO_SACKOK, 0) !== null
  }

  /** Selective acknowledgements: left edges and right edges (the first sequence number after a block). */
  get sackBlocks(): { readonly left: number; readonly right: number }[] {
    const data = this.get(TO_SACK) ?? new Uint8Array(0)
    const blocks: { left: number; right: number }[] = []
    for (let at = 0; at + 8 <= data.length; at += 8)
      blocks.push({ left: number(data, at, 4), right: number(data, at + 4, 4) })
    return blocks
  }

  /** Timestamps: value and echo reply. */
  get timestamps(): { readonly value: number; readonly echo: number } | null {
    const data = this.#sized(TO_TS, 8)
    return data === null ? null : { value: number(data, 0, 4), echo: number(data, 4, 4) }
  }

  /** Fast Open, under its own kind or as an experiment. */
  get fastOpen(): FastOpenOption | null {
    for (const { kind, data } of this.list) {
      if (kind === TO_FASTOPEN) return { kind, cookie: data }
      const [a, b] = TO_EXID_FASTOPEN
      if (isExperiment(kind) && data[0] === a && data[1] === b) return { kind, cookie: data.subarray(2) }
    }
    return null
  }

  /** The Fast Open cookie; empty where one is asked for, null without the option. */
  get fastOpenCookie(): Uint8Array | null {
    return this.fastOpen?.cookie ?? null
  }

  /** Multipath TCP: subtype (RFC 8684 section 3). */
  get mptcp(): { readonly subtype: number } | null {
    const head = this.get(TO_MPTCP)?.[0]
    return head === undefined ? null : { subtype: head >>> 4 }
  }

  /** Accurate ECN: the first option of either kind. A counter that isn't there in full is left out. */
  get accEcn(): AccEcnOption | null {
    const option = this.list.find(({ kind }) => kind === TCP_OPT_ACC_ECN0 || kind === TCP_OPT_ACC_ECN1)
    if (option === undefined) return null
    const { kind, data } = option
    const counter = (at: number) => (at + 3 <= data.length ? number(data, at, 3) : null)
    const [first, eceb, last] = [counter(0), counter(3), counter(6)]
    return kind === TCP_OPT_ACC_ECN0 ? { kind, ee0b: first, eceb, ee1b: last } : { kind, ee0b: last, eceb, ee1b: first }
  }

  /** An MD5 signature (RFC 2385). */
  get md5(): Uint8Array | null {
    return this.#sized(TCP_OPT_MD5, 16)
  }

  /** An authentication option (RFC 5925): key id, next key id and code. */
  get ao(): Uint8Array | null {
    const data = this.get(TCP_OPT_AO)
    return data !== undefined && data.length >= 2 ? data : null
  }

  /** User timeout in seconds (RFC 5482). */
  get userTimeout(): number | null {
    const raw = this.#number(TCP_OPT_USER_TIMEOUT, 2)
    return raw === null ? null : (raw & 0x7fff) * ((raw & 0x8000) === 0 ? 1 : 60)
  }

  /** The first experiment's identifier (RFC 6994), its first 16 bits. */
  get experimentId(): number | null {
    const option = this.list.find(({ kind, data }) => isExperiment(kind) && data.length >= 2)
    return option === undefined ? null : number(option.data, 0, 2)
  }

  /** The first option of a kind that has the length that it must have. */
  #sized(kind: number, length: number): Uint8Array | null {
    return this.list.find(option => option.kind === kind && option.data.length === length)?.data ?? null
  }

  #number(kind: number, length: number): number | null {
    const data = this.#sized(kind, length)
    return data === null ? null : number(data, 0, length)
  }
}

/**
 * The options of a segment, by kind.
 *
 * @example
 * tcp(record, segment) { record.mss ??= tcpOptions(segment).mss }
 */
export function tcpOptions(source: TcpOptionsSource): TcpOptions {
  if (source instanceof Uint8Array) return new TcpOptions(source, false)
  return new TcpOptions(source.options, source.optionsCut ?? false)
}

/** The options of a segment in the order on the wire, with all repeats. */
export function tcpOptionList(source: TcpOptionsSource): readonly TcpOption[] {
  return tcpOptions(source).list
}

/** Collects options; false where a length can't be right. */
function walk(octets: Uint8Array, list: TcpOption[]): boolean {
  let offset = 0
  while (offset < octets.length) {
    const kind = octets[offset]!
    if (kind === TO_EOL || kind === TO_NOP) {
      list.push({ kind, data: new Uint8Array(0), offset })
      if (kind === TO_EOL) return true
      offset += 1
      continue
    }
    const length = octets[offset + 1]
    // RFC 9293 section 3.2: the length counts kind and length themselves.
    if (length === undefined || length < 2 || offset + length > octets.length) return false
    list.push({ kind, data: octets.slice(offset + 2, offset + length), offset })
    offset += length
  }
  return true
}

function isExperiment(kind: number): boolean {
  return kind === TCP_OPT_EXP1 || kind === TCP_OPT_EXP2 || kind === TO_EXPB
}

function number(data: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = at; i < at + length; i++) value = value * 256 + data[i]!
  return value
}
