//! Explicit congestion notification as it was used: marks in IP headers and flags in TCP headers (RFC 3168), and the
//! counter that accurate ECN keeps in those flags (RFC 9768).

use super::kinds::Kinds;
use super::seen::Seen;
use crate::decode::flags;
use crate::flow::Direction;

/// What the handshake agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum EcnMode {
    /// No ECN.
    #[default]
    None = 0,
    /// RFC 3168.
    Classic = 1,
    /// RFC 9768.
    Accurate = 2,
}

impl EcnMode {
    /// The words, by number.
    pub const NAMES: [&'static str; 3] = ["none", "classic", "accurate"];
}

/// Segments of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct EcnCounts {
    /// Marked ECT(0), ECT(1) and CE in the IP header.
    pub ect0: u32,
    /// See there.
    pub ect1: u32,
    /// See there.
    pub ce: u32,
    /// With the flags ECE, CWR and AE.
    pub ece: u32,
    /// See there.
    pub cwr: u32,
    /// See there.
    pub ae: u32,
    /// Packets marked CE that this direction's sender said it received, by its ACE field.
    pub ace: u32,
    /// The ACE field of its latest segment; before that, how it begins.
    last_ace: Option<u8>,
    /// A segment without SYN came: only the client's first one has no counter in its ACE field.
    answered: bool,
}

/// Of a connection.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Ecn {
    /// What the SYN asked for.
    asked: Option<EcnMode>,
    /// What the SYN's answer agreed to.
    pub agreed: Option<EcnMode>,
    /// There may be something in `counts`.
    pub noted: bool,
    /// Of each direction.
    pub counts: [EcnCounts; 2],
}

const ALL: u16 = flags::AE | flags::CWR | flags::ECE;

impl Ecn {
    /// Takes in a segment.
    #[inline]
    pub fn segment(&mut self, seen: &Seen<'_>, kinds: Kinds) {
        if seen.has(flags::SYN) {
            self.syn(seen);
        }
        if seen.ecn != 0 || seen.has(ALL) || self.agreed == Some(EcnMode::Accurate) {
            self.count(seen, kinds);
        }
    }

    fn count(&mut self, seen: &Seen<'_>, kinds: Kinds) {
        self.noted = true;
        let accurate = self.agreed == Some(EcnMode::Accurate);
        // An older segment has an older counter.
        let in_order = !kinds.has(Kinds::OUT_OF_ORDER) && !kinds.has(Kinds::RETRANSMISSION);
        let counts = &mut self.counts[seen.direction.index()];
        // RFC 3168 section 5: 10 is ECT(0), 01 is ECT(1), 11 is CE.
        counts.ect0 += u32::from(seen.ecn == 0b10);
        counts.ect1 += u32::from(seen.ecn == 0b01);
        counts.ce += u32::from(seen.ecn == 0b11);
        counts.ece += u32::from(seen.has(flags::ECE));
        counts.cwr += u32::from(seen.has(flags::CWR));
        counts.ae += u32::from(seen.has(flags::AE));
        if accurate && in_order && seen.has(flags::ACK) && !seen.has(flags::SYN | flags::RST) {
            counts.ace_field(ace(seen.flags), seen.direction);
        }
    }

    /// RFC 9768 section 3.1.2: a SYN with all three flags asks for accurate ECN. An answer without any flag, or with
    /// all of them, agrees to nothing; one with ECE but without CWR to RFC 3168.
    #[cold]
    fn syn(&mut self, seen: &Seen<'_>) {
        if !seen.has(flags::ACK) {
            self.asked = Some(match seen.flags & ALL {
                ALL => EcnMode::Accurate,
                both if both == flags::CWR | flags::ECE => EcnMode::Classic,
                _ => EcnMode::None,
            });
            return;
        }
        let Some(asked) = self.asked else { return };
        self.agreed = Some(match (asked, seen.flags & ALL) {
            (EcnMode::None, _) | (_, 0 | ALL) => EcnMode::None,
            (_, both) if both & (flags::ECE | flags::CWR) == flags::ECE => EcnMode::Classic,
            (EcnMode::Accurate, _) => EcnMode::Accurate,
            (EcnMode::Classic, _) => EcnMode::None,
        });
    }
}

/// RFC 9768 section 3.2.2: AE, CWR and ECE are a counter modulo 8.
fn ace(flags: u16) -> u8 {
    (flags >> 6 & 7) as u8
}

impl EcnCounts {
    /// All counts, in the order of the columns.
    #[must_use]
    pub fn all(&self) -> [u32; 7] {
        [self.ect0, self.ect1, self.ce, self.ece, self.cwr, self.ae, self.ace]
    }

    /// RFC 9768 section 3.2.2: the counter begins at 5, and in the client's first segment after the handshake stands
    /// how the SYN's answer was marked.
    fn ace_field(&mut self, ace: u8, direction: Direction) {
        if std::mem::replace(&mut self.answered, true) || direction == Direction::Rev {
            let last = self.last_ace.replace(ace).unwrap_or(5);
            self.ace += u32::from(ace.wrapping_sub(last) & 7);
        }
    }
}
