//! The table of open flows: look-up, timers, eviction, and the queue of finished ones.

use std::collections::VecDeque;

use tcpskein_map::Pages;

use super::index::KeyIndex;
use super::timers::{Bin, Entry, LatestSecond, Timers, second_at_or_after};
use super::{Direction, FlowKey, Identity};
use crate::chain::{BasicState, TcpState};
use crate::decode::EncapId;

/// Why a flow record ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    /// A chain said that the flow is complete.
    Complete = 0,
    /// No packet for the idle timeout.
    Idle = 1,
    /// The input ended.
    #[default]
    Flush = 2,
    /// The table was full.
    Evicted = 3,
}

impl EndReason {
    /// The names, by number.
    pub const NAMES: [&'static str; 4] = ["complete", "idle", "flush", "evicted"];
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    #[default]
    Free,
    Active,
    Expiring,
    /// Out of the table, waiting to be written.
    Ready,
}

/// What every packet of a flow touches: two cache lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct FlowSlot {
    key: FlowKey,
    /// Time of the latest packet, nanoseconds since the Unix epoch.
    pub last_ns: i64,
    /// Time at which the flow is idle.
    idle_ns: i64,
    /// Packets forward and back.
    pub packets: [u64; 2],
    /// Octets of IP packets forward and back.
    pub octets: [u64; 2],
    /// State of the TCP chain.
    pub tcp: TcpState,
    generation: u32,
    status: Status,
    /// The key's first endpoint sent the first packet.
    first_is_fwd: bool,
    reason: EndReason,
}

impl FlowSlot {
    /// The flow is in the table.
    #[inline]
    fn is_open(&self) -> bool {
        matches!(self.status, Status::Active | Status::Expiring)
    }

    /// Second at which the flow is idle.
    fn idle_second(&self) -> i64 {
        second_at_or_after(self.idle_ns)
    }
}

/// What only the first packet and the record touch.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowCold {
    /// Serial number in order of first packets, from 0.
    pub flow_id: u64,
    /// Time of the first packet, nanoseconds since the Unix epoch.
    pub first_ns: i64,
    /// Number of the first packet in its capture, from 1.
    pub first_packet: u64,
    /// Number of the capture of the first packet, from 0.
    pub capture: u32,
    /// 4 or 6.
    pub version: u8,
    /// VLANs and tunnels around the first packet.
    pub outer: EncapId,
    /// What the basic chain took from the first packet.
    pub basic: BasicState,
}

/// Bounds and times of a table.
#[derive(Clone, Copy, Debug)]
pub struct FlowTableOptions {
    /// A flow without packets for this long is over, in nanoseconds of packet time.
    pub idle_timeout_ns: i64,
    /// A complete flow stays open to late packets for this long, in nanoseconds of packet time.
    pub expiry_timeout_ns: i64,
    /// Most flows at a time. At the limit the flow that was complete first, else the one seen least recently, goes.
    pub max_flows: usize,
}

impl Default for FlowTableOptions {
    fn default() -> Self {
        Self { idle_timeout_ns: 30_000_000_000, expiry_timeout_ns: 5_000_000_000, max_flows: 1 << 20 }
    }
}

/// Open flows.
#[derive(Debug)]
pub struct FlowTable {
    options: FlowTableOptions,
    hasher: foldhash::fast::RandomState,
    index: KeyIndex,
    slots: Pages<FlowSlot>,
    cold: Pages<FlowCold>,
    free: Vec<u32>,
    timers: Timers,
    ready: VecDeque<u32>,
    /// Packet time.
    now: LatestSecond,
    /// Flows ever opened.
    pub opened: u64,
    /// Flows that had to go because the table was full.
    pub evicted: u64,
}

impl FlowTable {
    /// An empty table.
    #[must_use]
    pub fn new(options: FlowTableOptions) -> Self {
        Self {
            options,
            hasher: foldhash::fast::RandomState::default(),
            index: KeyIndex::default(),
            slots: Pages::default(),
            cold: Pages::default(),
            free: Vec::new(),
            timers: Timers::default(),
            ready: VecDeque::new(),
            now: LatestSecond::default(),
            opened: 0,
            evicted: 0,
        }
    }

    /// Flows that are open now.
    #[must_use]
    pub fn open_flows(&self) -> usize {
        self.index.len()
    }

    /// Moves packet time on and ends the flows whose time has come.
    #[inline]
    pub fn advance(&mut self, ts_ns: i64) {
        if let Some(second) = self.now.reach(ts_ns) {
            self.run_timers(second);
        }
    }

    #[cold]
    fn run_timers(&mut self, second: i64) {
        while let Some((fired, bin)) = self.timers.pop_until(second) {
            self.fire(fired, bin);
        }
    }

