//! Interface description and statistics blocks (draft sections 4.2 and 4.6).

use super::options::{COMMENT, Item, Options};
use super::{Block, ByteOrder, MAX_INTERFACES, PcapngReader};
use crate::capture::LinkType;
use crate::capture::info::{InterfaceInfo, InterfaceStatistics, text};
use crate::capture::timestamp::{Clock, Resolution};
use crate::error::FlowError;

const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_SPEED: u16 = 8;
const IF_TSRESOL: u16 = 9;
const IF_FILTER: u16 = 11;
const IF_FCSLEN: u16 = 13;
const IF_TSOFFSET: u16 = 14;

const ISB_IFRECV: u16 = 4;
const ISB_IFDROP: u16 = 5;
const ISB_FILTERACCEPT: u16 = 6;
const ISB_OSDROP: u16 = 7;
const ISB_USRDELIV: u16 = 8;

/// What a packet needs to know of its interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    pub(super) snaplen: u32,
    pub(super) clock: Clock,
    /// Place in [`crate::capture::CaptureInfo::interfaces`], if it is described there.
    described: Option<usize>,
}

impl PcapngReader {
    /// Adds the interface of a description block; `body` may be cut after the first octets.
    pub(super) fn interface(&mut self, block: Block, body: &[u8]) -> Result<(), FlowError> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(block.damaged(format_args!("comes after {MAX_INTERFACES} others of this section")));
        }
        let link = LinkType::from_file(self.order.u16_at(body, 0));
        let snaplen = self.order.u32_at(body, 4);
        let id = self.first_interface.saturating_add(self.interfaces.len() as u32);
        let mut described = InterfaceInfo::new(id, link, snaplen, Resolution::MICROSECONDS);
        for item in Options::new(&body[8..], self.order) {
            match item {
                Item::Option(COMMENT, comment) => self.info.add_comment(comment),
                Item::Option(code, value) => described.set(code, value, self.order),
                Item::Cut => self.info.bad_options += 1,
            }
        }
        let clock = Clock::new(described.resolution, described.offset_s);
        let described = self.info.add_interface(described);
        self.interfaces.push(Interface { link, snaplen, clock, described });
        Ok(())
    }

    /// Takes over the counters of a statistics block; each one replaces what the block before said.
    pub(super) fn statistics(&mut self, block: Block, body: &[u8]) -> Result<(), FlowError> {
        let id = self.order.u32_at(body, 0);
        if id as usize >= self.interfaces.len() {
            return Err(self.no_interface(block, id));
        }
        let mut seen = InterfaceStatistics::default();
        for item in Options::new(&body[12..], self.order) {
            match item {
                Item::Option(COMMENT, comment) => self.info.add_comment(comment),
                Item::Option(code, value) => seen.set(code, value, self.order),
                Item::Cut => self.info.bad_options += 1,
            }
        }
        if let Some(info) = self.described(id) {
            info.statistics.replace_by(seen);
        }
        Ok(())
    }

    /// The description of the section's interface `id`, if it exists and was kept.
    pub(super) fn described(&mut self, id: u32) -> Option<&mut InterfaceInfo> {
        let place = self.interfaces.get(id as usize)?.described?;
        self.info.interfaces.get_mut(place)
    }
}

impl InterfaceInfo {
    fn set(&mut self, code: u16, value: &[u8], order: ByteOrder) {
        match code {
            IF_NAME => self.name = Some(text(value)),
            IF_DESCRIPTION => self.description = Some(text(value)),
            IF_FILTER => self.filter = filter_text(value),
            IF_SPEED => self.speed_bps = value.first_chunk().map(|octets| order.u64(*octets)),
            IF_FCSLEN => self.fcs_len = value.first().copied(),
            IF_TSRESOL => {
                if let Some(&octet) = value.first() {
                    self.resolution = Resolution::from_octet(octet);
                }
            }
            IF_TSOFFSET => {
                if let Some(octets) = value.first_chunk() {
                    self.offset_s = order.u64(*octets).cast_signed();
                }
            }
            _ => {}
        }
    }
}

impl InterfaceStatistics {
    fn set(&mut self, code: u16, value: &[u8], order: ByteOrder) {
        let Some(octets) = value.first_chunk() else { return };
        let count = Some(order.u64(*octets));
        match code {
            ISB_IFRECV => self.received = count,
            ISB_IFDROP => self.dropped = count,
            ISB_FILTERACCEPT => self.filter_accepted = count,
            ISB_OSDROP => self.os_dropped = count,
            ISB_USRDELIV => self.delivered = count,
            _ => {}
        }
    }

    fn replace_by(&mut self, later: Self) {
        *self = Self {
            received: later.received.or(self.received),
            dropped: later.dropped.or(self.dropped),
            filter_accepted: later.filter_accepted.or(self.filter_accepted),
            os_dropped: later.os_dropped.or(self.os_dropped),
            delivered: later.delivered.or(self.delivered),
        };
    }
}

/// The filter's first octet says what it is: 0 an expression, 1 a compiled program.
fn filter_text(value: &[u8]) -> Option<String> {
    match value.split_first()? {
        (0, expression) => Some(text(expression)),
        (1, program) => Some(format!("compiled, {} instructions", program.len() / 8)),
        (kind, _) => Some(format!("of unknown kind {kind}")),
    }
}
