//! Numbers in order of use: which one was used least recently is known at once.

/// The mark of a number that isn't in the list, and the end of the list.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
    is_in: bool,
}

/// A list of small dense numbers, the least recently used first. Every operation takes constant time; memory is 12
/// octets for the highest number and each below it.
#[derive(Clone, Debug)]
pub struct Recency {
    links: Vec<Link>,
    oldest: u32,
    newest: u32,
    len: usize,
}

impl Default for Recency {
    fn default() -> Self {
        Self { links: Vec::new(), oldest: NONE, newest: NONE, len: 0 }
    }
}

impl Recency {
    /// Numbers in the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number used least recently.
    #[must_use]
    pub fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// `id` is used now; it is put into the list where it isn't there yet.
    #[inline]
    pub fn touch(&mut self, id: u32) {
        if self.newest == id {
            return;
        }
        self.remove(id);
        let at = id as usize;
        if at >= self.links.len() {
            self.links.resize(at + 1, Link { older: NONE, newer: NONE, is_in: false });
        }
        self.links[at] = Link { older: self.newest, newer: NONE, is_in: true };
        match self.links.get_mut(self.newest as usize) {
            Some(newest) => newest.newer = id,
            None => self.oldest = id,
        }
        self.newest = id;
        self.len += 1;
    }

    /// Takes `id` out; nothing happens where it isn't in the list.
    pub fn remove(&mut self, id: u32) {
        let Some(&Link { older, newer, is_in: true }) = self.links.get(id as usize) else { return };
        match self.links.get_mut(older as usize) {
            Some(link) => link.newer = newer,
            None => self.oldest = newer,
        }
        match self.links.get_mut(newer as usize) {
            Some(link) => link.older = older,
            None => self.newest = older,
        }
        self.links[id as usize].is_in = false;
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Recency;

    /// All numbers, the oldest first.
    fn drain(list: &mut Recency) -> Vec<u32> {
        std::iter::from_fn(|| list.oldest().inspect(|&id| list.remove(id))).collect()
    }

    #[test]
    fn recency_against_a_list_that_is_searched() {
        let (mut list, mut naive) = (Recency::default(), Vec::<u32>::new());
        let mut state = 1_u32;
        for _ in 0..5000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (id, removes) = (state >> 16 & 31, state >> 24 & 3 == 0);
            naive.retain(|&known| known != id);
            if removes {
                list.remove(id);
            } else {
                list.touch(id);
                naive.push(id);
            }
            assert_eq!(list.len(), naive.len());
            assert_eq!(list.oldest(), naive.first().copied());
        }
        assert_eq!(drain(&mut list), naive);
        assert!(list.is_empty());
    }
}
