//! What the kernel runs on each packet before it is copied: direction, filter and length in one program.

use tcpskein_core::capture::LinkType;

use super::socket::{Instruction, Socket};
use crate::options::{Direction, LiveOptions};

/// Loads of what the kernel knows beside a packet's octets (linux/filter.h: SKF_AD_OFF, SKF_AD_PKTTYPE,
/// SKF_AD_VLAN_TAG_PRESENT).
const ANCILLARY: u32 = 0xffff_f000;
const PACKET_TYPE: u32 = ANCILLARY + 4;
const TAG_PRESENT: u32 = ANCILLARY + 48;
const OUTGOING: u32 = 4;

const LOAD_OCTET: u16 = 0x30;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Attaches what can be said of `link` as a program. True: the kernel runs the filter, or there is none.
///
/// Packets whose VLAN tag the kernel keeps apart all pass, since they look different to it: their filter is run later.
pub(super) fn attach(socket: &Socket, options: &LiveOptions, link: Option<LinkType>) -> bool {
    // Cooked headers are made later.
    let link = link.filter(|link| *link != LinkType::LINUX_SLL2);
    let filter = match (&options.filter, link) {
        (Some(filter), Some(link)) => filter.classic(link, options.snaplen),
        _ => None,
    };
    let tags_matter = link == Some(LinkType::ETHERNET);
    let runs = filter.is_some();
    let attached = socket.attach(&program(options, filter.into_iter().flatten().map(Instruction::from), tags_matter));
    (runs && attached) || options.filter.is_none()
}

fn program(options: &LiveOptions, filter: impl Iterator<Item = Instruction>, tags_matter: bool) -> Vec<Instruction> {
    // A program that doesn't end by itself takes the packet.
    let accept = Instruction::new(RETURN, 0, 0, options.snaplen);
    let mut program = Vec::new();
    if options.direction == Direction::Out {
        program.push(Instruction::new(LOAD_OCTET, 0, 0, PACKET_TYPE));
        program.push(Instruction::new(JUMP_EQUAL, 1, 0, OUTGOING));
        program.push(Instruction::RETURN_NOTHING);
    }
    let mut filter = filter.peekable();
    if filter.peek().is_none() {
        program.push(accept);
        return program;
    }
    if tags_matter {
        program.push(Instruction::new(LOAD_OCTET, 0, 0, TAG_PRESENT));
        program.push(Instruction::new(JUMP_EQUAL, 1, 0, 0));
        program.push(accept);
    }
    program.extend(filter);
    program
}
