//! The three blocks that carry packets: enhanced, simple, and the obsolete one.

use super::options::{COMMENT, Item, Options};
use super::{Block, Interface, PcapngReader};
use crate::capture::info::CaptureInfo;
use crate::capture::{MAX_PACKET_LEN, PacketHead};
use crate::error::FlowError;

/// Octets of a block before its body.
const BLOCK_HEAD_LEN: u32 = 8;
/// Octets of an enhanced or obsolete packet's body before the data.
const PACKET_FIELDS_LEN: usize = 20;
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
