//! The three blocks that carry packets: enhanced, simple, and the obsolete one.

use super::options::{COMMENT, Item, Options};
use super::{Block, Interface, PcapngReader, State};
use crate::capture::info::{BlockKind, CaptureInfo};
use crate::capture::{MAX_PACKET_LEN, PacketHead};
use crate::error::FlowError;

/// Octets of a block before its body.
const BLOCK_HEAD_LEN: u32 = 8;
/// Octets of an enhanced or obsolete packet's body before the data.
const PACKET_FIELDS_LEN: usize = 20;
/// Where an enhanced packet's data begins in its block, and the block's length without data or options.
const DATA_AT: usize = BLOCK_HEAD_LEN as usize + PACKET_FIELDS_LEN;
const LEAST_LEN: u32 = DATA_AT as u32 + 4;
/// The type of an enhanced packet's block.
const ENHANCED: u32 = 6;
/// `epb_dropcount`: packets lost between this one and the one before.
const EPB_DROPCOUNT: u16 = 4;
/// The obsolete block's drop count where it is not known.
const DROPS_UNKNOWN: u16 = 0xffff;

impl PcapngReader {
    /// Draft section 4.3.
    #[inline]
    pub(super) fn enhanced_packet(&mut self, block: Block, body: &[u8]) -> Result<PacketHead, FlowError> {
        let id = self.order.u32_at(body, 0);
        let head = self.packet(block, body, id)?;
        let data_end = PACKET_FIELDS_LEN + (head.captured_len as usize).next_multiple_of(4);
        if body.len() > data_end {
            self.packet_options(id, &body[data_end..]);
        }
        Ok(head)
    }

    /// The packet at the head of `bytes`, where it is an enhanced one that is whole, has no options, and is nothing special
    /// in its lengths and its time. `None` says nothing: [`PcapngReader::step`] knows.
    #[inline(always)]
    #[must_use]
    pub fn ordinary(&mut self, bytes: &[u8]) -> Option<PacketHead> {
        let head = bytes.first_chunk::<DATA_AT>()?;
        let order = self.order;
        let (len, captured_len, wire_len) = (order.u32_at(head, 4), order.u32_at(head, 20), order.u32_at(head, 24));
        let plain_len = LEAST_LEN.wrapping_add(captured_len.wrapping_add(3) & !3);
        // Nothing captured is left to the other way, too.
        let is_plain = order.u32_at(head, 0) == ENHANCED
            && captured_len.wrapping_sub(1) < wire_len
            && captured_len <= MAX_PACKET_LEN
            && len == plain_len
            && matches!(self.state, State::Head);
        if !is_plain {
            return None;
        }
        let trailer = bytes.get(len as usize - 4..)?.first_chunk::<4>()?;
        let id = order.u32_at(head, 8);
        let interface = self.interfaces.get(id as usize)?;
        let ticks = (u64::from(order.u32_at(head, 12)) << 32) | u64::from(order.u32_at(head, 16));
        let ts_ns = interface.clock.usual_nanoseconds(ticks)?;
        if order.u32(*trailer) != len {
            return None;
        }
        self.info.blocks.add(BlockKind::EnhancedPacket);
        Some(PacketHead {
            ts_ns,
            data: DATA_AT as u32,
            captured_len,
            wire_len,
            link: interface.link,
            interface: self.first_interface.saturating_add(id),
            next: len,
        })
    }

    /// Draft appendix A.
    pub(super) fn obsolete_packet(&mut self, block: Block, body: &[u8]) -> Result<PacketHead, FlowError> {
        let id = u32::from(self.order.u16_at(body, 0));
        let drops = self.order.u16_at(body, 2);
        let head = self.packet(block, body, id)?;
        if drops != 0 && drops != DROPS_UNKNOWN {
            self.add_lost(id, u64::from(drops));
        }
        let data_end = PACKET_FIELDS_LEN + (head.captured_len as usize).next_multiple_of(4);
        let list = body.get(data_end..).unwrap_or(&[]);
        self.comments(list);
        Ok(head)
    }

    /// What the enhanced and the obsolete block have in common: time and lengths at the same places.
    #[inline]
    fn packet(&mut self, block: Block, body: &[u8], id: u32) -> Result<PacketHead, FlowError> {
        let order = self.order;
        let Some(interface) = self.interfaces.get(id as usize) else { return Err(self.no_interface(block, id)) };
        let captured_len = order.u32_at(body, 12);
        check_captured_len(block, captured_len, PACKET_FIELDS_LEN as u32)?;
        let ticks = (u64::from(order.u32_at(body, 4)) << 32) | u64::from(order.u32_at(body, 8));
        let wire_len = wire_len(captured_len, order.u32_at(body, 16), &mut self.info);
        Ok(PacketHead {
            ts_ns: interface.clock.nanoseconds(ticks),
            data: BLOCK_HEAD_LEN + PACKET_FIELDS_LEN as u32,
            captured_len,
            wire_len,
            link: interface.link,
            interface: self.first_interface.saturating_add(id),
            next: 0,
        })
    }

