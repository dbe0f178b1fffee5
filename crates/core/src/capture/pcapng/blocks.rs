//! Blocks without packets: section headers, and the dispatch of the others.

use super::options::{COMMENT, Item, Options};
use super::{BLOCK_FRAME_LEN, Block, ByteOrder, PcapngReader};
use crate::capture::info::{BlockKind, text};
use crate::error::FlowError;

const SHB_HARDWARE: u16 = 2;
const SHB_OS: u16 = 3;
const SHB_APPLICATION: u16 = 4;

/// The byte-order magic as it stands in a file of either order.
const LITTLE_ENDIAN_MAGIC: [u8; 4] = [0x4d, 0x3c, 0x2b, 0x1a];
const BIG_ENDIAN_MAGIC: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];

impl PcapngReader {
    /// The byte order of the section whose header begins with `head`.
    pub(super) fn section_order(&self, head: &[u8; BLOCK_FRAME_LEN], offset: u64) -> Result<ByteOrder, FlowError> {
        let magic = [head[8], head[9], head[10], head[11]];
        match magic {
            LITTLE_ENDIAN_MAGIC => Ok(ByteOrder::Little),
            BIG_ENDIAN_MAGIC => Ok(ByteOrder::Big),
            [a, b, c, d] => {
                let reason = format!("{a:02x}{b:02x}{c:02x}{d:02x} is no byte-order magic of pcapng");
                let offset = offset + 8;
                Err(if self.info.sections == 0 {
                    FlowError::Format { offset, reason: format!("not a capture: {reason}") }
                } else {
                    FlowError::Damaged { offset, reason }
                })
            }
        }
    }

    /// A block that carries no packet; `body` may be cut.
    pub(super) fn other_block(&mut self, block: Block, body: &[u8]) -> Result<(), FlowError> {
        match block.kind {
            BlockKind::Section => self.section(block, body),
            BlockKind::Interface => self.interface(block, body),
            BlockKind::InterfaceStatistics => self.statistics(block, body),
            _ => Ok(()),
        }
    }

    /// Draft section 4.1: a new section forgets the interfaces of the one before.
    fn section(&mut self, block: Block, body: &[u8]) -> Result<(), FlowError> {
        let (major, minor) = (self.order.u16_at(body, 4), self.order.u16_at(body, 6));
        if major != 1 {
            let reason = format!("pcapng version {major}.{minor} is not known");
            return Err(FlowError::Format { offset: block.offset + 12, reason });
        }
        self.first_interface = self.first_interface.saturating_add(self.interfaces.len() as u32);
        self.interfaces.clear();
        self.info.sections += 1;
        self.info.big_endian = self.order == ByteOrder::Big;
        for item in Options::new(&body[16..], self.order) {
            match item {
                Item::Option(COMMENT, comment) => self.info.add_comment(comment),
                Item::Option(SHB_HARDWARE, value) => set_once(&mut self.info.hardware, value),
                Item::Option(SHB_OS, value) => set_once(&mut self.info.os, value),
                Item::Option(SHB_APPLICATION, value) => set_once(&mut self.info.application, value),
                Item::Option(..) => {}
                Item::Cut => self.info.bad_options += 1,
            }
        }
        Ok(())
    }

    /// Counts the comments of an option list in which nothing else matters.
    pub(super) fn comments(&mut self, list: &[u8]) {
        for item in Options::new(list, self.order) {
            match item {
                Item::Option(COMMENT, comment) => self.info.add_comment(comment),
                Item::Option(..) => {}
                Item::Cut => self.info.bad_options += 1,
            }
        }
    }
}

fn set_once(place: &mut Option<String>, value: &[u8]) {
    if place.is_none() {
        *place = Some(text(value));
    }
}
