//! What a datagram was wrapped in (VLANs, tunnels), interned to one small number for the flow key.
//!
//! In: the layers of one packet, as the walk met them. Out: an [`EncapId`] that is equal for packets with the same
//! layers. Two rules decide what a layer's identity is, so that both directions of one inner flow are one flow and
//! equal inner addresses in two tunnels are two:
//!
//! * A layer with an identifier that both directions carry is known by it: VLAN, PPPoE session, PBB I-SID, VXLAN and
//!   Geneve VNI, NVGRE VSID, ERSPAN session. For virtual networks the tunnel end points don't count: hosts move, and
//!   the answer may come from another end point.
//! * A point-to-point tunnel is known by its two outer addresses in no order: IPIP, 6in4, 4in6, GRE (with its key),
//!   PPTP, GTP-U, EtherIP. Identifiers that belong to one direction are left out: GTP-U's TEID and PPTP's call id are
//!   chosen by each receiver, UDP source ports are chosen per flow. So two GTP-U tunnels between the *same* two nodes
//!   can't be told apart.
//! * MPLS labels belong to one direction and may be popped before the last hop: they are no part of the identity.
//!   Teredo and 6to4 addresses are unique in themselves, and their relays differ per direction: the kind alone counts.
//!
//! Where a network sends the two directions through different VLANs or tunnels, each direction is a flow of its own;
//! the option `ignoreEncap` joins them.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)*) => {
        /// What kind of layer lies around a datagram.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum LayerKind {
            /// None: an empty place.
            #[default]
            None = 0,
            $($(#[$doc])* $variant = $number,)*
        }

        impl LayerKind {
            /// The names shown to users, by number.
            pub const NAMES: &'static [&'static str] = &["none", $($name),*];
        }
    };
}

kinds! {
    /// IEEE 802.1Q or 802.1ad tag; the id is the VLAN id. Priority tags (VLAN id 0) are no layer.
    Vlan = 1 "vlan",
    /// PPPoE session (RFC 2516); the id is the session id.
    Pppoe = 2 "pppoe",
    /// IEEE 802.1ah; the id is the I-SID.
    Pbb = 3 "pbb",
    /// IPv4 in IPv4 (RFC 2003).
    Ipip = 4 "ipip",
    /// IPv6 in IPv4 (RFC 4213), 6to4 (RFC 3056).
    SixInFour = 5 "6in4",
    /// IPv4 in IPv6 (RFC 2473).
    FourInSix = 6 "4in6",
    /// IPv6 in IPv6 (RFC 2473).
    SixInSix = 7 "6in6",
    /// GRE (RFC 2784); the id is the key (RFC 2890) or 0.
    Gre = 8 "gre",
    /// NVGRE (RFC 7637): Ethernet in GRE with a key; the id is the VSID.
    Nvgre = 9 "nvgre",
    /// PPTP's GRE (RFC 2637).
    Pptp = 10 "pptp",
    /// ERSPAN; the id is the session id.
    Erspan = 11 "erspan",
    /// VXLAN (RFC 7348); the id is the VNI.
    Vxlan = 12 "vxlan",
    /// Geneve (RFC 8926); the id is the VNI.
    Geneve = 13 "geneve",
    /// GTP-U (3GPP TS 29.281).
    Gtp = 14 "gtp",
    /// Teredo (RFC 4380).
    Teredo = 15 "teredo",
    /// EtherIP (RFC 3378), or Ethernet as an IPv6 next header (RFC 8986).
    Etherip = 16 "etherip",
    /// MPLS in IP or UDP (RFC 4023, RFC 7510).
    Mpls = 17 "mpls",
}

impl LayerKind {
    /// The name shown to users.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// A layer above IP or Ethernet: anything but a VLAN tag.
    #[must_use]
    pub fn is_tunnel(self) -> bool {
        !matches!(self, Self::None | Self::Vlan)
    }
}

/// One layer around a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layer {
    /// What kind of layer.
    pub kind: LayerKind,
    /// Its identifier (VLAN id, VNI, …); `None` where it has none that both directions share.
    pub id: Option<u32>,
    /// Number of the pair of outer addresses, for point-to-point tunnels; else 0.
    peers: u32,
}

/// Most layers that are told apart; further ones are ignored.
pub const MAX_LAYERS: usize = 8;