    /// Draft section 4.4: the first interface's, without a time; what was captured follows from the snapshot length.
    pub(super) fn simple_packet(&mut self, block: Block, body: &[u8]) -> Result<PacketHead, FlowError> {
        let wire_len = self.order.u32_at(body, 0);
        let Some(&Interface { link, snaplen, .. }) = self.interfaces.first() else {
            return Err(self.no_interface(block, 0));
        };
        let captured_len = if snaplen == 0 { wire_len } else { wire_len.min(snaplen) };
        check_captured_len(block, captured_len, 4)?;
        self.info.untimed_packets += 1;
        Ok(PacketHead {
            ts_ns: 0,
            data: BLOCK_HEAD_LEN + 4,
            captured_len,
            wire_len,
            link,
            interface: self.first_interface,
            next: 0,
        })
    }

    fn packet_options(&mut self, id: u32, list: &[u8]) {
        for item in Options::new(list, self.order) {
            match item {
                Item::Option(COMMENT, text) => self.info.add_comment(text),
                Item::Option(EPB_DROPCOUNT, value) => {
                    if let Some(count) = value.first_chunk::<8>() {
                        self.add_lost(id, self.order.u64(*count));
                    }
                }
                Item::Option(..) => {}
                Item::Cut => self.info.bad_options += 1,
            }
        }
    }

    fn add_lost(&mut self, id: u32, packets: u64) {
        if let Some(info) = self.described(id) {
            info.lost_packets = info.lost_packets.saturating_add(packets);
        }
    }

    #[cold]
    pub(super) fn no_interface(&self, block: Block, id: u32) -> FlowError {
        block.damaged(format_args!("names interface {id}, but the section has {}", self.interfaces.len()))
    }
}

/// `fields` octets stand in the body before the data.
#[inline]
fn check_captured_len(block: Block, captured_len: u32, fields: u32) -> Result<(), FlowError> {
    if captured_len > MAX_PACKET_LEN {
        return Err(block.damaged(format_args!("claims a packet of {captured_len} octets, over {MAX_PACKET_LEN}")));
    }
    // Type and both lengths are 12 octets; the block's length was checked to hold the fields.
    let room = block.len - 12 - fields;
    if captured_len > room {
        return Err(block.damaged(format_args!("claims a packet of {captured_len} octets, but has room for {room}")));
    }
    Ok(())
}

/// A packet can't have been shorter than what was captured of it.
#[inline]
fn wire_len(captured_len: u32, wire_len: u32, info: &mut CaptureInfo) -> u32 {
    if wire_len < captured_len {
        info.short_wire_lens += 1;
        return captured_len;
    }
    wire_len
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tcpskein_testkit::pcapng::Pcapng;

    use super::super::MAGIC;
    use super::*;
    use crate::capture::Step;

    /// A section with interfaces whose clocks are easy, hard and late, and then one enhanced packet; where that begins.
    fn file(big: bool, interface: u32, ticks: u64, len: usize, wire: u32, comment: bool) -> (Vec<u8>, usize) {
        let mut file = Pcapng::new(big);
        let late = file.u64(1 << 60);
        file.interface(1, 0, &[]).interface(101, 96, &[(9, &[0x8a])]).interface(1, 0, &[(9, &[0]), (14, &late)]);
        let at = file.bytes.len();
        let options: &[(u16, &[u8])] = if comment { &[(1, b"hi")] } else { &[] };
        file.enhanced(interface, ticks, &vec![7; len], wire, options);
        (file.bytes, at)
    }

    /// A reader that has read all before `at`.
    fn reader(bytes: &[u8], at: usize) -> PcapngReader {
        let mut reader = PcapngReader::default();
        let mut position = 0;
        while position < at {
            match reader.step(&bytes[position..], position as u64) {
                Ok(Step::Discard(octets)) => position += octets as usize,
                other => panic!("{other:?} at {position}"),
            }
        }
        reader
    }

    #[test]
    fn most_packets_are_ordinary() {
        for big in [false, true] {
            let (bytes, at) = file(big, 0, 1_500_000, 61, 61, false);
            let head = reader(&bytes, at).ordinary(&bytes[at..]).unwrap();
            assert_eq!((head.ts_ns, head.captured_len, head.next as usize), (1_500_000_000, 61, bytes.len() - at));
        }
        assert!(PcapngReader::default().ordinary(&MAGIC).is_none());
    }

    proptest! {
        #[test]
        fn ordinary_packet_is_the_one_that_a_step_gives(
            (big, interface, comment) in (any::<bool>(), 0_u32..4, any::<bool>()),
            (len, longer) in (0_usize..70, 0_u32..3),
            ticks in prop_oneof![0_u64..1 << 50, any::<u64>()],
            change in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
            cut in 0_usize..8,
        ) {
            let (mut bytes, at) = file(big, interface, ticks, len, (len as u32 + longer).saturating_sub(1), comment);
            if let Some((index, octet)) = change {
                let index = at + index.index(bytes.len() - at);
                bytes[index] = octet;
            }
            bytes.truncate(bytes.len() - cut);
            let (mut quick, mut slow) = (reader(&bytes, at), reader(&bytes, at));
            if let Some(head) = quick.ordinary(&bytes[at..]) {
                let Ok(Step::Packet(expected)) = slow.step(&bytes[at..], at as u64) else {
                    return Err(TestCaseError::fail("no packet"));
                };
                prop_assert_eq!(format!("{head:?}"), format!("{expected:?}"));
                prop_assert_eq!(format!("{:?}", quick.info()), format!("{:?}", slow.info()));
            }
        }
    }
}
