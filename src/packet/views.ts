/** All views of one packet, around one place. */
import { Upper } from './columns.js'
import { Ip4View, Ip6View, type IpView } from './ip-view.js'
import { QuotePlace, RowPlace, type Place } from './place.js'
import { IcmpView, TcpView, UdpView } from './upper-views.js'

/** The views of the packet at a place. */
class Views<Of extends Place> {
  readonly place: Of
  readonly tcp: TcpView
  readonly udp: UdpView
  readonly icmp: IcmpView
  readonly ip4: Ip4View
  readonly ip6: Ip6View

  constructor(place: Of) {
    this.place = place
    this.tcp = new TcpView(place)
    this.udp = new UdpView(place)
    this.icmp = new IcmpView(place)
    this.ip4 = new Ip4View(place, this)
    this.ip6 = new Ip6View(place, this)
    for (const view of [this.tcp, this.udp, this.icmp]) view.ipViews = [this.ip4, this.ip6]
  }

  /** The IP header. */
  get ip(): IpView {
    return this.place.version === 4 ? this.ip4 : this.ip6
  }
}

/** The views of the packet of a row. */
export class PacketViews extends Views<RowPlace> {
  constructor() {
    super(new RowPlace())
  }
}

/** ICMP types that quote a packet: RFC 792 (unreachable, source quench, redirect, time exceeded, parameter problem). */
const ERRORS_4: ReadonlySet<number> = new Set([3, 4, 5, 11, 12])

/** The views of the packet that an ICMP error quotes. */
export class QuoteViews extends Views<QuotePlace> {
  constructor() {
    super(new QuotePlace())
  }

  /** The quoted IP header in the ICMP message `outer`, or null where it quotes none. */
  of(outer: Place): IpView | null {
    const type = outer.octet(outer.upper, outer.upperEnd)
    // RFC 4443 section 3: types 1 to 4 quote.
    const isError = outer.kind === Upper.Icmp4 ? ERRORS_4.has(type) : type >= 1 && type <= 4
    return isError && this.place.quote(outer) ? this.ip : null
  }
}
