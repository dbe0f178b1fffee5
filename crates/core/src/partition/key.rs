//! Partition keys: 64 bits that are the same for a flow in every process, of every machine, in every run.
//!
//! They are no identity: who receives packets of equal keys tells flows apart by the whole key. So it does no harm that
//! two flows share one.

use crate::decode::defrag::FragmentKey;
use crate::decode::{Decoder, EncapId};
use crate::flow::FlowKey;

/// Keeps keys of fragments apart from those of flows.
const FRAGMENT: u64 = 0x66;

/// The key of a flow; `encap` is what lies around it as far as it counts, by the numbers of `decoder`.
#[must_use]
pub fn flow_key(key: &FlowKey, encap: EncapId, decoder: &Decoder) -> i64 {
    hash(key.words().into_iter().chain(decoder.encap_words(encap)))
}

/// The key of a datagram's fragments, where the flow isn't known.
#[must_use]
pub fn fragment_key(key: &FragmentKey, decoder: &Decoder) -> i64 {
    // RFC 8200 section 4.5: IPv6 fragments of one datagram may differ in the protocol.
    let proto = if key.version == 6 { 0 } else { key.proto };
    let halves = |address: &[u8; 16]| {
        let address = u128::from_be_bytes(*address);
        [(address >> 64) as u64, address as u64]
    };
    let ([a, b], [c, d]) = (halves(&key.src), halves(&key.dst));
    let words = [FRAGMENT, a, b, c, d, u64::from(key.id) << 16 | u64::from(proto) << 8 | u64::from(key.version)];
    hash(words.into_iter().chain(decoder.encap_words(EncapId(key.encap))))
}

/// Mixes words as splitmix64 does (Steele, Lea and Flood 2014): each bit of the input changes half of the output's.
fn hash(words: impl Iterator<Item = u64>) -> i64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for word in words {
        state = mix(state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    mix(state).cast_signed()
}

fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ports: (u16, u16), turned: bool) -> i64 {
        let (a, b) = ([1; 16], [2; 16]);
        let (src, dst, ports) = if turned { (b, a, (ports.1, ports.0)) } else { (a, b, ports) };
        flow_key(&FlowKey::new(&src, &dst, ports, 6, 4, EncapId(0)).0, EncapId(0), &Decoder::default())
    }

    #[test]
    fn both_directions_have_one_key_and_it_is_the_same_for_ever() {
        assert_eq!(key((1000, 80), false), key((1000, 80), true));
        assert_ne!(key((1000, 80), false), key((1001, 80), false));
        // Streams that were written by one version are read by another.
        assert_eq!(key((1000, 80), false), key((1000, 80), false));
    }

    #[test]
    fn keys_spread_over_few_partitions() {
        let mut counts = [0_u32; 16];
        (0..16_000).for_each(|port| counts[key((port, 443), false).rem_euclid(16) as usize] += 1);
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }
}
