//! From packets to rows, one by one or a group at a time.

use super::PacketSessionOptions;
use super::columns::{COLUMNS, FRAME_COLUMNS, HEAD_LEN, OUTER_COLUMNS};
use super::plain::Owners;
use super::tail::Tail;
use crate::batch::{Layout, RowWriter};
use crate::capture::Packet;
use crate::decode::{Datagram, Decoder, Fragment, Layers, Segment, proto};
use crate::flow::timers::{LatestSecond, NS};
use crate::flow::{Identity, identify};
use crate::session::keys::{KeyTable, NO_KEY};
use crate::session::{Feed, Stats};

/// Rows of a batch. Packets of 64 octets and their record headers fill a block with less.
pub(super) const MAX_ROWS: usize = 16_384;

/// The bit of `meta` that says that the clock goes on.
pub(super) const MOVES_CLOCK: u32 = 1 << 16;

/// What stands behind the IP header, in bits 2 to 4 of `meta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Upper {
    /// Something else, broken, or cut before what matters.
    Other = 0,
    Tcp = 1,
    Udp = 2,
    /// ICMP in IPv4.
    Icmp4 = 3,
    /// ICMPv6 in IPv6.
    Icmp6 = 4,
}

impl Upper {
    /// What `proto` is, of which so many octets are there; for TCP the caller knows whether it is sound.
    #[inline]
    pub fn of(proto: u8, version: u8, there: usize, is_segment: bool) -> Self {
        match proto {
            proto::TCP if is_segment => Self::Tcp,
            proto::UDP if there >= 8 => Self::Udp,
            proto::ICMP if there > 0 && version == 4 => Self::Icmp4,
            proto::ICMPV6 if there > 0 && version == 6 => Self::Icmp6,
            _ => Self::Other,
        }
    }
}

/// The column `meta`, without the clock.
#[inline]
pub(super) fn meta(identity: &Identity, upper: Upper, fragment: Fragment, version: u8, proto: u8) -> u32 {
    let fragment = match fragment {
        Fragment::Whole => 0,
        Fragment::First => 1,
        Fragment::Later => 2,
    };
    u32::from(identity.from_first)
        | u32::from(identity.quoted) << 1
        | (upper as u32) << 2
        | fragment << 5
        | u32::from(version == 6) << 7
        | u32::from(proto) << 8
}

/// A time as whole seconds and nanoseconds.
#[inline]
pub(super) fn parts(ts_ns: i64) -> (f64, u32) {
    (ts_ns.div_euclid(NS) as f64, ts_ns.rem_euclid(NS) as u32)
}

/// [`parts`] of times most of which lie in the second of the one before: nothing is divided then.
#[derive(Default)]
pub(super) struct SecondParts {
    /// Where that second begins, and the same in seconds.
    begin_ns: i64,
    second: f64,
}

impl SecondParts {
    #[inline]
    pub fn of(&mut self, ts_ns: i64) -> (f64, u32) {
        // Exact, wherever it is no earlier.
        let within = ts_ns.wrapping_sub(self.begin_ns) as u64;
        if ts_ns >= self.begin_ns && within < NS as u64 {
            return (self.second, within as u32);
        }
        let (second, nanosecond) = parts(ts_ns);
        if let Some(begin_ns) = ts_ns.checked_sub(i64::from(nanosecond)) {
            (self.begin_ns, self.second) = (begin_ns, second);
        }
        (second, nanosecond)
    }
}

/// Writes rows; remembers the numbers of flow keys and how late it is.
pub(super) struct Rows {
    pub layout: Layout,
    pub stats: Stats,
    pub keys: KeyTable,
    /// Number of the batch being filled, from 1.
    pub batch: u32,
    pub owners: Owners,
    pub options: PacketSessionOptions,
    /// What the consumer's clock knows of.
    now: LatestSecond,
}

impl Rows {
    pub fn new(options: PacketSessionOptions) -> Self {
        let frames = if options.frames { FRAME_COLUMNS } else { &[] };
        Self {
            layout: Layout::new(Stats::NAMES, COLUMNS.iter().chain(frames).copied(), MAX_ROWS),
            stats: Stats::default(),
            keys: KeyTable::default(),
            batch: 0,
            owners: Owners::default(),
            options,
            now: LatestSecond::default(),
        }
    }

    /// Notes the time of a packet. True: the clock goes on.
    #[inline]
    pub fn moves_clock(&mut self, ts_ns: i64) -> bool {
        self.now.reach(ts_ns).is_some()
    }

    #[inline]
    pub fn count(&mut self, packet: &Packet) {
        self.stats.packets += 1;
        self.stats.captured_bytes += u64::from(packet.captured_len);
    }

