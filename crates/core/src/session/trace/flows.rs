//! Which traced flow a segment belongs to, and when a flow is over.
//!
//! By default a flow is one direction of a 4-tuple and ends with its FIN, as PyPCAPKit has it; with `bidirectional` it
//! is both, and ends after the FINs of both (or a RST), when no packet came for the linger time. In both ways a SYN with
//! a new initial sequence number begins a new flow, so that a port used again is told apart.

use std::collections::VecDeque;

use hashbrown::HashTable;

use super::label::LabelParts;
use crate::capture::LinkType;
use crate::decode::{EncapId, Segment, flags};
use crate::flow::FlowKey;
use crate::seq::SeqNum;
use crate::sink::{Interface, Recency};

/// Why a traced flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TraceEnd {
    /// FIN (with `bidirectional`: of both directions, or a RST).
    Fin = 0,
    /// A SYN began a new flow.
    Reuse = 1,
    /// The input ended, or a flush was asked for.
    Flush = 2,
    /// The table was full.
    Evicted = 3,
}

impl TraceEnd {
    /// The words, by number.
    pub const NAMES: [&'static str; 4] = ["fin", "reuse", "flush", "evicted"];
}

/// What flows are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceKey {
    /// Endpoints and what lies around them.
    pub key: FlowKey,
    /// The direction, where directions are told apart.
    pub from_first: bool,
    /// The link type, where a file can have but one.
    pub link: LinkType,
}

impl TraceKey {
    fn hash(&self, state: &foldhash::fast::RandomState) -> u64 {
        let tag = u64::from(self.link.0) << 1 | u64::from(self.from_first);
        // Multiplied by an odd number, so that the bits that a hash table looks at first differ.
        (self.key.hash(state) ^ tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// What a flow's first packet tells.
#[derive(Clone, Copy, Debug)]
pub struct FirstPacket {
    /// What the label is made of.
    pub parts: LabelParts,
    /// VLANs and tunnels around it.
    pub outer: EncapId,
    /// Its number in its capture.
    pub number: u64,
    /// Number of the capture.
    pub capture: u32,
    /// It goes from the key's first endpoint.
    pub from_first: bool,
}

/// One direction, as far as it tells where a connection begins and ends.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    isn: Option<SeqNum>,
    /// Sequence number of the latest segment.
    latest: Option<SeqNum>,
    fin: bool,
}

/// An open flow.
#[derive(Debug)]
pub struct TracedFlow {
    key: TraceKey,
    /// Serial number in order of first packets, from 0.
    pub id: u64,
    /// What the first packet told.
    pub first: FirstPacket,
    /// Time of the latest packet.
    pub last_ns: i64,
    /// Packets.
    pub packets: u64,
    /// Octets of them that were captured.
    pub octets: u64,
    /// Its file's number in the file set.
    pub file: u32,
    /// Interfaces described in its file.
    pub interfaces: Vec<Interface>,
    sides: [Side; 2],
    is_over: bool,
}

/// A TCP header's part in this; none of it where the header is broken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signals {
    seq: Option<SeqNum>,
    syn: bool,
    ack: bool,
    fin: bool,
    rst: bool,
}

impl Signals {
    /// Of a segment.
    #[must_use]
    pub fn of(segment: &Segment<'_>) -> Self {
        Self {
            seq: Some(segment.seq),
            syn: segment.has(flags::SYN),
            ack: segment.has(flags::ACK),
            fin: segment.has(flags::FIN),
            rst: segment.has(flags::RST),
        }
    }
}

/// How flows are told apart, and how many.
#[derive(Clone, Copy, Debug)]
pub struct FlowRules {
    /// Both directions are one flow.
    pub bidirectional: bool,
    /// Packet time for which a bidirectional flow that is over waits for late packets, in nanoseconds.
    pub linger_ns: i64,
    /// Most open flows; at the limit the one seen least recently ends.
    pub max_flows: usize,
}

/// Octets by which a SYN may come late: data with higher numbers was seen first.
const LATE: i32 = 1 << 20;

/// Open flows.
#[derive(Debug)]
pub struct TraceTable {
    rules: FlowRules,
    hasher: foldhash::fast::RandomState,
    index: HashTable<u32>,
    slots: Vec<Option<TracedFlow>>,
    free: Vec<u32>,
    recent: Recency,
    /// Flows that are over, in that order: when their time is up (unless packets came), slot and serial number.
    lingering: VecDeque<(i64, u32, u64)>,
    /// Flows ever opened.
    pub opened: u64,
}

impl TraceTable {
    /// An empty table.
    #[must_use]
    pub fn new(rules: FlowRules) -> Self {
        Self {
            rules,
            hasher: foldhash::fast::RandomState::default(),
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            recent: Recency::default(),
            lingering: VecDeque::new(),
            opened: 0,
        }
    }

