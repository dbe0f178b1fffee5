//! The table of known connections: look-up, timers, eviction, and the queue of finished ones.

use std::collections::VecDeque;

use tcpskein_map::Pages;

use super::{Connection, EndReason};
use crate::flow::index::KeyIndex;
use crate::flow::timers::{Entry, LatestSecond, Timers, second_at_or_after};
use crate::flow::{Direction, FlowKey};

/// Bounds and times of a table.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Most connections known at a time, those that linger included. At the limit one that is over goes first, else
    /// the one whose last segment is oldest. Default 524,288.
    pub connections: usize,
    /// A connection without segments for this long ends, in nanoseconds of packet time. Default 2 h, the time after
    /// which hosts probe (RFC 1122 section 4.2.3.6): eviction bounds the memory.
    pub idle_ns: i64,
    /// A connection that is over stays known for late segments for this long after its latest one, in nanoseconds of
    /// packet time. Default 120 s: a segment's greatest lifetime (RFC 9293 section 3.4.2). Like TIME-WAIT (section
    /// 3.10.7.4) it begins anew with each segment: hosts repeat a FIN that nobody acknowledges for minutes.
    pub linger_ns: i64,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { connections: 1 << 19, idle_ns: 7_200_000_000_000, linger_ns: 120_000_000_000 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Free,
    Known,
    Over,
    Finished,
}

/// What looking a connection up touches: one cache line.
#[derive(Debug)]
#[repr(align(64))]
struct Slot {
    key: FlowKey,
    /// Time at which the connection ends: idle or, where it is over, no longer awaited.
    end_ns: i64,
    generation: u32,
    status: Status,
    /// The key's first endpoint is the client.
    first_is_client: bool,
}

impl Slot {
    /// Second at which the connection ends.
    fn end_second(&self) -> i64 {
        second_at_or_after(self.end_ns)
    }
}

/// A connection that left the table, and why.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// Its slot, until [`ConnectionTable::release`].
    pub slot: usize,
    /// Why it left.
    pub cause: EndReason,
}

/// Known connections.
#[derive(Debug)]
pub struct ConnectionTable {
    limits: ConnectionLimits,
    hasher: foldhash::fast::RandomState,
    index: KeyIndex,
    slots: Pages<Slot>,
    /// By slot number. Growing moves no connection, and none is allocated by itself.
    connections: Pages<Option<Connection>>,
    free: Vec<u32>,
    timers: Timers,
    finished: VecDeque<Finished>,
    /// Packet time.
    now: LatestSecond,
    /// Connections ever opened.
    pub opened: u64,
    /// Connections that had to go because the table was full.
    pub evicted: u64,
}

