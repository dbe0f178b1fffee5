//! The compiled form and its evaluation: a list of steps that only jump forward, so every run ends.
//!
//! A step reads one number, masks it and asks whether it lies in a range; both answers name the next step. Reading
//! beyond the captured octets ends the run: the packet isn't chosen, whatever else the expression says.

use super::ast::ArithOp;
use super::layout::LinkKind;
use super::starts::Starts;

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
    /// The protocol where the chain of headers behind the IPv4 header at `base` ends, or `at`, where that comes first.
    Chain4,
    /// The same, of the IPv6 header at `base`.
    Chain6,
    /// Always 1: what follows lies in the Geneve packet that the UDP datagram of the IPv4 header at `base` carries.
    Geneve4,
    /// The same, of the IPv6 header at `base`.
    Geneve6,
    /// 1 where the Geneve packet holds a link-layer header, else 0.
    LinkHeader,
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

impl Step {
    /// The step that comes after `number` was read.
    #[inline]
    pub(super) fn next(&self, number: u32) -> u16 {
        if (number & self.mask).wrapping_sub(self.low) <= self.width { self.yes } else { self.no }
    }
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
    /// Places are those of [`Places`], too: a packet has told where they are.
    pub moves: bool,
    /// Where it begins for most packets.
    pub starts: Option<Box<Starts>>,
}

/// Where things lie that a packet itself tells the place of. In a program that moves, offsets around the constants of the
/// same names are counted from there.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    link_type: u32,
    payload: u32,
    header: u32,
}

impl Places {
    /// Half of the offsets that belong to one place: those below are before it.
    const HALF: u32 = 0x0800_0000;
    const LINK_TYPE: u32 = 0x4000_0000;
    const PAYLOAD: u32 = 0x5000_0000;
    const HEADER: u32 = 0x6000_0000;

    /// The octet that `at` stands for; `None` before the packet.
    fn resolve(&self, at: u32) -> Option<u32> {
        let base = match at & 0xf000_0000 {
            Self::LINK_TYPE => self.link_type,
            Self::PAYLOAD => self.payload,
            Self::HEADER => self.header,
            _ => return Some(at),
        };
        base.checked_add(at & 0x0fff_ffff)?.checked_sub(Self::HALF)
    }

    /// Behind the UDP header at `udp` lies Geneve's (RFC 8926 section 3.4), and behind that Ethernet or what its type says.
    fn enter_geneve(&mut self, data: &[u8], udp: usize) -> Option<u32> {
        let geneve = udp + 8;
        let inside = geneve + 8 + 4 * (octet(data, geneve)? & 0x3f) as usize;
        let is_ethernet = half(data, geneve + 2)? == 0x6558;
        let (link_type, payload) = if is_ethernet { (inside + 12, inside + 14) } else { (geneve + 2, inside) };
        self.link_type = u32::try_from(link_type).ok()?;
        self.payload = u32::try_from(payload).ok()?;
        self.header = u32::try_from(inside).ok()?;
        Some(1)
    }
}

/// Offsets of things in a Geneve packet: zero octets from where they begin.
pub(super) const INNER_LINK_TYPE: u32 = Places::LINK_TYPE + Places::HALF;
pub(super) const INNER_PAYLOAD: u32 = Places::PAYLOAD + Places::HALF;
pub(super) const INNER_HEADER: u32 = Places::HEADER + Places::HALF;

impl Program {
    /// The same program for packets of `kind`, which says where it begins for most of them.
    pub(super) fn with_starts(mut self, kind: LinkKind) -> Self {
        // Steps of one that moves count from where a packet says.
        self.starts = if self.moves { None } else { Starts::new(kind, self.first, &self.steps) };
        self
    }

    /// Whether the packet is chosen.
    #[inline]
    pub(super) fn run(&self, data: &[u8], wire_len: u32) -> bool {
        match self.starts.as_ref().and_then(|starts| starts.of(data)) {
            Some(ACCEPT) => true,
            Some(REJECT) => false,
            Some(start) => self.run_from(start, data, wire_len),
            None => self.run_from(self.first, data, wire_len),
        }
    }

    /// The same, from step `start` on.
    #[inline(never)]
    pub(super) fn run_from(&self, start: u16, data: &[u8], wire_len: u32) -> bool {
        if self.moves { self.walk::<true>(start, data, wire_len) } else { self.walk::<false>(start, data, wire_len) }
    }

