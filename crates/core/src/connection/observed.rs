//! What is known of one connection, and how a segment changes it.

use super::{EndReason, State};
use crate::decode::options::SynOptions;
use crate::decode::{Datagram, Segment, flags};
use crate::flow::Direction;
use crate::seq::SeqNum;
use crate::stream::Stream;

/// What the first SYN of a direction said.
#[derive(Clone, Copy, Debug)]
pub struct SynInfo {
    /// Flags octet.
    pub flags: u8,
    /// Initial sequence number.
    pub isn: SeqNum,
    /// Maximum segment size (RFC 9293 section 3.7.1), octets.
    pub mss: Option<u16>,
    /// Window scale as it stands in the option (RFC 7323 section 2.2).
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018).
    pub sack_permitted: bool,
    /// Timestamps (RFC 7323 section 3.2).
    pub timestamps: bool,
}

impl SynInfo {
    fn new(segment: &Segment<'_>) -> Self {
        let cut = segment.header_len as usize - 20 > segment.options.len();
        let options = if cut { SynOptions::parse_cut(segment.options) } else { SynOptions::parse(segment.options) };
        Self {
            flags: (segment.flags & 0xff) as u8,
            isn: segment.seq,
            mss: options.mss,
            window_scale: options.window_scale,
            sack_permitted: options.sack_permitted,
            timestamps: options.timestamps.is_some(),
        }
    }

    /// The shift that the option asks for (RFC 7323 section 2.3: at most 14).
    fn shift(&self) -> u32 {
        u32::from(self.window_scale.unwrap_or(0).min(14))
    }
}

/// The counts and flags of both directions, without the streams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracked {
    /// Segments forward and back.
    pub packets: [u64; 2],
    /// Payload octets on the wire, retransmissions included.
    pub payload: [u64; 2],
    /// The sequence number that acknowledges the FIN, where there was one.
    fin_end: [SeqNum; 2],
    /// Last advertised window, unscaled, where there was one.
    window: [u16; 2],
    /// `FIN` to `WINDOW`, of each direction.
    seen: [u8; 2],
    /// The three-way handshake completed.
    pub connected: bool,
    /// A SYN with ACK came from the server.
    syn_ack: bool,
}

/// A FIN was seen.
const FIN: u8 = 1;
/// A RST was seen.
const RST: u8 = 2;
/// The FIN was acknowledged.
const FIN_ACKED: u8 = 4;
/// A segment that advertises a window was seen.
const WINDOW: u8 = 8;

impl Tracked {
    /// FINs seen, forward and back.
    #[inline]
    #[must_use]
    pub fn fin(&self) -> [bool; 2] {
        self.seen.map(|seen| seen & FIN != 0)
    }

    /// RSTs seen, forward and back.
    #[must_use]
    pub fn rst(&self) -> [bool; 2] {
        self.seen.map(|seen| seen & RST != 0)
    }

    /// All of `bits` were seen in both directions.
    #[inline]
    fn both(&self, bits: u8) -> bool {
        self.seen[0] & self.seen[1] & bits == bits
    }
}

/// One connection. `[fwd, rev]` where there are two of a thing. What every segment touches lies in the first five cache
/// lines.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Connection {
    /// Time of the latest segment.
    pub last_ns: i64,
    /// Counts and flags.
    pub tracked: Tracked,
    /// How far it came.
    pub state: State,
    /// A consumer wants its payload.
    pub wanted: bool,
    /// 4 or 6.
    pub version: u8,
    /// The octets of each direction.
    pub streams: [Stream; 2],
    /// The first SYN of each direction.
    pub syn: [Option<SynInfo>; 2],
    /// Addresses of client and server; IPv4 in the first four octets.
    pub addr: [[u8; 16]; 2],
    /// Serial number in order of first segments, from 0.
    pub id: u64,
    /// Number of the first segment's packet, from 1.
    pub first_packet: u64,
    /// Time of the first segment, nanoseconds since the Unix epoch.
    pub first_ns: i64,
    /// Number of the capture of the first segment, from 0.
    pub capture: u32,
    /// Ports of client and server.
    pub port: [u16; 2],
}

impl Connection {
    /// A connection that begins with `segment`, and the segment's direction in it. `token` names the slot.
    #[must_use]
    pub fn open(id: u64, token: u32, datagram: &Datagram<'_>, segment: &Segment<'_>) -> (Self, Direction) {
        let from_server = segment.flags & (flags::SYN | flags::ACK) == flags::SYN | flags::ACK;
        let direction = if from_server { Direction::Rev } else { Direction::Fwd };
        let (mut addr, mut port) = ([datagram.src, datagram.dst], [segment.src_port, segment.dst_port]);
        if from_server {
            addr.reverse();
            port.reverse();
        }
        let connection = Self {
            id,
            capture: 0,
            first_packet: 0,
            first_ns: 0,
            last_ns: 0,
            version: datagram.version,
            addr,
            port,
            state: if segment.has(flags::SYN) { State::SynSent } else { State::Midstream },
            tracked: Tracked::default(),
            syn: [None; 2],
            streams: [Stream::new(token * 2), Stream::new(token * 2 + 1)],
            wanted: true,
        };
        (connection, direction)
    }