impl ConnectionTable {
    /// An empty table.
    #[must_use]
    pub fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            hasher: foldhash::fast::RandomState::default(),
            index: KeyIndex::default(),
            slots: Pages::default(),
            connections: Pages::default(),
            free: Vec::new(),
            timers: Timers::default(),
            finished: VecDeque::new(),
            now: LatestSecond::default(),
            opened: 0,
            evicted: 0,
        }
    }

    /// Connections known now.
    #[must_use]
    pub fn known(&self) -> usize {
        self.index.len()
    }

    /// Moves packet time on; connections whose time has come are finished.
    #[inline]
    pub fn advance(&mut self, ts_ns: i64) {
        if let Some(second) = self.now.reach(ts_ns) {
            self.run_timers(second);
        }
    }

    #[cold]
    fn run_timers(&mut self, second: i64) {
        while let Some((fired, bin)) = self.timers.pop_until(second) {
            for entry in bin.idle.into_iter().chain(bin.idle_sorted) {
                if self.status(entry) != Some(Status::Known) {
                    continue;
                }
                let end_second = self.slots[entry.slot as usize].end_second();
                if end_second > fired {
                    self.timers.set_idle(end_second, entry);
                } else {
                    self.finish(entry.slot, EndReason::Idle);
                }
            }
            for entry in bin.expiry {
                if self.status(entry) != Some(Status::Over) {
                    continue;
                }
                let end_second = self.slots[entry.slot as usize].end_second();
                if end_second > fired {
                    self.timers.set_expiry(end_second, entry);
                } else {
                    self.finish(entry.slot, EndReason::Idle);
                }
            }
        }
    }

    fn status(&self, entry: Entry) -> Option<Status> {
        let slot = self.slots.get(entry.slot as usize)?;
        (slot.generation == entry.generation).then_some(slot.status)
    }

    /// A key's hash.
    #[inline]
    #[must_use]
    pub fn hash(&self, key: &FlowKey) -> u64 {
        key.hash(&self.hasher)
    }

    /// The direction of a segment of the connection in this slot that the key's first endpoint sent, or the other one.
    #[inline]
    #[must_use]
    pub fn direction(&self, index: usize, from_first: bool) -> Direction {
        if self.slots[index].first_is_client == from_first { Direction::Fwd } else { Direction::Rev }
    }

    /// The slot of the connection with this key, which has this hash.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &FlowKey, hash: u64) -> Option<usize> {
        self.index.find(hash, |i| self.slots[i as usize].key == *key).map(|i| i as usize)
    }

    /// Puts a new connection under `key`, which has this hash and must not be known; `from_first`: the key's first endpoint
    /// sent its first segment. `open` gets its serial number and its slot, and gives that segment's direction too.
    pub fn open(
        &mut self,
        (key, from_first): (FlowKey, bool),
        hash: u64,
        open: impl FnOnce(u64, u32) -> (Connection, Direction),
    ) -> usize {
        if self.index.len() >= self.limits.connections.max(1) {
            self.evict();
        }
        let index = self.free.pop().unwrap_or_else(|| self.add_slot());
        let (connection, direction) = open(self.opened, index);
        self.opened += 1;
        let slot = &mut self.slots[index as usize];
        slot.key = key;
        slot.generation = slot.generation.wrapping_add(1);
        slot.status = Status::Known;
        slot.end_ns = i64::MIN;
        // Who talks to itself is its own client.
        let is_own_peer = connection.addr[0] == connection.addr[1] && connection.port[0] == connection.port[1];
        slot.first_is_client = is_own_peer || (direction == Direction::Fwd) == from_first;
        self.connections[index as usize] = Some(connection);
        self.index.insert(hash, index);
        self.tidy_timers();
        index as usize
    }

    fn add_slot(&mut self) -> u32 {
        let (key, status) = (FlowKey::default(), Status::Free);
        self.connections.push(None);
        self.slots.push(Slot { key, end_ns: 0, generation: 0, status, first_is_client: false }) as u32
    }

    fn connection(&self, index: usize) -> Option<&Connection> {
        self.connections.get(index)?.as_ref()
    }

    /// Timer entries of connections that ended early stay until their second comes; here they go when they outweigh
    /// the rest.
    fn tidy_timers(&mut self) {
        if self.timers.idle_entries > 2 * self.slots.len() + 1024 {
            let slots = &self.slots;
            self.timers.retain_idle(|e| {
                slots.get(e.slot as usize).is_some_and(|s| s.generation == e.generation && s.status == Status::Known)
            });
        }
    }

    /// A segment came at `ts_ns`: the idle time, or the time to linger, begins anew.
    #[inline]
    pub fn touch(&mut self, index: usize, ts_ns: i64) {
        let slot = &mut self.slots[index];
        let was_new = slot.end_ns == i64::MIN;
        let wait_ns = if slot.status == Status::Over { self.limits.linger_ns } else { self.limits.idle_ns };
        slot.end_ns = slot.end_ns.max(ts_ns.saturating_add(wait_ns));
        if was_new {
            let entry = Entry { slot: index as u32, generation: slot.generation };
            self.timers.set_idle(slot.end_second(), entry);
        }
    }

    /// The connection is over; it lingers.
    pub fn set_over(&mut self, index: usize, ts_ns: i64) {
        let slot = &mut self.slots[index];
        if slot.status == Status::Known {
            slot.status = Status::Over;
            slot.end_ns = ts_ns.saturating_add(self.limits.linger_ns);
            let entry = Entry { slot: index as u32, generation: slot.generation };
            self.timers.set_expiry(slot.end_second(), entry);
        }
    }

    /// A connection in the table, or finished and not yet released.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Connection> {
        self.connections.get_mut(index)?.as_mut()
    }

    /// Takes a connection out of the table because of `cause`.
    pub fn finish(&mut self, index: u32, cause: EndReason) {
        let slot = &mut self.slots[index as usize];
        if !matches!(slot.status, Status::Known | Status::Over) {
            return;
        }
        slot.status = Status::Finished;
        let hash = slot.key.hash(&self.hasher);
        self.index.remove(hash, index);
        self.finished.push_back(Finished { slot: index as usize, cause });
    }

    #[cold]
    fn evict(&mut self) {
        self.evicted += 1;
        if let Some(slot) = self.first_over().or_else(|| self.least_recently_seen()) {
            self.finish(slot, EndReason::Evicted);
        }
    }

    fn first_over(&mut self) -> Option<u32> {
        let slots = &self.slots;
        for bin in self.timers.bins.values_mut() {
            while let Some(entry) = bin.expiry.pop_front() {
                let slot = &slots[entry.slot as usize];
                if slot.generation == entry.generation && slot.status == Status::Over {
                    return Some(entry.slot);
                }
            }
        }
        None
    }

    fn least_recently_seen(&mut self) -> Option<u32> {
        loop {
            let (&second, bin) =
                self.timers.bins.iter_mut().find(|(_, b)| !b.idle.is_empty() || !b.idle_sorted.is_empty())?;
            if bin.idle_sorted.is_empty() {
                let connections = &self.connections;
                bin.idle_sorted = std::mem::take(&mut bin.idle);
                let seen = |e: &Entry| connections[e.slot as usize].as_ref().map_or(i64::MIN, |c| c.last_ns);
                bin.idle_sorted.sort_by_key(|e| std::cmp::Reverse(seen(e)));
                bin.sorted_ns = bin.idle_sorted.first().map_or(i64::MIN, seen);
            }
            let entry = bin.idle_sorted.pop()?;
            let sorted_ns = bin.sorted_ns;
            self.timers.idle_entries -= 1;
            if self.status(entry) == Some(Status::Known) {
                let end_second = self.slots[entry.slot as usize].end_second();
                let last_ns = self.connection(entry.slot as usize).map_or(i64::MIN, |c| c.last_ns);
                // Seen again since the sorting: its turn is after all that weren't.
                if end_second <= second && last_ns <= sorted_ns {
                    return Some(entry.slot);
                }
                self.timers.set_idle(end_second.max(second), entry);
            }
        }
    }

    /// The input ended: all connections finish, in the order in which they began.
    pub fn flush(&mut self) {
        self.timers = Timers::default();
        let mut open: Vec<(u64, u32)> =
            self.index.slots().filter_map(|i| self.connection(i as usize).map(|c| (c.id, i))).collect();
        open.sort_unstable();
        self.index.clear();
        self.finished.reserve(open.len());
        for (_, slot) in open {
            self.slots[slot as usize].status = Status::Finished;
            self.finished.push_back(Finished { slot: slot as usize, cause: EndReason::Eof });
        }
    }

    /// The next connection that finished.
    #[inline]
    pub fn next_finished(&mut self) -> Option<Finished> {
        self.finished.pop_front()
    }

    /// The slot of the connection that is next in [`ConnectionTable::next_finished`].
    #[inline]
    #[must_use]
    pub fn coming_finished(&self) -> Option<usize> {
        self.finished.front().map(|finished| finished.slot)
    }

    /// Frees a finished connection's slot.
    pub fn release(&mut self, index: usize) {
        self.slots[index].status = Status::Free;
        self.connections[index] = None;
        self.free.push(index as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_size_stays_small() {
        let (connection, slot) = (size_of::<Connection>(), size_of::<Slot>());
        assert!(connection <= 384, "a connection takes {connection} octets");
        assert!(slot <= 64, "a slot takes {slot} octets");
    }
}
