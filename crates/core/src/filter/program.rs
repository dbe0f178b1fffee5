//! The compiled form and its evaluation: a list of steps that only jump forward, so every run ends.
//!
//! A step reads one number, masks it and asks whether it lies in a range; both answers name the next step. Reading
//! beyond the captured octets ends the run: the packet isn't chosen, whatever else the expression says.

use super::ast::ArithOp;

/// The target that chooses the packet. Targets beyond the list that aren't this one refuse it.
pub(super) const ACCEPT: u16 = u16::MAX;
/// The target that doesn't choose the packet.
pub(super) const REJECT: u16 = u16::MAX - 1;
/// Most steps of one program.
pub(super) const MAX_STEPS: usize = 60_000;
/// Numbers that wait at the same time while arithmetic is computed. Deeper than the parser nests.
pub(super) const STACK: usize = 80;

/// What a step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// One octet at `at`.
    Octet,
    /// Two octets at `at`.
    Half,
    /// Four octets at `at`.
    Word,
    /// One octet at `at`, plus the length of the IPv4 header that begins at `base`.
    OctetBeyond,
    /// Two octets there.
    HalfBeyond,
    /// Four octets there.
    WordBeyond,
    /// Octets on the wire.
    WireLen,
    /// The arithmetic `base..base + at`: its result is 1 where the relation holds, else 0.
    Relation,
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub source: Source,
    pub yes: u16,
    pub no: u16,
    pub base: u32,
    pub at: u32,
    pub mask: u32,
    /// The answer is yes where `low <= number & mask <= low + width`.
    pub low: u32,
    pub width: u32,
}

/// A postfix instruction of arithmetic.
#[derive(Clone, Copy, Debug)]
pub(super) enum Push {
    Num(u32),
    Len,
    /// Replaces an offset by the number of `size` octets there, counted from `base`.
    Load {
        base: u32,
        size: u8,
    },
    /// The same, and the length of the IPv4 header at `header` is added to the offset.
    LoadBeyond {
        header: u32,
        base: u32,
        size: u8,
    },
    Neg,
    Binary(ArithOp),
    /// Replaces two numbers by 1 where they are equal, else 0.
    Equal,
    /// Replaces two numbers by 1 where the first is greater, else 0.
    Greater,
}

/// An expression compiled for one kind of link layer.
#[derive(Debug)]
pub(super) struct Program {
    pub first: u16,
    pub steps: Box<[Step]>,
    pub arith: Box<[Push]>,
}

impl Program {
    /// Whether the packet is chosen.
    #[inline]
    pub(super) fn run(&self, data: &[u8], wire_len: u32) -> bool {
        let mut next = self.first;
        while let Some(step) = self.steps.get(usize::from(next)) {
            let Some(number) = self.read(step, data, wire_len) else { return false };
            let yes = (number & step.mask).wrapping_sub(step.low) <= step.width;
            next = if yes { step.yes } else { step.no };
        }
        next == ACCEPT
    }

    #[inline]
    fn read(&self, step: &Step, data: &[u8], wire_len: u32) -> Option<u32> {
        let at = step.at as usize;
        match step.source {
            Source::Octet => octet(data, at),
            Source::Half => half(data, at),
            Source::Word => word(data, at),
            Source::OctetBeyond => octet(data, at.saturating_add(header_len(data, step.base)?)),
            Source::HalfBeyond => half(data, at.saturating_add(header_len(data, step.base)?)),
            Source::WordBeyond => word(data, at.saturating_add(header_len(data, step.base)?)),
            Source::WireLen => Some(wire_len),
            Source::Relation => {
                let from = step.base as usize;
                compute(self.arith.get(from..from + at)?, data, wire_len)
            }
        }
    }
}

/// The length of the IPv4 header at `base` (RFC 791 §3.1: it's counted in words of four octets).
#[inline]
fn header_len(data: &[u8], base: u32) -> Option<usize> {
    Some(4 * usize::from(data.get(base as usize)? & 0x0f))
}

#[inline]
fn octet(data: &[u8], at: usize) -> Option<u32> {
    data.get(at).map(|octet| u32::from(*octet))
}

#[inline]
fn half(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|octets| u32::from(u16::from_be_bytes(*octets)))
}

#[inline]
fn word(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

fn sized(data: &[u8], at: u64, size: u8) -> Option<u32> {
    let at = usize::try_from(at).ok()?;
    match size {
        1 => octet(data, at),
        2 => half(data, at),
        _ => word(data, at),
    }
}

/// Runs postfix arithmetic; `None` for a read beyond the packet and for a division by zero.
#[inline(never)]
fn compute(list: &[Push], data: &[u8], wire_len: u32) -> Option<u32> {
    let mut stack = [0_u32; STACK];
    let mut depth = 0;
    for push in list {
        // `taken` numbers leave the stack and one takes their place.
        let (taken, result) = match *push {
            Push::Num(n) => (0, n),
            Push::Len => (0, wire_len),
            Push::Load { base, size } => {
                let offset = *stack.get(depth - 1)?;
                (1, sized(data, u64::from(base) + u64::from(offset), size)?)
            }
            Push::LoadBeyond { header, base, size } => {
                // Added in 32 bits, so a negative offset reads before the header's end.
                let header_len = 4 * (octet(data, header as usize)? & 0x0f);
                let offset = header_len.wrapping_add(*stack.get(depth - 1)?);
                (1, sized(data, u64::from(base) + u64::from(offset), size)?)
            }
            Push::Neg => (1, stack.get(depth - 1)?.wrapping_neg()),
            Push::Binary(op) => (2, op.apply(*stack.get(depth - 2)?, *stack.get(depth - 1)?)?),
            Push::Equal => (2, u32::from(stack.get(depth - 2)? == stack.get(depth - 1)?)),
            Push::Greater => (2, u32::from(stack.get(depth - 2)? > stack.get(depth - 1)?)),
        };
        depth -= taken;
        *stack.get_mut(depth)? = result;
        depth += 1;
    }
    stack.first().copied()
}
