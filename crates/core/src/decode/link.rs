//! The walk from the start of a frame to its network layer.
//!
//! ```text
//! link type → [Start] → Step → Step → … → offset of the IP header
//! ```
//!
//! Each step reads one header and says what comes next ([`Step`]). A step reads only what it needs, so a cut packet is
//! followed as far as it goes. Link types that carry no IP, and those that aren't known, are told apart by their
//! [`Drop`].

mod ethertype;
mod llc;
mod pseudo;
mod serial;
mod start;
#[cfg(test)]
mod tests;
mod types;
mod wlan;

pub use types::UnknownLinks;

use super::Drop;
use super::encap::{LayerKind, Layers};
use crate::capture::LinkType;

/// Most headers that are followed before the frame is called broken.
const MAX_STEPS: usize = 32;

/// What lies at an offset in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An IP header: the end of the walk.
    Ip(usize),
    /// A payload with its ethertype, or an 802.3 length in its place.
    Ethertype(u16, usize),
    /// Ethernet: destination and source address first.
    Ethernet(usize),
    /// IEEE 802.2 LLC.
    Llc(usize),
    /// A PPP protocol number, perhaps with address and control before it.
    Ppp(usize),
    /// A stack of MPLS labels.
    Mpls(usize),
    /// An IEEE 802.11 MAC header; the flag: it is padded to a multiple of four.
    Wlan(usize, bool),
    /// A frame of another link type.
    Link(LinkType, usize),
}

/// The offset of the IP header in an Ethernet frame that holds nothing in between.
#[inline]
pub fn plain_ethernet(link: LinkType, frame: &[u8]) -> Option<usize> {
    let &[high, low] = frame.get(12..14)?.first_chunk()?;
    let is_ip = matches!(u16::from_be_bytes([high, low]), ethertype::IPV4 | ethertype::IPV6);
    (link == LinkType::ETHERNET && is_ip).then_some(14)
}

/// Finds the IP header of `frame`: its offset. VLAN tags and the like go to `layers`, outermost first.
///
/// # Errors
/// Why there is none.
#[inline]
pub fn network_layer(link: LinkType, frame: &[u8], layers: &mut Layers) -> Result<usize, Drop> {
    // The common case first.
    match plain_ethernet(link, frame) {
        Some(offset) => Ok(offset),
        None => walk(frame, Step::Link(link, 0), layers),
    }
}

/// Where the packet at `at` ends by the PPPoE header right before it, if there is one and the capture goes that far.
pub fn pppoe_end(frame: &[u8], at: usize, layers: &Layers) -> Option<usize> {
    if layers.iter().next_back()?.kind != LayerKind::Pppoe {
        return None;
    }
    // RFC 2516 section 4: the length counts the payload, which begins with PPP's protocol number.
    let ppp = at.checked_sub(2)?;
    let end = ppp + usize::from(u16_at(frame, ppp.checked_sub(2)?).ok()?);
    (at < end && end <= frame.len()).then_some(end)
}

/// Walks from `step` to the IP header.
///
/// # Errors
/// Why there is none.
#[inline(never)]
pub(super) fn walk(frame: &[u8], mut step: Step, layers: &mut Layers) -> Result<usize, Drop> {
    for _ in 0..MAX_STEPS {
        step = match step {
            Step::Ip(at) => return Ok(at),
            Step::Ethertype(kind, at) => ethertype::follow(frame, kind, at, layers)?,
            Step::Ethernet(at) => Step::Ethertype(u16_at(frame, at + 12)?, at + 14),
            Step::Llc(at) => llc::follow(frame, at)?,
            Step::Ppp(at) => serial::ppp(frame, at)?,
            Step::Mpls(at) => ethertype::mpls(frame, at)?,
            Step::Wlan(at, padded) => wlan::mac(frame, at, padded)?,
            Step::Link(link, at) => start::first(link, frame, at)?,
        }
    }
    Err(Drop::Broken)
}

#[inline]
fn u8_at(frame: &[u8], at: usize) -> Result<u8, Drop> {
    frame.get(at).copied().ok_or(Drop::Cut)
}

#[inline]
fn u16_at(frame: &[u8], at: usize) -> Result<u16, Drop> {
    array_at(frame, at).map(u16::from_be_bytes)
}

fn u32_at(frame: &[u8], at: usize) -> Result<u32, Drop> {
    array_at(frame, at).map(u32::from_be_bytes)
}

#[inline]
fn array_at<const N: usize>(frame: &[u8], at: usize) -> Result<[u8; N], Drop> {
    frame.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Drop::Cut)
}
