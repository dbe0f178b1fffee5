//! The packet filter: tcpdump's language (pcap-filter(7)), compiled once, asked for each packet.
//!
//! ```text
//! text → tokens → tree → one program per kind of link layer → yes or no
//! ```
//!
//! In come an expression and packets as they were captured; out comes whether a packet is chosen. The answers are
//! those of `tcpdump -r FILE EXPR`. Differences, all on the side of more being accepted or less being supported:
//!
//! - Hosts' names are looked up where the caller says how ([`Filter::compile_with`]), networks' and Ethernet addresses' are
//!   not; services come from a built-in table.
//! - `gateway`, 802.11, ATM, SS7 and pf keywords are refused.
//! - `proto tcp` needs no backslash, `net 10/8` no dots.
//! - Where libpcap refuses an expression on a link layer (`vlan` on raw IP), no packet of that link layer matches, and
//!   [`Filter::supports`] tells so. Link layers other than Ethernet, raw IP, BSD loopback, Linux cooked, PPP, Cisco HDLC
//!   and ipnet know only `len`, `less`, `greater` and `link[…]`, and some of them `inbound` and `outbound`.
//! - PKTAP and link layers behind a direction octet know `inbound` and `outbound`. Where the link layer doesn't tell,
//!   asking for it is an error ([`Filter::chooses`]).
//! - Inside `protochain`, headers that lead in a circle end the walk (libpcap's goes on for ever).
//! - libpcap's optimizer leaves out tests that can't change the answer, such as `ip or not ip`. Here that's done only
//!   where both answers of one step lead to the same place. It shows only in packets cut short inside such a test.
//! - An expression that can't match is no error; the empty expression matches all.

mod arith;
mod ast;
mod classic;
mod codegen;
mod emit;
mod error;
mod layout;
mod lexer;
mod link;
mod operand;
mod parser;
mod print;
mod program;
mod relation;
mod starts;
#[cfg(test)]
mod tests;
mod words;

pub use classic::{ClassicInstruction, MAX_CLASSIC_LEN};
pub use error::FilterError;
pub use lexer::MAX_EXPRESSION_LEN;
pub use parser::{Lookup, MAX_DEPTH};

use std::sync::Arc;

use crate::capture::LinkType;
use emit::Refusal;
use layout::{KINDS, LinkKind};
use program::Program;

/// A compiled expression. Cheap to clone, and usable from several threads.
///
/// # Examples
/// ```
/// use tcpskein_core::{capture::LinkType, filter::Filter};
///
/// let filter = Filter::compile("tcp port 80 or less 64")?;
/// assert!(filter.matches(LinkType::ETHERNET, &[0; 60], 60));
/// let error = Filter::compile("tcp port httpd").unwrap_err();
/// assert_eq!(error.offset(), 9);
/// # Ok::<(), tcpskein_core::filter::FilterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    /// In the order of [`KINDS`]; none where the link layer can't carry what is asked for.
    programs: Arc<[Result<Program, Refusal>; KINDS.len()]>,
}

impl Filter {
    /// Compiles `expr`, of at most [`MAX_EXPRESSION_LEN`] octets and [`MAX_DEPTH`] nested levels.
    ///
    /// # Errors
    /// [`FilterError`] with the token that doesn't fit.
    pub fn compile(expr: &str) -> Result<Self, FilterError> {
        Self::of_tree(expr, &parser::parse(expr, None)?)
    }

    /// The same, and hosts may have names: `lookup` gives the addresses of one, all of which are meant. It is asked once for
    /// each time that a name is written.
    ///
    /// # Errors
    /// [`FilterError`] with the token that doesn't fit, or with a name that has no addresses.
    pub fn compile_with(expr: &str, lookup: &Lookup<'_>) -> Result<Self, FilterError> {
        Self::of_tree(expr, &parser::parse(expr, Some(lookup))?)
    }

    fn of_tree(expr: &str, tree: &ast::Expr) -> Result<Self, FilterError> {
        let programs = KINDS.map(|kind| codegen::compile(tree, kind).map(|program| program.with_starts(kind)));
        if programs.iter().any(|program| matches!(program, Err(Refusal::TooLong))) {
            let expected = format!("an expression of at most {} steps", program::MAX_STEPS);
            return Err(FilterError::new(expr, (expr.len(), expr.len()), expected));
        }
        Ok(Self { programs: Arc::new(programs) })
    }

    /// Whether the packet is chosen: `data` are its captured octets, of `wire_len` on the wire.
    ///
    /// A packet whose captured part ends before an octet that has to be looked at isn't chosen, even under `not`.
    #[inline]
    #[must_use]
    pub fn matches(&self, link: LinkType, data: &[u8], wire_len: u32) -> bool {
        self.program(link).is_some_and(|program| program.run(data, wire_len))
    }

    /// The same, where a link layer that can't say what is asked for is not taken for a no.
    ///
    /// # Errors
    /// In words: `inbound` or `outbound` was asked for, and the link layer doesn't tell.
    #[inline(always)]
    pub fn chooses(&self, link: LinkType, data: &[u8], wire_len: u32) -> Result<bool, String> {
        // Most captures are of Ethernet, the first kind of all.
        match self.programs.first() {
            Some(Ok(program)) if link == LinkType::ETHERNET => Ok(program.run(data, wire_len)),
            _ => self.chooses_of(link, data, wire_len),
        }
    }

    #[inline(never)]
    fn chooses_of(&self, link: LinkType, data: &[u8], wire_len: u32) -> Result<bool, String> {
        match self.programs.get(LinkKind::of(link) as usize) {
            Some(Ok(program)) => Ok(program.run(data, wire_len)),
            Some(Err(Refusal::NoDirection)) => Err(no_direction(link)),
            _ => Ok(false),
        }
    }

    /// Whether packets of `link` can match at all: false where libpcap refuses the expression for this link layer.
    #[must_use]
    pub fn supports(&self, link: LinkType) -> bool {
        self.program(link).is_some()
    }

    /// The same as instructions of classic BPF, for a kernel: a chosen packet of `link` answers `accept`, any other 0.
    /// `None` where that can't be said in them: then [`Filter::matches`] must be asked.
    #[must_use]
    pub fn classic(&self, link: LinkType, accept: u32) -> Option<Vec<ClassicInstruction>> {
        self.program(link).and_then(|program| classic::assemble(program, accept))
    }

    #[inline]
    fn program(&self, link: LinkType) -> Option<&Program> {
        self.programs.get(LinkKind::of(link) as usize)?.as_ref().ok()
    }
}

#[cold]
fn no_direction(link: LinkType) -> String {
    format!("\"inbound\" and \"outbound\" can't be told: packets of link type {} don't say which way they went", link.0)
}