    #[inline(always)]
    fn walk<const MOVES: bool>(&self, start: u16, data: &[u8], wire_len: u32) -> bool {
        let mut places = Places::default();
        let mut next = start;
        while let Some(step) = self.steps.get(usize::from(next)) {
            let number = if MOVES {
                self.read_moving(step, data, wire_len, &mut places)
            } else {
                self.read(step, data, wire_len, None)
            };
            let Some(number) = number else { return false };
            next = step.next(number);
        }
        next == ACCEPT
    }

    /// [`Program::read`] of a step whose offsets may be counted from a place.
    fn read_moving(&self, step: &Step, data: &[u8], wire_len: u32, places: &mut Places) -> Option<u32> {
        let Step { source, base, at, .. } = *step;
        match source {
            Source::WireLen => Some(wire_len),
            Source::Relation => self.read(step, data, wire_len, Some(places)),
            Source::LinkHeader => Some(u32::from(places.header != places.payload)),
            Source::Geneve4 => {
                let network = places.resolve(base)?;
                places.enter_geneve(data, network as usize + header_len(data, network)?)
            }
            Source::Geneve6 => {
                let network = places.resolve(base)?;
                places.enter_geneve(data, network as usize + 40)
            }
            // What is looked for isn't an offset.
            Source::Chain4 | Source::Chain6 => {
                self.read(&Step { base: places.resolve(base)?, ..*step }, data, wire_len, None)
            }
            _ => {
                let step = Step { base: places.resolve(base)?, at: places.resolve(at)?, ..*step };
                self.read(&step, data, wire_len, None)
            }
        }
    }

    #[inline]
    fn read(&self, step: &Step, data: &[u8], wire_len: u32, places: Option<&Places>) -> Option<u32> {
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
                compute(self.arith.get(from..from + at)?, data, wire_len, places)
            }
            Source::Chain4 => {
                let (network, first) = (step.base as usize, header_len(data, step.base)?);
                follow(data, network, (octet(data, network + 9)?, first), step.at, &[])
            }
            Source::Chain6 => {
                let network = step.base as usize;
                follow(data, network, (octet(data, network + 6)?, 40), step.at, &EXTENSIONS)
            }
            // Only programs that move have these.
            Source::Geneve4 | Source::Geneve6 | Source::LinkHeader => None,
        }
    }
}

/// The length of the IPv4 header at `base` (RFC 791 §3.1: it's counted in words of four octets).
#[inline]
fn header_len(data: &[u8], base: u32) -> Option<usize> {
    Some(4 * usize::from(data.get(base as usize)? & 0x0f))
}

/// IPv6's extension headers that say their length in units of eight octets (RFC 8200 section 4): hop-by-hop options,
/// routing, fragment, destination options.
const EXTENSIONS: [u32; 4] = [0, 43, 44, 60];
/// The authentication header, whose length is in words of four octets (RFC 4302 section 2.2).
const AUTHENTICATION: u32 = 51;

/// Walks headers from `next`, which begins `len` octets behind `network`, until one is `wanted` or none follows. As in
/// libpcap, an authentication header's length is taken for the place behind it, whatever came before.
fn follow(data: &[u8], network: usize, first: (u32, usize), wanted: u32, extensions: &[u32]) -> Option<u32> {
    let (mut next, mut len) = first;
    // No packet has more headers than octets; one that leads in a circle isn't chosen.
    for _ in 0..=data.len() {
        if next == wanted || (next != AUTHENTICATION && !extensions.contains(&next)) {
            return Some(next);
        }
        let at = network + len;
        let units = octet(data, at + 1)? as usize;
        len = if next == AUTHENTICATION { (units + 2) * 4 } else { len + (units + 1) * 8 };
        next = octet(data, at)?;
    }
    None
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
fn compute(list: &[Push], data: &[u8], wire_len: u32, places: Option<&Places>) -> Option<u32> {
    let resolve = |at| places.map_or(Some(at), |places| places.resolve(at));
    let mut stack = [0_u32; STACK];
    let mut depth = 0;
    for push in list {
        // `taken` numbers leave the stack and one takes their place.
        let (taken, result) = match *push {
            Push::Num(n) => (0, n),
            Push::Len => (0, wire_len),
            Push::Load { base, size } => {
                let base = resolve(base)?;
                let offset = *stack.get(depth - 1)?;
                (1, sized(data, u64::from(base) + u64::from(offset), size)?)
            }
            Push::LoadBeyond { header, base, size } => {
                let (header, base) = (resolve(header)?, resolve(base)?);
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
