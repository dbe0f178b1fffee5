//! One packet as whoever decodes hands it to whoever keeps flows: two cache lines of plain numbers, which may go from
//! one thread to another without the memory they speak of.

use crate::capture::Packet;
use crate::decode::{Datagram, EncapId, Fragment, PlainDecoder, PlainIp, Segment, if_plain, proto};
use crate::flow::{FlowKey, Identity, identify};
use crate::seq::SeqNum;

/// How much of a packet is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Where the packet lies; the decoder that remembers things must look.
    Found,
    /// A plain datagram.
    Datagram,
    /// A plain datagram with a TCP segment whose header is all there.
    Segment,
}

/// A packet, decoded where it is a plain one.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(in crate::session) struct Decoded {
    pub packet: Packet,
    src: [u8; 16],
    dst: [u8; 16],
    ip_len: u32,
    ip_captured: u32,
    upper_len: u32,
    upper_captured: u32,
    seq: SeqNum,
    ack: SeqNum,
    ip_offset: u16,
    upper_offset: u16,
    ports: Option<(u16, u16)>,
    flags: u16,
    window: u16,
    urgent: u16,
    header_len: u8,
    version: u8,
    proto: u8,
    traffic_class: u8,
    shape: Shape,
}

const _: () = assert!(size_of::<Decoded>() == 128, "two cache lines");

impl Decoded {
    /// Tells what `plain` makes of the packet, which lies in `block`. Field by field, as [`BlockReader::find`] does.
    ///
    /// [`BlockReader::find`]: crate::capture::BlockReader::find
    #[inline(always)]
    pub fn decode(&mut self, block: &[u8], plain: PlainDecoder) {
        self.shape = Shape::Found;
        if self.is_tick() {
            return;
        }
        let packet = self.packet;
        let frame = packet.bytes(block);
        if_plain!(plain, &packet, frame, |ip, offset| return self.whole(&ip, offset));
        self.decode_cut(block, plain);
    }

    /// A plain packet that is all there. A bad segment is rare enough to be told later.
    #[inline(always)]
    fn whole(&mut self, ip: &PlainIp<'_>, offset: usize) {
        let mut shape = Shape::Datagram;
        if ip.proto == proto::TCP {
            let Some(segment) = Segment::parse_whole(ip.upper, ip.upper.len() as u32) else { return };
            self.ports = Some((segment.src_port, segment.dst_port));
            self.segment_is(&segment);
            shape = Shape::Segment;
        } else {
            self.ports = ip.ports();
        }
        self.ip_offset = offset as u16;
        self.upper_offset = (offset + ip.packet.len() - ip.upper.len()) as u16;
        (self.src, self.dst) = ip.addresses();
        (self.ip_len, self.ip_captured) = (ip.packet.len() as u32, ip.packet.len() as u32);
        (self.upper_len, self.upper_captured) = (ip.upper.len() as u32, ip.upper.len() as u32);
        self.version = ip.version;
        self.proto = ip.proto;
        self.traffic_class = ip.traffic_class;
        self.shape = shape;
    }

    /// The packet is cut, has extension headers, or is not plain.
    #[inline(never)]
    fn decode_cut(&mut self, block: &[u8], plain: PlainDecoder) {
        if let Some(datagram) = plain.decode(&self.packet, self.packet.bytes(block)) {
            self.tell(&datagram);
        }
    }

    /// A bad or cut segment is rare enough to be told later.
    fn tell(&mut self, datagram: &Datagram<'_>) {
        if datagram.proto != proto::TCP {
            self.datagram_is(datagram);
        } else if let Some(segment) = Segment::parse_whole(datagram.upper, datagram.upper_len) {
            self.datagram_is(datagram);
            if self.shape == Shape::Datagram {
                self.segment_is(&segment);
                self.shape = Shape::Segment;
            }
        }
    }

    fn datagram_is(&mut self, datagram: &Datagram<'_>) {
        let (Ok(ip_offset), Ok(upper_offset)) =
            (u16::try_from(datagram.ip_offset), u16::try_from(datagram.upper_offset))
        else {
            return;
        };
        self.ip_offset = ip_offset;
        self.upper_offset = upper_offset;
        self.src = datagram.src;
        self.dst = datagram.dst;
        self.ip_len = datagram.ip_len;
        self.ip_captured = datagram.packet.len() as u32;
        self.upper_len = datagram.upper_len;
        self.upper_captured = datagram.upper.len() as u32;
        self.ports = datagram.ports();
        self.version = datagram.version;
        self.proto = datagram.proto;
        self.traffic_class = datagram.traffic_class;
        self.shape = Shape::Datagram;
    }

    #[inline(always)]
    fn segment_is(&mut self, segment: &Segment<'_>) {
        self.seq = segment.seq;
        self.ack = segment.ack;
        self.flags = segment.flags;
        self.window = segment.window;
        self.urgent = segment.urgent;
        self.header_len = segment.header_len as u8;
    }