    fn fire(&mut self, second: i64, bin: Bin) {
        let mut idle = bin.idle;
        idle.extend(bin.idle_sorted);
        idle.sort_unstable_by_key(|e| self.cold[e.slot as usize].flow_id);
        for entry in idle {
            let Some(slot) = self.active(entry) else { continue };
            let later = slot.idle_second();
            if later > second {
                self.timers.set_idle(later, entry);
            } else {
                self.set_complete(entry, second, EndReason::Idle);
            }
        }
        // Completed by an idle bin with an expiry time of 0: they are due in this very second.
        let due_now = self.timers.bins.remove(&second);
        let mut due = Vec::from(bin.expiry);
        due.extend(due_now.into_iter().flat_map(|b| b.expiry));
        due.sort_unstable_by_key(|e| self.cold[e.slot as usize].flow_id);
        for entry in due {
            self.retire(entry);
        }
    }

    fn active(&mut self, entry: Entry) -> Option<&mut FlowSlot> {
        let slot = self.slots.get_mut(entry.slot as usize)?;
        (slot.generation == entry.generation && slot.status == Status::Active).then_some(slot)
    }

    /// A key's hash. What a look-up with it touches begins to be fetched.
    #[inline]
    #[must_use]
    pub fn hash_ahead(&self, key: &FlowKey) -> u64 {
        let hash = key.hash(&self.hasher);
        self.index.prefetch(hash);
        hash
    }

    /// The slot of the flow that is probably meant by `hash`, which begins to be fetched.
    #[inline]
    #[must_use]
    pub fn fetch_ahead(&self, hash: u64) -> Option<u32> {
        let slot = self.index.likely(hash)?;
        self.slots.prefetch(slot as usize, size_of::<FlowSlot>());
        Some(slot)
    }

    /// The flow of `identity`, whose key has this hash, and the packet's direction in it. A new flow gets what `open`
    /// makes. `likely` is its slot if [`Self::fetch_ahead`] was right, and if nothing came between.
    #[inline]
    pub fn find_or_open(
        &mut self,
        identity: &Identity,
        (hash, likely): (u64, Option<u32>),
        ts_ns: i64,
        open: impl FnOnce(u64) -> FlowCold,
    ) -> (usize, Direction, &mut FlowSlot) {
        // Of flows in the table only one has the key.
        let is_it = |slot: &FlowSlot| slot.key == identity.key && slot.is_open();
        let index = match likely {
            Some(likely) if is_it(&self.slots[likely as usize]) => likely,
            _ => self.find_or_open_slowly(identity, hash, ts_ns, open),
        };
        let slot = &mut self.slots[index as usize];
        slot.last_ns = ts_ns;
        slot.idle_ns = slot.idle_ns.max(ts_ns.saturating_add(self.options.idle_timeout_ns));
        let direction = if identity.from_first == slot.first_is_fwd { Direction::Fwd } else { Direction::Rev };
        (index as usize, direction, slot)
    }

    #[inline(never)]
    fn find_or_open_slowly(
        &mut self,
        identity: &Identity,
        hash: u64,
        ts_ns: i64,
        open: impl FnOnce(u64) -> FlowCold,
    ) -> u32 {
        let slots = &self.slots;
        if let Some(found) = self.index.find(hash, |i| slots[i as usize].key == identity.key) {
            return found;
        }
        let index = self.open(identity, hash, open);
        let entry = Entry { slot: index, generation: self.slots[index as usize].generation };
        let idle_ns = ts_ns.saturating_add(self.options.idle_timeout_ns);
        self.timers.set_idle(second_at_or_after(idle_ns), entry);
        index
    }

    fn open(&mut self, identity: &Identity, hash: u64, open: impl FnOnce(u64) -> FlowCold) -> u32 {
        if self.index.len() >= self.options.max_flows {
            self.evict();
        }
        let cold = open(self.opened);
        self.opened += 1;
        let index = self.free.pop().unwrap_or_else(|| {
            self.cold.push(FlowCold::default());
            self.slots.push(FlowSlot::default()) as u32
        });
        let slot = &mut self.slots[index as usize];
        *slot = FlowSlot {
            key: identity.key,
            idle_ns: i64::MIN,
            generation: slot.generation.wrapping_add(1),
            status: Status::Active,
            first_is_fwd: identity.from_first,
            ..FlowSlot::default()
        };
        self.cold[index as usize] = cold;
        self.index.insert(hash, index);
        self.tidy_timers();
        index
    }

    /// Idle entries of flows that ended early stay until their second comes; here they go when they outweigh the rest.
    fn tidy_timers(&mut self) {
        if self.timers.idle_entries > 2 * self.slots.len() + 1024 {
            let slots = &self.slots;
            self.timers.retain_idle(|e| {
                slots.get(e.slot as usize).is_some_and(|s| s.generation == e.generation && s.status == Status::Active)
            });
        }
    }

    /// A flow's slot.
    #[inline]
    pub fn slot_mut(&mut self, index: usize) -> &mut FlowSlot {
        &mut self.slots[index]
    }

    /// A flow's slot and what the first packet left.
    #[inline]
    #[must_use]
    pub fn flow(&self, index: usize) -> (&FlowSlot, &FlowCold) {
        (&self.slots[index], &self.cold[index])
    }