/// The layers around one datagram, outermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layers {
    stack: [Layer; MAX_LAYERS],
    len: u8,
}

impl Layers {
    /// Adds an inner layer that is known by `id`; beyond [`MAX_LAYERS`] nothing happens.
    pub fn push(&mut self, kind: LayerKind, id: impl Into<Option<u32>>) {
        self.push_layer(Layer { kind, id: id.into(), peers: 0 });
    }

    /// Adds a point-to-point tunnel; `peers` is what [`PeerTable::intern`] gave.
    pub fn push_between(&mut self, kind: LayerKind, id: Option<u32>, peers: u32) {
        self.push_layer(Layer { kind, id, peers });
    }

    fn push_layer(&mut self, layer: Layer) {
        if let Some(slot) = self.stack.get_mut(usize::from(self.len)) {
            *slot = layer;
            self.len += 1;
        }
    }

    /// Layers so far: what [`Layers::truncate`] goes back to.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Forgets all layers but the outermost `len`.
    pub fn truncate(&mut self, len: usize) {
        while self.len() > len {
            self.len -= 1;
            self.stack[usize::from(self.len)] = Layer::default();
        }
    }

    /// Forgets all layers.
    #[inline]
    pub fn clear(&mut self) {
        if self.len > 0 {
            *self = Self::default();
        }
    }

    /// No layer at all.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The layers, outermost first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Layer> + '_ {
        self.stack[..self.len()].iter().copied()
    }

    /// The layers as words that mean the same in every run: `peers` knows the outer addresses.
    pub(crate) fn words(self, peers: &PeerTable) -> impl Iterator<Item = u64> + '_ {
        let layers = self.stack.into_iter().take(usize::from(self.len));
        layers.flat_map(move |Layer { kind, id, peers: pair }| {
            let id = id.map_or(u64::MAX, u64::from);
            let (version, ends) = peers.pair(pair).unwrap_or_default();
            let address = |at: usize| u128::from_be_bytes(ends[at]);
            let halves = |address: u128| [(address >> 64) as u64, address as u64];
            let [[a, b], [c, d]] = [halves(address(0)), halves(address(1))];
            [u64::from(kind as u8), id, u64::from(version), a, b, c, d]
        })
    }

    /// The outermost VLAN id.
    #[must_use]
    pub fn vlan(&self) -> Option<u16> {
        let tag = self.iter().find(|layer| layer.kind == LayerKind::Vlan)?;
        tag.id.and_then(|id| u16::try_from(id).ok())
    }

    /// The innermost tunnel.
    #[must_use]
    pub fn tunnel(&self) -> Option<Layer> {
        self.iter().rev().find(|layer| layer.kind.is_tunnel())
    }
}

/// The number of a stack of layers; 0 = none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EncapId(pub u32);

/// Most stacks that are told apart: 32 MiB. All further ones share [`EncapTable::OVERFLOW`].
const MAX_STACKS: usize = 1 << 18;

/// Most pairs of tunnel end points that are told apart: 12 MiB. All further ones share one number.
const MAX_PEERS: usize = 1 << 18;

/// Things numbered from 1 in order of appearance, up to a limit.
#[derive(Debug)]
struct Interner<T> {
    hasher: RandomState,
    index: HashTable<u32>,
    items: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { hasher: RandomState::default(), index: HashTable::new(), items: Vec::new() }
    }
}

impl<T: Hash + Eq + Copy> Interner<T> {
    /// The number of `item`; `u32::MAX` where there is no room for another one.
    fn number(&mut self, item: &T, limit: usize) -> u32 {
        let hash = self.hasher.hash_one(item);
        let (items, hasher) = (&self.items, &self.hasher);
        if let Some(place) = self.index.find(hash, |&i| items[i as usize] == *item) {
            return place + 1;
        }
        let Some(place) = u32::try_from(items.len()).ok().filter(|_| items.len() < limit) else { return u32::MAX };
        self.index.insert_unique(hash, place, |&i| hasher.hash_one(items[i as usize]));
        self.items.push(*item);
        place + 1
    }
}

/// Pairs of tunnel end points and their numbers.
#[derive(Debug, Default)]
pub struct PeerTable(Interner<(u8, [[u8; 16]; 2])>);

