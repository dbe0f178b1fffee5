//! DNSChain: whether a valid DNS response (RFC 1035 section 4.1) came back. The flow is complete then.
//!
//! Over TCP, a message is looked at where it lies in one segment, behind its length (RFC 1035 section 4.2.2).

use domain::base::{HeaderSection, ParsedRecord, Question};
use domain::dep::octseq::Parser;

use super::Seen;
use crate::batch::{Column, Kind, RowWriter};
use crate::flow::Direction;

/// A valid response was seen in reverse direction.
pub const COLUMNS: &[Column] = &[Column::new("dns_response_valid", Kind::Bool)];

/// Octets of a DNS header.
const HEADER_LEN: usize = 12;

/// Whether one was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct DnsState {
    valid: bool,
}

impl DnsState {
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        let message = match (seen.segment, seen.udp()) {
            (Some(segment), _) => tcp_message(segment.payload),
            (None, Some(udp)) => udp.payload,
            // No hook of the chain is called for other packets.
            (None, None) => return true,
        };
        self.valid |= seen.direction == Direction::Rev && !self.valid && is_valid_response(message);
        // A TCP segment without payload asks nothing of the chain.
        !self.valid || seen.segment.is_some_and(|s| s.payload_len == 0)
    }

    pub(super) fn write(&self, row: &mut RowWriter<'_>) {
        row.bool(self.valid);
    }
}

/// The message behind its length; nothing where it isn't there in full.
fn tcp_message(payload: &[u8]) -> &[u8] {
    let Some((length, rest)) = payload.split_first_chunk::<2>() else { return &[] };
    rest.get(..usize::from(u16::from_be_bytes(*length))).unwrap_or_default()
}

fn is_valid_response(message: &[u8]) -> bool {
    // RFC 1035 section 4.1.1: the QR bit. Only what claims to be a response is parsed.
    message.len() >= HEADER_LEN && message[2] & 0x80 != 0 && is_whole(&mut Parser::from_ref(&message))
}

/// The four sections are what the header counts, and nothing follows them. What is in a record's data doesn't matter:
/// RFC 3597 has unknown types passed on as they are.
fn is_whole(parser: &mut Parser<'_, &[u8]>) -> bool {
    let Ok(header) = HeaderSection::parse(parser) else { return false };
    let counts = header.counts();
    let records = u32::from(counts.ancount()) + u32::from(counts.nscount()) + u32::from(counts.arcount());
    (0..counts.qdcount()).all(|_| is_named(parser, |parser| Question::parse(parser).is_ok()))
        && (0..records).all(|_| is_named(parser, |parser| ParsedRecord::parse(parser).is_ok()))
        && parser.remaining() == 0
}

/// Goes past something that begins with a name.
fn is_named<'a, 'm>(parser: &mut Parser<'a, &'m [u8]>, parse: impl FnOnce(&mut Parser<'a, &'m [u8]>) -> bool) -> bool {
    let start = parser.pos();
    parse(parser) && points_back(parser.as_slice(), start)
}

/// RFC 1035 section 4.1.4: a pointer leads to a *prior* name, so never into the name that it ends. The parser only wants it
/// to lead to somewhere before itself.
fn points_back(message: &[u8], mut start: usize) -> bool {
    let mut at = start;
    loop {
        match message.get(at..) {
            Some([length @ 1..=0x3f, ..]) => at += 1 + usize::from(*length),
            Some([high @ 0xc0..=0xff, low, ..]) => {
                at = usize::from(high & 0x3f) << 8 | usize::from(*low);
                if at >= start {
                    return false;
                }
                start = at;
            }
            _ => return true,
        }
    }
}