    pub const NOTHING: Self = Self {
        packet: Packet::NOTHING,
        src: [0; 16],
        dst: [0; 16],
        ip_len: 0,
        ip_captured: 0,
        upper_len: 0,
        upper_captured: 0,
        seq: SeqNum(0),
        ack: SeqNum(0),
        ip_offset: 0,
        upper_offset: 0,
        ports: None,
        flags: 0,
        window: 0,
        urgent: 0,
        header_len: 0,
        version: 0,
        proto: 0,
        traffic_class: 0,
        shape: Shape::Found,
    };

    /// No packet: a live source says how late it is.
    #[inline]
    pub fn is_tick(&self) -> bool {
        self.packet.number == 0
    }

    /// The datagram is known.
    #[inline]
    pub fn is_plain(&self) -> bool {
        matches!(self.shape, Shape::Datagram | Shape::Segment)
    }

    /// Control bits of the TCP segment, where it is known.
    #[inline]
    pub fn flags(&self) -> Option<u16> {
        (self.shape == Shape::Segment).then_some(self.flags)
    }

    /// Octets of the plain datagram by its header.
    #[inline]
    pub fn octets(&self) -> u32 {
        self.ip_len
    }

    /// Where its IP header begins in the block.
    #[inline]
    pub fn ip_at(&self) -> usize {
        self.packet.start + usize::from(self.ip_offset)
    }

    /// Octets of the IP packet that were captured.
    #[inline]
    pub fn ip_captured(&self) -> u32 {
        self.ip_captured
    }

    /// Where its upper layer begins in the block.
    #[inline]
    pub fn upper_at(&self) -> usize {
        self.packet.start + usize::from(self.upper_offset)
    }

    /// Octets of the upper layer by the IP header.
    #[inline]
    pub fn upper_len(&self) -> u32 {
        self.upper_len
    }

    /// Octets of the upper layer that were captured.
    #[inline]
    pub fn upper_captured(&self) -> u32 {
        self.upper_captured
    }

    /// The upper layer, in the block that the packet was found in.
    #[inline]
    pub fn upper<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        &block[self.upper_at()..self.upper_at() + self.upper_captured as usize]
    }

    /// 4 or 6.
    #[inline]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Upper-layer protocol.
    #[inline]
    pub fn proto(&self) -> u8 {
        self.proto
    }

    /// Tells whom a plain datagram belongs to, field by field; false where ports are needed but weren't captured.
    #[inline(always)]
    pub fn identify(&self, block: &[u8], identity: &mut Identity) -> bool {
        let encap = EncapId(0);
        // It may be an error that quotes another flow's packet.
        if matches!(self.proto, proto::ICMP | proto::ICMPV6) {
            return self.identify_icmp(block, identity);
        }
        let has_ports = proto::has_ports(self.proto);
        let ports = if has_ports { self.ports } else { Some((0, 0)) };
        let Some(ports) = ports else { return false };
        (identity.key, identity.from_first) =
            FlowKey::new(&self.src, &self.dst, ports, self.proto, self.version, encap);
        identity.quoted = false;
        true
    }

    #[inline(never)]
    fn identify_icmp(&self, block: &[u8], identity: &mut Identity) -> bool {
        let known = identify(&self.datagram(block), EncapId(0));
        known.map(|known| *identity = known).is_some()
    }

    /// The plain datagram, in the block that the packet was found in.
    #[inline]
    pub fn datagram<'a>(&self, block: &'a [u8]) -> Datagram<'a> {
        let frame = self.packet.bytes(block);
        let within = |offset: u16, len: u32| &frame[usize::from(offset)..usize::from(offset) + len as usize];
        Datagram {
            version: self.version,
            proto: self.proto,
            traffic_class: self.traffic_class,
            fragment: Fragment::Whole,
            src: self.src,
            dst: self.dst,
            ip_offset: u32::from(self.ip_offset),
            ip_len: self.ip_len,
            packet: within(self.ip_offset, self.ip_captured),
            upper: within(self.upper_offset, self.upper_captured),
            upper_offset: u32::from(self.upper_offset),
            upper_len: self.upper_len,
            packets: 1,
            octets: self.ip_len,
            reassembled: false,
            serial: 0,
            outer: EncapId(0),
        }
    }

    /// The TCP segment of `datagram`, which is this one's, where it is known.
    #[inline]
    pub fn segment<'a>(&self, datagram: &Datagram<'a>) -> Option<Segment<'a>> {
        let (src_port, dst_port) = self.ports?;
        let header_len = usize::from(self.header_len);
        (self.shape == Shape::Segment).then(|| Segment {
            src_port,
            dst_port,
            seq: self.seq,
            ack: self.ack,
            flags: self.flags,
            window: self.window,
            urgent: self.urgent,
            options: &datagram.upper[20..header_len],
            payload: &datagram.upper[header_len..],
            payload_len: self.upper_len - u32::from(self.header_len),
            header_len: u32::from(self.header_len),
        })
    }
}