    /// Flows open now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// There is no room for another flow: the flow that was seen least recently must go.
    #[must_use]
    pub fn full(&self) -> Option<u32> {
        if self.index.len() < self.rules.max_flows.max(1) { None } else { self.recent.oldest() }
    }

    /// A flow that is over and has waited long enough.
    pub fn due(&mut self, now_ns: i64) -> Option<u32> {
        while let Some(&(due_ns, slot, id)) = self.lingering.front()
            && due_ns <= now_ns
        {
            self.lingering.pop_front();
            let Some(flow) = self.get(slot).filter(|flow| flow.id == id) else { continue };
            let due_ns = flow.last_ns.saturating_add(self.rules.linger_ns);
            if due_ns <= now_ns {
                return Some(slot);
            }
            self.lingering.push_back((due_ns, slot, id));
        }
        None
    }

    /// Any open flow, the one seen least recently first.
    #[must_use]
    pub fn any(&self) -> Option<u32> {
        self.recent.oldest()
    }

    /// The open flow of `key`.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &TraceKey) -> Option<u32> {
        let slots = &self.slots;
        let is_it = |&slot: &u32| slots[slot as usize].as_ref().is_some_and(|flow| flow.key == *key);
        self.index.find(key.hash(&self.hasher), is_it).copied()
    }

    /// A flow.
    #[inline]
    pub fn get(&mut self, slot: u32) -> Option<&mut TracedFlow> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Opens a flow, whose file has number `file`; there must be room.
    pub fn open(&mut self, key: TraceKey, first: FirstPacket, file: u32) -> u32 {
        let flow = TracedFlow {
            key,
            id: self.opened,
            first,
            last_ns: first.parts.first_ns,
            packets: 0,
            octets: 0,
            file,
            interfaces: Vec::new(),
            sides: [Side::default(); 2],
            is_over: false,
        };
        self.opened += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize] = Some(flow);
        let (slots, hasher) = (&self.slots, &self.hasher);
        let rehash = |&slot: &u32| slots[slot as usize].as_ref().map_or(0, |flow| flow.key.hash(hasher));
        self.index.insert_unique(key.hash(hasher), slot, rehash);
        slot
    }

    /// Takes a flow out.
    pub fn close(&mut self, slot: u32) -> Option<TracedFlow> {
        let flow = self.slots.get_mut(slot as usize)?.take()?;
        if let Ok(found) = self.index.find_entry(flow.key.hash(&self.hasher), |&at| at == slot) {
            found.remove();
        }
        self.recent.remove(slot);
        self.free.push(slot);
        Some(flow)
    }

    /// Counts a packet of `octets` octets at `ts_ns`. True: with it the flow has ended.
    #[inline]
    pub fn count(&mut self, slot: u32, signals: Signals, from_first: bool, octets: u32, ts_ns: i64) -> bool {
        self.recent.touch(slot);
        let bidirectional = self.rules.bidirectional;
        let Some(flow) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return false };
        flow.packets += 1;
        flow.octets += u64::from(octets);
        flow.last_ns = ts_ns;
        let side = &mut flow.sides[usize::from(from_first != flow.first.from_first)];
        side.fin |= signals.fin;
        side.latest = signals.seq.or(side.latest);
        if signals.syn && side.isn.is_none() {
            side.isn = signals.seq;
        }
        if !bidirectional {
            return signals.fin;
        }
        if !flow.is_over && (signals.rst || flow.sides.iter().all(|side| side.fin)) {
            flow.is_over = true;
            self.lingering.push_back((ts_ns.saturating_add(self.rules.linger_ns), slot, flow.id));
        }
        false
    }

    /// The segment can't belong to the flow: its SYN has another initial sequence number.
    #[must_use]
    pub fn begins_anew(&self, slot: u32, signals: Signals, from_first: bool) -> bool {
        let (true, false, Some(seq)) = (signals.syn, signals.rst, signals.seq) else { return false };
        let Some(flow) = self.slots.get(slot as usize).and_then(Option::as_ref) else { return false };
        let way = usize::from(from_first != flow.first.from_first);
        let (side, other) = (&flow.sides[way], &flow.sides[1 - way]);
        if let Some(isn) = side.isn {
            // A server that answers a second time may choose another number; the client's SYN then tells.
            let is_answer = self.rules.bidirectional && signals.ack && !flow.is_over;
            return isn != seq && !is_answer;
        }
        match side.latest {
            // Data that overtook its SYN.
            Some(latest) => !(0..=LATE).contains(&latest.since(seq.plus(1))),
            // Nothing of this direction was seen: the answer came first, or it is the answer.
            None => other.isn.is_none() && !signals.ack,
        }
    }
}