    /// Writes the row of a packet in `block`, where it has one.
    #[inline(never)]
    pub fn packet(
        &mut self,
        (batch, row): (&mut [u8], usize),
        packet: &Packet,
        (block, tail): (&[u8], &mut Tail<'_>),
        (decoder, feed): (&mut Decoder, &Feed),
    ) -> bool {
        self.count(packet);
        let moves_clock = self.moves_clock(packet.ts_ns);
        let outer = match decoder.decode(packet, packet.bytes(block)) {
            Ok(datagram) => match self.identify(&datagram) {
                Some(identity) => {
                    let places = tail.places(packet, &datagram);
                    self.write((batch, row), packet, &datagram, (&identity, moves_clock), places);
                    Some(datagram.outer)
                }
                None => {
                    self.stats.short_key += 1;
                    None
                }
            },
            Err(reason) => {
                self.stats.count_drop(reason);
                None
            }
        };
        if self.options.frames {
            let out = &mut self.layout.row_from(batch, row, COLUMNS.len());
            out.u32(tail.place(packet.start));
            out.u32(packet.captured_len);
            out.u32(packet.wire_len);
            out.u16(packet.link.0);
            out.u32(feed.snaplen(packet));
        }
        match outer {
            Some(outer) => {
                let layers = decoder.encaps().layers(outer);
                let tunnel = layers.and_then(Layers::tunnel);
                let out = &mut self.layout.row_from(batch, row, COLUMNS.len() - OUTER_COLUMNS);
                out.optional(layers.and_then(Layers::vlan), RowWriter::u16);
                out.optional(tunnel.map(|t| t.kind as u8), RowWriter::u8);
                out.optional(tunnel.and_then(|t| t.id), RowWriter::u32);
            }
            None if moves_clock => self.write_time(batch, row, packet),
            None => {}
        }
        outer.is_some() || moves_clock
    }

    #[inline]
    fn identify(&self, datagram: &Datagram<'_>) -> Option<Identity> {
        if self.options.aggregate {
            return Some(Identity::AGGREGATE);
        }
        identify(datagram, self.options.decode.key_encap(datagram.outer))
    }

    fn write(
        &mut self,
        (batch, row): (&mut [u8], usize),
        packet: &Packet,
        datagram: &Datagram<'_>,
        (identity, moves_clock): (&Identity, bool),
        (ip, upper_at): (u32, u32),
    ) {
        self.stats.quoted += u64::from(identity.quoted);
        let upper = upper_of(datagram);
        if upper == Upper::Other && datagram.proto == proto::TCP {
            self.stats.bad_segments += 1;
        }
        let meta = meta(identity, upper, datagram.fragment, datagram.version, datagram.proto);
        let row = &mut self.layout.row(batch, row);
        row.u32(self.keys.id(&identity.key, self.batch));
        row.u32(meta | if moves_clock { MOVES_CLOCK } else { 0 });
        write_packet(row, packet);
        row.u32(ip);
        row.u32(datagram.ip_len);
        row.u32(datagram.packet.len() as u32);
        row.u32(upper_at);
        row.u32(datagram.upper_len);
        row.u32(datagram.upper.len() as u32);
        row.u32(datagram.packets);
        row.u32(datagram.octets);
        row.bytes(&head_of(datagram.upper, upper));
    }

    /// The row of a packet that moves the clock only.
    #[cold]
    pub fn write_time(&self, batch: &mut [u8], row: usize, packet: &Packet) {
        let row = &mut self.layout.row(batch, row);
        row.u32(NO_KEY);
        row.u32(MOVES_CLOCK);
        write_packet(row, packet);
    }

    /// Tells the consumer's clock how late it is. False: it knows.
    #[cold]
    pub fn tick(&mut self, (batch, row): (&mut [u8], usize), ts_ns: i64, capture: u32) -> bool {
        let moves_clock = self.moves_clock(ts_ns);
        if moves_clock {
            self.write_time(batch, row, &Packet { ts_ns, capture, ..Packet::NOTHING });
        }
        moves_clock
    }
}

/// Number, capture and time.
#[inline]
fn write_packet(row: &mut RowWriter<'_>, packet: &Packet) {
    let (second, nanosecond) = parts(packet.ts_ns);
    row.u64(packet.number);
    row.u32(packet.capture);
    row.i64(packet.ts_ns);
    row.f64(second);
    row.u32(nanosecond);
}

/// What the datagram carries, as far as a view of it can be given.
fn upper_of(datagram: &Datagram<'_>) -> Upper {
    if datagram.fragment == Fragment::Later {
        return Upper::Other;
    }
    let is_segment = datagram.proto == proto::TCP && Segment::parse(datagram).is_some();
    Upper::of(datagram.proto, datagram.version, datagram.upper.len(), is_segment)
}

/// The column `head` of an upper layer. A field of two octets of which one was captured is none.
#[inline]
pub(super) fn head_of(octets: &[u8], upper: Upper) -> [u8; HEAD_LEN] {
    match octets.first_chunk() {
        Some(head) if matches!(upper, Upper::Tcp | Upper::Udp) => *head,
        _ => cut_head(octets, upper),
    }
}

#[cold]
fn cut_head(octets: &[u8], upper: Upper) -> [u8; HEAD_LEN] {
    let mut head = [0; HEAD_LEN];
    if matches!(upper, Upper::Tcp | Upper::Udp) {
        let there = octets.len().min(HEAD_LEN) & !1;
        head[..there].copy_from_slice(&octets[..there]);
    }
    head
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flow::timers::second_at_or_after;
    use crate::flow::timers::tests::times;

    proptest! {
        #[test]
        fn remembered_seconds_are_those_of_a_division(times in times()) {
            let mut remembered = SecondParts::default();
            for ts_ns in times {
                prop_assert_eq!(remembered.of(ts_ns), parts(ts_ns));
            }
        }

        #[test]
        fn clock_moves_with_each_second_that_no_packet_has_reached(times in times()) {
            let mut rows = Rows::new(PacketSessionOptions::default());
            let mut latest = None;
            for ts_ns in times {
                let second = second_at_or_after(ts_ns);
                prop_assert_eq!(rows.moves_clock(ts_ns), latest.is_none_or(|latest| second > latest));
                latest = latest.max(Some(second));
            }
        }
    }
}
