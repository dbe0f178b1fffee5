//! What one stream keeps while something waits: the roots of its pieces, and its place in two lists.
//!
//! `age`: all waiting streams, the one that went longest without progress first; it gives up when the arena is full.
//! `due`: streams whose oldest hole was acknowledged, in the order that this was found out; they give up when the
//! patience is over, even if no packet of theirs comes any more.

use super::pieces::{NIL, PieceId};

/// A queue's number; `NIL` = none.
pub(crate) type QueueId = u32;

#[derive(Clone, Copy)]
pub(crate) struct Queue {
    pub(crate) root: PieceId,
    pub(crate) head: PieceId,
    pub(crate) tail: PieceId,
    /// First piece that the peer's acknowledgement has not reached.
    pub(crate) unacked: PieceId,
    /// Memory of the waiting octets.
    pub(crate) octets: u64,
    /// When the oldest hole was acknowledged; meaningful while in `due`.
    pub(crate) due_from: i64,
    /// The owner's name for the stream.
    pub(crate) token: u32,
    in_due: bool,
    links: [Link; 2],
}

#[derive(Clone, Copy)]
struct Link {
    prev: QueueId,
    next: QueueId,
}

const UNLINKED: Link = Link { prev: NIL, next: NIL };

#[derive(Clone, Copy)]
struct List {
    first: QueueId,
    last: QueueId,
}

const AGE: usize = 0;
const DUE: usize = 1;

/// The queues of an arena.
pub(crate) struct Queues {
    slots: Vec<Queue>,
    free: QueueId,
    lists: [List; 2],
}

impl Queues {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), free: NIL, lists: [List { first: NIL, last: NIL }; 2] }
    }

    pub(crate) fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Queue>()
    }

    pub(crate) fn get(&self, id: QueueId) -> &Queue {
        &self.slots[id as usize]
    }

    pub(crate) fn get_mut(&mut self, id: QueueId) -> &mut Queue {
        &mut self.slots[id as usize]
    }

    /// A new queue, youngest of all.
    pub(crate) fn open(&mut self, token: u32) -> QueueId {
        let queue = Queue {
            root: NIL,
            head: NIL,
            tail: NIL,
            unacked: NIL,
            octets: 0,
            due_from: 0,
            token,
            in_due: false,
            links: [UNLINKED; 2],
        };
        let id = if self.free == NIL {
            self.slots.push(queue);
            (self.slots.len() - 1) as QueueId
        } else {
            let id = self.free;
            self.free = self.get(id).links[AGE].next;
            self.slots[id as usize] = queue;
            id
        };
        self.link(AGE, id);
        id
    }

    /// Ends an empty queue.
    pub(crate) fn close(&mut self, id: QueueId) {
        debug_assert_eq!(self.get(id).head, NIL, "nothing waits any more");
        self.clear_due(id);
        self.unlink(AGE, id);
        self.get_mut(id).links[AGE].next = self.free;
        self.free = id;
    }

    /// The stream made progress: it is the youngest again, and its next hole has not been judged yet.
    pub(crate) fn progressed(&mut self, id: QueueId) {
        self.clear_due(id);
        self.unlink(AGE, id);
        self.link(AGE, id);
    }

    /// The oldest hole was acknowledged at `since`.
    pub(crate) fn set_due(&mut self, id: QueueId, since: i64) {
        if !self.get(id).in_due {
            self.get_mut(id).in_due = true;
            self.get_mut(id).due_from = since;
            self.link(DUE, id);
        }
    }

    /// The stream that went longest without progress.
    pub(crate) fn oldest(&self) -> Option<&Queue> {
        self.slots.get(self.lists[AGE].first as usize)
    }

    /// The stream whose oldest hole was found acknowledged first.
    pub(crate) fn first_due(&self) -> Option<&Queue> {
        self.slots.get(self.lists[DUE].first as usize)
    }

    /// The oldest hole is to be judged anew.
    pub(crate) fn clear_due(&mut self, id: QueueId) {
        if self.get(id).in_due {
            self.get_mut(id).in_due = false;
            self.unlink(DUE, id);
        }
    }

    fn link(&mut self, list: usize, id: QueueId) {
        let last = self.lists[list].last;
        self.get_mut(id).links[list] = Link { prev: last, next: NIL };
        if last == NIL {
            self.lists[list].first = id;
        } else {
            self.get_mut(last).links[list].next = id;
        }
        self.lists[list].last = id;
    }

    fn unlink(&mut self, list: usize, id: QueueId) {
        let Link { prev, next } = self.get(id).links[list];
        if prev == NIL {
            self.lists[list].first = next;
        } else {
            self.get_mut(prev).links[list].next = next;
        }
        if next == NIL {
            self.lists[list].last = prev;
        } else {
            self.get_mut(next).links[list].prev = prev;
        }
    }
}
