//! The index of waiting pieces: per stream a balanced tree by offset and a list in stream order, all in one vector.
//!
//! The tree is a treap: heap order on pseudo-random priorities keeps it shallow (expected depth 2 ln n) whatever the
//! order of arrival. Pieces of one stream never overlap. Nodes that are not in use form a free list.

use super::lent::NOT_LENT;
use super::slab::Slot;

/// A piece's number, or the root of a stream's tree.
pub(crate) type PieceId = u32;

/// No piece.
pub(crate) const NIL: PieceId = u32::MAX;

/// Octets that one node counts for in the limits.
pub(crate) const NODE_OCTETS: u32 = 48;

/// `acked_at` of a piece that the peer's acknowledgement has not reached.
pub(crate) const NOT_ACKED: i64 = i64::MIN;

/// One waiting run of octets. Invariant: `len > 0`, and the slot holds at least `skip + len` octets.
pub(crate) struct Piece {
    /// Position in the stream.
    pub(crate) start: u64,
    /// When the peer's acknowledgement was seen to pass `start`, ns of packet time.
    pub(crate) acked_at: i64,
    pub(crate) len: u32,
    pub(crate) slot: Slot,
    /// Size of the slot.
    pub(crate) slot_len: u32,
    /// Octets at the slot's head that a later segment took away.
    pub(crate) skip: u32,
    /// Where the slot's octets are lent; then nothing is written in the slot, which only counts.
    pub(crate) lent: u64,
    pub(crate) prev: PieceId,
    pub(crate) next: PieceId,
    left: PieceId,
    right: PieceId,
    priority: u32,
}

impl Piece {
    /// Position after the last octet.
    pub(crate) fn end(&self) -> u64 {
        self.start + u64::from(self.len)
    }
}

/// All pieces of an arena.
pub(crate) struct Pieces {
    nodes: Vec<Piece>,
    free: PieceId,
    random: u32,
}

impl Pieces {
    pub(crate) fn new() -> Self {
        Self { nodes: Vec::new(), free: NIL, random: 0x9e37_79b9 }
    }

    /// Octets of memory in nodes.
    pub(crate) fn memory(&self) -> usize {
        self.nodes.capacity() * size_of::<Piece>()
    }

    pub(crate) fn get(&self, id: PieceId) -> &Piece {
        &self.nodes[id as usize]
    }

    pub(crate) fn get_mut(&mut self, id: PieceId) -> &mut Piece {
        &mut self.nodes[id as usize]
    }

    /// A node outside any tree.
    pub(crate) fn create(&mut self, start: u64, len: u32, slot: Slot, slot_len: u32) -> PieceId {
        let priority = self.next_random();
        let piece = Piece {
            start,
            acked_at: NOT_ACKED,
            len,
            slot,
            slot_len,
            skip: 0,
            lent: NOT_LENT,
            prev: NIL,
            next: NIL,
            left: NIL,
            right: NIL,
            priority,
        };
        if self.free == NIL {
            self.nodes.push(piece);
            return (self.nodes.len() - 1) as PieceId;
        }
        let id = self.free;
        self.free = self.get(id).next;
        self.nodes[id as usize] = piece;
        id
    }

    /// Puts a node that is in no tree back on the free list.
    pub(crate) fn discard(&mut self, id: PieceId) {
        self.get_mut(id).next = self.free;
        self.free = id;
    }

    /// The last piece that begins at or before `at`.
    pub(crate) fn floor(&self, root: PieceId, at: u64) -> PieceId {
        let (mut id, mut best) = (root, NIL);
        while id != NIL {
            let piece = self.get(id);
            if piece.start <= at {
                best = id;
                id = piece.right;
            } else {
                id = piece.left;
            }
        }
        best
    }

    /// Adds `id` to the tree; returns its new root. The list is the caller's.
    pub(crate) fn insert(&mut self, root: PieceId, id: PieceId) -> PieceId {
        let (start, priority) = (self.get(id).start, self.get(id).priority);
        let (mut parent, mut at) = (NIL, root);
        while at != NIL && self.get(at).priority >= priority {
            parent = at;
            at = if self.get(at).start < start { self.get(at).right } else { self.get(at).left };
        }
        let (left, right) = self.split(at, start);
        let node = self.get_mut(id);
        node.left = left;
        node.right = right;
        self.replace_child(root, parent, start, id)
    }

    /// Takes `id` out of the tree; returns its new root. The list is the caller's.
    pub(crate) fn remove(&mut self, root: PieceId, id: PieceId) -> PieceId {
        let start = self.get(id).start;
        let (mut parent, mut at) = (NIL, root);
        while at != id && at != NIL {
            parent = at;
            at = if self.get(at).start < start { self.get(at).right } else { self.get(at).left };
        }
        debug_assert_eq!(at, id, "the piece is in this tree");
        let merged = self.merge(self.get(id).left, self.get(id).right);
        self.replace_child(root, parent, start, merged)
    }

    fn replace_child(&mut self, root: PieceId, parent: PieceId, start: u64, child: PieceId) -> PieceId {
        if parent == NIL {
            return child;
        }
        let node = self.get_mut(parent);
        if node.start < start {
            node.right = child;
        } else {
            node.left = child;
        }
        root
    }

    /// Parts a tree into what begins before `at` and the rest.
    fn split(&mut self, root: PieceId, at: u64) -> (PieceId, PieceId) {
        if root == NIL {
            return (NIL, NIL);
        }
        if self.get(root).start < at {
            let (left, right) = self.split(self.get(root).right, at);
            self.get_mut(root).right = left;
            (root, right)
        } else {
            let (left, right) = self.split(self.get(root).left, at);
            self.get_mut(root).left = right;
            (left, root)
        }
    }

    /// Joins two trees; everything in `left` lies before everything in `right`.
    fn merge(&mut self, left: PieceId, right: PieceId) -> PieceId {
        if left == NIL {
            return right;
        }
        if right == NIL {
            return left;
        }
        if self.get(left).priority >= self.get(right).priority {
            let child = self.merge(self.get(left).right, right);
            self.get_mut(left).right = child;
            left
        } else {
            let child = self.merge(left, self.get(right).left);
            self.get_mut(right).left = child;
            right
        }
    }

    /// Marsaglia's xorshift: good enough to keep the tree shallow, the same in every run.
    fn next_random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn tree_random_inserts_and_removes_match_a_btree() {
        let mut pieces = Pieces::new();
        let mut model = BTreeMap::new();
        let (mut root, mut seed) = (NIL, 7_u64);
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) % 3000;
            assert_eq!(
                model.range(..=at).next_back().map(|(_, &id)| id).unwrap_or(NIL),
                pieces.floor(root, at),
                "floor of {at}"
            );
            if let Some(id) = model.remove(&at) {
                root = pieces.remove(root, id);
                pieces.discard(id);
            } else {
                let id = pieces.create(at, 1, 0, 0);
                root = pieces.insert(root, id);
                model.insert(at, id);
            }
        }
        assert!(model.len() > 500 && pieces.nodes.len() < 3001);
    }
}