    /// Takes in what the header says. True: the connection is over with this segment.
    pub fn header(&mut self, segment: &Segment<'_>, direction: Direction) -> bool {
        let was_over = self.is_over();
        let way = direction.index();
        self.tracked.packets[way] += 1;
        self.tracked.payload[way] += u64::from(segment.payload_len);
        if segment.has(flags::SYN) {
            self.syn(segment, direction);
        }
        if segment.has(flags::ACK) {
            self.ack(segment, direction);
        }
        if segment.has(flags::FIN) {
            self.tracked.seen[way] |= FIN;
            self.tracked.fin_end[way] = segment.seq.plus(segment.payload_len).plus(1);
            if !self.is_over() {
                self.state = State::Closing;
            }
        }
        if segment.has(flags::RST) {
            self.tracked.seen[way] |= RST;
            if self.accepts_reset(segment, direction) && self.state != State::Closed {
                self.state = State::Reset;
            }
        } else {
            self.tracked.seen[way] |= WINDOW;
            self.tracked.window[way] = segment.window;
        }
        !was_over && self.is_over()
    }

    fn syn(&mut self, segment: &Segment<'_>, direction: Direction) {
        let way = direction.index();
        self.syn[way].get_or_insert_with(|| SynInfo::new(segment));
        self.tracked.syn_ack |= direction == Direction::Rev && segment.has(flags::ACK);
        let both = self.syn[0].is_some() && self.syn[1].is_some();
        if self.state == State::SynSent && (both || direction == Direction::Rev) {
            self.state = State::SynReceived;
        }
    }

    fn ack(&mut self, segment: &Segment<'_>, direction: Direction) {
        let tracked = &mut self.tracked;
        if direction == Direction::Fwd && tracked.syn_ack {
            // Where the capture missed the first SYN, what follows shows it all the same; `connected` asks to see it.
            tracked.connected = tracked.connected || self.syn[0].is_some();
            if matches!(self.state, State::SynSent | State::SynReceived) {
                self.state = State::Established;
            }
        }
        let other = direction.turned().index();
        if tracked.seen[other] & FIN != 0 && !segment.ack.before(tracked.fin_end[other]) {
            tracked.seen[other] |= FIN_ACKED;
            if tracked.both(FIN_ACKED) && self.state != State::Reset {
                self.state = State::Closed;
            }
        }
    }

    /// Whether the receiver of a RST could accept it: RFC 5961 section 3.2 asks for a sequence number in its window;
    /// RFC 9293 section 3.10.7.3 for an acknowledgement of the SYN where nothing else was sent yet.
    fn accepts_reset(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let way = direction.index();
        if let (None, Some(syn)) = (self.syn[way], self.syn[1 - way]) {
            return !segment.has(flags::ACK) || segment.ack.since(syn.isn) > 0;
        }
        let Some(next) = self.streams[way].rcv_nxt() else { return true };
        // What the sender of the RST was last told it may send, from what is in order on.
        let window = i64::from(self.window(direction.turned()).max(1));
        let ahead = i64::from(segment.seq.since(next));
        let in_flight = self.streams[way].snd_nxt().map_or(0, |n| i64::from(n.since(next)));
        // A host may reset from where it is, which may lie behind what it had sent before.
        (-window..=window.max(in_flight)).contains(&ahead)
    }

    /// Receive window that `direction`'s sender last advertised, in octets, scaled (RFC 7323 section 2.3).
    #[must_use]
    pub fn window(&self, direction: Direction) -> u32 {
        let way = direction.index();
        let known = self.tracked.seen[way] & WINDOW != 0;
        let raw = u32::from(if known { self.tracked.window[way] } else { u16::MAX });
        // Scaling is in force only if both sides asked for it; where a SYN is missing, the largest scale is assumed.
        match &self.syn {
            [Some(a), Some(b)] if a.window_scale.is_some() && b.window_scale.is_some() => {
                raw << self.syn[way].map_or(0, |s| s.shift())
            }
            [Some(_), Some(_)] => raw,
            _ => raw << 14,
        }
    }

    /// The peer of `direction`'s sender advertised no room.
    #[inline]
    #[must_use]
    pub fn meets_zero_window(&self, direction: Direction) -> bool {
        let way = direction.turned().index();
        self.tracked.window[way] == 0 && self.tracked.seen[way] & WINDOW != 0
    }

    /// A FIN was seen in both directions, or a RST that was accepted.
    #[inline]
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == State::Reset || self.tracked.both(FIN)
    }

    /// What the record says of the end when the connection leaves the table because of `cause`.
    #[must_use]
    pub fn end_reason(&self, cause: EndReason) -> EndReason {
        match (self.state, self.tracked.fin()) {
            (State::Reset, _) => EndReason::Rst,
            (_, [true, true]) => EndReason::Fin,
            _ => cause,
        }
    }
}