    /// A chain says that the flow is complete: it stays open for late packets until the expiry timeout.
    pub fn complete(&mut self, index: usize) {
        let slot = &self.slots[index];
        if slot.status == Status::Active {
            let entry = Entry { slot: index as u32, generation: slot.generation };
            let now = self.now.get().unwrap_or_default();
            self.set_complete(entry, now, EndReason::Complete);
        }
    }

    fn set_complete(&mut self, entry: Entry, second: i64, reason: EndReason) {
        let slot = &mut self.slots[entry.slot as usize];
        slot.status = Status::Expiring;
        slot.reason = reason;
        let expiry =
            second_at_or_after(second.saturating_mul(1_000_000_000).saturating_add(self.options.expiry_timeout_ns));
        self.timers.set_expiry(expiry, entry);
    }

    /// Takes a flow out of the table and puts it into the queue of finished ones.
    fn retire(&mut self, entry: Entry) {
        if !self.is_open(entry) {
            return;
        }
        let hash = self.slots[entry.slot as usize].key.hash(&self.hasher);
        self.index.remove(hash, entry.slot);
        self.finish(entry.slot);
    }

    /// The flow of which the entry speaks is in the table.
    fn is_open(&self, entry: Entry) -> bool {
        let slot = &self.slots[entry.slot as usize];
        slot.generation == entry.generation && slot.is_open()
    }

    fn finish(&mut self, slot: u32) {
        self.slots[slot as usize].status = Status::Ready;
        self.ready.push_back(slot);
    }

    /// Makes room for one flow.
    #[cold]
    fn evict(&mut self) {
        self.evicted += 1;
        if let Some(entry) = self.first_expiring() {
            return self.retire(entry);
        }
        if let Some(entry) = self.least_recently_seen() {
            self.slots[entry.slot as usize].reason = EndReason::Evicted;
            self.retire(entry);
        }
    }

    fn first_expiring(&mut self) -> Option<Entry> {
        let slots = &self.slots;
        for bin in self.timers.bins.values_mut() {
            while let Some(entry) = bin.expiry.pop_front() {
                let slot = &slots[entry.slot as usize];
                if slot.generation == entry.generation && slot.status == Status::Expiring {
                    return Some(entry);
                }
            }
        }
        None
    }

    /// The earliest idle bin holds the flows that were seen least recently; it is sorted once, when first needed.
    fn least_recently_seen(&mut self) -> Option<Entry> {
        loop {
            let (&second, bin) =
                self.timers.bins.iter_mut().find(|(_, b)| !b.idle.is_empty() || !b.idle_sorted.is_empty())?;
            if bin.idle_sorted.is_empty() {
                let seen = |e: &Entry| (self.slots[e.slot as usize].last_ns, self.cold[e.slot as usize].flow_id);
                bin.idle_sorted = std::mem::take(&mut bin.idle);
                bin.idle_sorted.sort_by_key(|e| std::cmp::Reverse(seen(e)));
                bin.sorted_ns = bin.idle_sorted.first().map_or(i64::MIN, |e| seen(e).0);
            }
            let entry = bin.idle_sorted.pop()?;
            let sorted_ns = bin.sorted_ns;
            self.timers.idle_entries -= 1;
            if let Some(slot) = self.active(entry) {
                // Seen again since the sorting: its turn is after all that weren't.
                if slot.idle_second() <= second && slot.last_ns <= sorted_ns {
                    return Some(entry);
                }
                let later = slot.idle_second().max(second);
                self.timers.set_idle(later, entry);
            }
        }
    }

    /// Ends every flow: complete ones first, in the order in which they would have expired, then the others in the
    /// order in which they began.
    pub fn flush(&mut self) {
        let bins = std::mem::take(&mut self.timers).bins;
        for (_, mut bin) in bins {
            let cold = &self.cold;
            bin.expiry.make_contiguous().sort_unstable_by_key(|e| cold[e.slot as usize].flow_id);
            for entry in bin.expiry {
                if self.is_open(entry) {
                    self.finish(entry.slot);
                }
            }
        }
        // In the order in which they lie in memory, and out of the index all at once: there may be millions.
        let open = (0..self.slots.len()).filter(|&slot| self.slots[slot].is_open());
        let mut open: Vec<(u64, u32)> = open.map(|slot| (self.cold[slot].flow_id, slot as u32)).collect();
        open.sort_unstable();
        open.into_iter().for_each(|(_, slot)| self.finish(slot));
        self.index.clear();
    }

    /// Finished flows that wait to be taken.
    #[inline]
    #[must_use]
    pub fn finished(&self) -> usize {
        self.ready.len()
    }

    /// Gives the next finished flow and its slot's number to `write` and frees the slot. False when there is none.
    pub fn take_finished(&mut self, write: impl FnOnce(usize, &FlowSlot, &FlowCold, EndReason)) -> bool {
        let Some(index) = self.ready.pop_front() else { return false };
        let slot = &mut self.slots[index as usize];
        write(index as usize, slot, &self.cold[index as usize], slot.reason);
        slot.status = Status::Free;
        self.free.push(index);
        true
    }
}