impl PeerTable {
    /// The number of the pair of addresses of one IP version, whichever of the two comes first; never 0.
    pub fn intern(&mut self, version: u8, a: &[u8; 16], b: &[u8; 16]) -> u32 {
        let pair = if a <= b { [*a, *b] } else { [*b, *a] };
        self.0.number(&(version, pair), MAX_PEERS)
    }

    /// The IP version and the addresses behind a number, the lesser one first; none for 0 and for the shared number.
    fn pair(&self, number: u32) -> Option<(u8, [[u8; 16]; 2])> {
        self.0.items.get((number as usize).checked_sub(1)?).copied()
    }
}

/// Stacks of layers and their numbers, in order of appearance.
#[derive(Debug, Default)]
pub struct EncapTable {
    stacks: Interner<Layers>,
    last: Option<(Layers, EncapId)>,
}

impl EncapTable {
    /// The number that stands for every stack beyond the limit.
    pub const OVERFLOW: EncapId = EncapId(u32::MAX);

    /// The number of `layers`.
    #[inline]
    pub fn intern(&mut self, layers: &Layers) -> EncapId {
        if layers.is_empty() {
            return EncapId(0);
        }
        if let Some((known, id)) = &self.last
            && known == layers
        {
            return *id;
        }
        self.look_up(layers)
    }

    fn look_up(&mut self, layers: &Layers) -> EncapId {
        let id = EncapId(self.stacks.number(layers, MAX_STACKS));
        self.last = Some((*layers, id));
        id
    }

    /// The layers behind `id`; none for 0 and for [`EncapTable::OVERFLOW`].
    #[must_use]
    pub fn layers(&self, id: EncapId) -> Option<&Layers> {
        self.stacks.items.get((id.0 as usize).checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_that_are_equal_share_a_number() {
        let mut table = EncapTable::default();
        let stack = |ids: &[u32]| {
            let mut layers = Layers::default();
            ids.iter().for_each(|id| layers.push(LayerKind::Vlan, *id));
            layers
        };
        assert_eq!(table.intern(&stack(&[])), EncapId(0));
        let one = table.intern(&stack(&[1]));
        let two = table.intern(&stack(&[1, 2]));
        assert_ne!(one, two);
        assert_eq!(table.intern(&stack(&[1])), one);
        assert_eq!(table.intern(&stack(&[1, 2])), two);
        assert_eq!(table.layers(two).map(|l| l.iter().count()), Some(2));
        assert_eq!(table.layers(two).and_then(Layers::vlan), Some(1), "the outermost");
        assert!(table.layers(EncapId(0)).is_none() && table.layers(EncapTable::OVERFLOW).is_none());
    }

    #[test]
    fn layers_truncated_equal_those_never_pushed() {
        let mut layers = Layers::default();
        layers.push(LayerKind::Vlan, 7);
        let before = layers;
        layers.push_between(LayerKind::Gre, Some(9), 1);
        layers.push(LayerKind::Teredo, None);
        layers.truncate(1);
        assert_eq!(layers, before);
        (0..20).for_each(|id| layers.push(LayerKind::Vlan, id));
        assert_eq!(layers.iter().count(), MAX_LAYERS);
    }

    #[test]
    fn peers_have_one_number_in_either_order() {
        let mut peers = PeerTable::default();
        let (a, b, c) = ([1; 16], [2; 16], [3; 16]);
        let ab = peers.intern(4, &a, &b);
        assert_eq!(peers.intern(4, &b, &a), ab);
        assert_ne!(peers.intern(4, &a, &c), ab);
        assert_ne!(ab, 0);
    }

    #[test]
    fn interner_at_its_limit_gives_the_shared_number() {
        let mut interner = Interner::default();
        assert_eq!([1_u8, 2, 3, 1].map(|item| interner.number(&item, 2)), [1, 2, u32::MAX, 1]);
    }

    #[test]
    fn tunnel_is_the_innermost_one() {
        let mut layers = Layers::default();
        layers.push_between(LayerKind::Gre, Some(5), 1);
        layers.push(LayerKind::Vxlan, 77);
        layers.push(LayerKind::Vlan, 3);
        assert_eq!(layers.tunnel().map(|l| (l.kind.name(), l.id)), Some(("vxlan", Some(77))));
        assert_eq!(layers.vlan(), Some(3));
    }
}
