//! What a datagram was wrapped in (VLANs, tunnels), interned to one small number for the flow key.

use hashbrown::HashMap;

/// What kind of layer lies around a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LayerKind {
    /// IEEE 802.1Q or 802.1ad tag; the id is the VLAN id.
    Vlan = 1,
}

impl LayerKind {
    /// The name shown to users.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vlan => "vlan",
        }
    }
}

/// One layer around a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layer {
    /// What kind of layer.
    pub kind: LayerKind,
    /// Its identifier (VLAN id, label, VNI, …); 0 where it has none.
    pub id: u32,
}

/// Most layers that are told apart; further ones are ignored.
pub const MAX_LAYERS: usize = 8;

/// The layers around one datagram, outermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layers {
    stack: [Option<Layer>; MAX_LAYERS],
    len: u8,
}

impl Layers {
    /// Adds an inner layer; beyond [`MAX_LAYERS`] nothing happens.
    pub fn push(&mut self, kind: LayerKind, id: u32) {
        if let Some(slot) = self.stack.get_mut(usize::from(self.len)) {
            *slot = Some(Layer { kind, id });
            self.len += 1;
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
    pub fn iter(&self) -> impl Iterator<Item = Layer> + '_ {
        self.stack.iter().flatten().copied()
    }
}

/// The number of a stack of layers; 0 = none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EncapId(pub u32);

/// Most stacks that are told apart; all further ones share [`EncapTable::OVERFLOW`].
const MAX_STACKS: usize = 1 << 20;

/// Stacks of layers and their numbers, in order of appearance.
#[derive(Debug, Default)]
pub struct EncapTable {
    ids: HashMap<Layers, u32>,
    stacks: Vec<Layers>,
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
        let id = match self.ids.get(layers) {
            Some(id) => EncapId(*id),
            None if self.stacks.len() >= MAX_STACKS => Self::OVERFLOW,
            None => {
                self.stacks.push(*layers);
                let id = u32::try_from(self.stacks.len()).unwrap_or(u32::MAX);
                self.ids.insert(*layers, id);
                EncapId(id)
            }
        };
        self.last = Some((*layers, id));
        id
    }

    /// The layers behind `id`; none for 0 and for [`EncapTable::OVERFLOW`].
    #[must_use]
    pub fn layers(&self, id: EncapId) -> Option<&Layers> {
        self.stacks.get((id.0 as usize).checked_sub(1)?)
    }
}
