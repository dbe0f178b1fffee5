//! The analyses of the connections that are known, by number.
//!
//! They lie in pages and are used again, so that a connection costs no call for memory, neither at its begin nor with
//! its segments: what these need for a while comes from [`Spare`].

use std::mem::offset_of;

use tcpskein_map::Pages;

use super::Analysis;
use super::kinds::Kinds;
use super::round_trip::Spare;
use super::seen::Seen;
use crate::flow::Direction;

/// Of one session.
#[derive(Debug, Default)]
pub struct Analyses {
    analyses: Pages<Analysis>,
    free: Vec<u32>,
    spare: Spare,
}

impl Analyses {
    /// A new analysis; its number.
    pub fn open(&mut self) -> u32 {
        let Some(number) = self.free.pop() else { return self.analyses.push(Analysis::default()) as u32 };
        self.analyses[number as usize] = Analysis::default();
        number
    }

    /// Takes in a segment and says of which kinds it is; see [`Analysis::segment`].
    #[inline]
    pub fn segment(&mut self, number: u32, seen: &Seen<'_>, ports: [u16; 2]) -> Kinds {
        let Some(analysis) = self.analyses.get_mut(number as usize) else { return Kinds::default() };
        analysis.segment(seen, ports, &mut self.spare)
    }

    /// Begins to fetch what most segments touch.
    #[inline]
    pub fn fetch_ahead(&self, number: u32) {
        self.analyses.prefetch(number as usize, offset_of!(Analysis, ecn));
    }

    /// The analysis with that number.
    #[must_use]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Analysis> {
        self.analyses.get_mut(number as usize)
    }

    /// See [`Analysis::window`].
    #[must_use]
    pub fn window(&self, number: u32, direction: Direction) -> Option<u32> {
        self.analyses.get(number as usize)?.window(direction)
    }

    /// The connection has ended: its number is free.
    pub fn release(&mut self, number: u32) {
        if let Some(analysis) = self.analyses.get_mut(number as usize) {
            analysis.let_go(&mut self.spare);
            self.free.push(number);
        }
    }
}
