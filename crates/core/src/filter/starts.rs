//! Where a program may begin: the first steps of nearly every one ask what the link layer carries, and which protocol that
//! is. Two numbers answer them, so what they lead to is computed once for each pair, and looked up for each packet.

use std::fmt;

use super::layout::{Layout, LinkKind};
use super::program::{Source, Step};

/// Steps that are looked through; further ones are left to be run.
const MOST: usize = 64;

/// The step that a program comes to, for each pair of a network layer and a protocol.
pub(super) struct Starts {
    link_type: usize,
    network: usize,
    v4: [u16; 256],
    v6: [u16; 256],
}

impl Starts {
    /// The places where `steps` may begin, where packets of `kind` have two octets that say what they carry, and it is
    /// worth it: steps are left out.
    pub(super) fn new(kind: LinkKind, first: u16, steps: &[Step]) -> Option<Box<Self>> {
        if !matches!(kind, LinkKind::Ethernet | LinkKind::Sll | LinkKind::Sll2) {
            return None;
        }
        let layout = Layout::new(kind);
        let (link_type, network) = (layout.link_type, layout.network());
        let after = |ethertype: u32, at: u32| {
            std::array::from_fn(|protocol| {
                let known = [(Source::Half, link_type, ethertype), (Source::Octet, network + at, protocol as u32)];
                follow(first, steps, known)
            })
        };
        let (v4, v6) = (after(0x0800, 9), after(0x86dd, 6));
        let starts = Self { link_type: link_type as usize, network: network as usize, v4, v6 };
        (starts.v4 != [first; 256] || starts.v6 != [first; 256]).then(|| Box::new(starts))
    }

    /// The step to begin with for a packet: `None` where it must be the first. What the steps left out read is there.
    #[inline]
    pub(super) fn of(&self, data: &[u8]) -> Option<u16> {
        let heads = data.get(..self.network + 10)?;
        match heads[self.link_type..][..2] {
            [0x08, 0x00] => Some(self.v4[usize::from(heads[self.network + 9])]),
            [0x86, 0xdd] => Some(self.v6[usize::from(heads[self.network + 6])]),
            _ => None,
        }
    }
}

impl fmt::Debug for Starts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starts")
            .field("link_type", &self.link_type)
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

/// The first step behind `first` that asks for something else than what is `known`: what is read, where, and the number there.
fn follow(first: u16, steps: &[Step], known: [(Source, u32, u32); 2]) -> u16 {
    let mut next = first;
    for _ in 0..MOST {
        let Some(step) = steps.get(usize::from(next)) else { break };
        let Some((.., number)) = known.iter().find(|(source, at, _)| (*source, *at) == (step.source, step.at)) else {
            break;
        };
        next = step.next(*number);
    }
    next
}
