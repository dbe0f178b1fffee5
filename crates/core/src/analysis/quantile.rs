//! Quantiles of a stream of times in bounded memory.
//!
//! Up to [`EXACT`] values are kept as they are, the first few of them in place. From then on only their counts are, in
//! buckets of which every power of two has `PER_OCTAVE`: a quantile is then at most 1/64 (1.6 %) away from the value
//! that it stands for. The buckets in use are one run, so that values of one size take little room: at most 1,888
//! buckets, 7.4 KiB.

/// Values kept as they are.
pub const EXACT: usize = 32;
/// Values kept in place: most connections are short.
const IN_PLACE: usize = 6;
/// Buckets for values from one power of two to the next.
const PER_OCTAVE: u64 = 32;
/// Its logarithm.
const SHIFT: u32 = PER_OCTAVE.trailing_zeros();

/// Values added so far: their number, least value and quantiles.
#[derive(Debug, Default)]
pub struct Quantiles(Values);

#[derive(Debug)]
enum Values {
    /// All of them, each below 2^32: 4.3 s of nanoseconds.
    Few(u8, [u32; IN_PLACE]),
    /// All of them.
    More(Box<(u8, [u64; EXACT])>),
    /// Their counts.
    Many(Box<Spread>),
}

/// Counts of values.
#[derive(Debug)]
struct Spread {
    count: u64,
    least: u64,
    /// Number of the bucket that the first of `counts` is for.
    first: usize,
    counts: Vec<u32>,
}

impl Default for Values {
    fn default() -> Self {
        Self::Few(0, [0; IN_PLACE])
    }
}

impl Quantiles {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: u64) {
        if let Values::Few(len, values) = &mut self.0
            && let Some(place) = values.get_mut(usize::from(*len))
            && let Ok(value) = u32::try_from(value)
        {
            *place = value;
            *len += 1;
            return;
        }
        self.add_to_more(value);
    }

    #[cold]
    fn add_to_more(&mut self, value: u64) {
        match &mut self.0 {
            Values::Few(len, values) => {
                let mut more = Box::new((*len, [0; EXACT]));
                more.1.iter_mut().zip(values).for_each(|(to, from)| *to = u64::from(*from));
                self.0 = Values::More(more);
                self.add_to_more(value);
            }
            Values::More(more) => match more.1.get_mut(usize::from(more.0)) {
                Some(place) => {
                    *place = value;
                    more.0 += 1;
                }
                None => self.0 = Values::Many(Box::new(Spread::new(&more.1, value))),
            },
            Values::Many(spread) => spread.add(value),
        }
    }

    /// Values added.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.0 {
            Values::Few(len, _) => u64::from(*len),
            Values::More(more) => u64::from(more.0),
            Values::Many(spread) => spread.count,
        }
    }

    /// The least value, exact, and the values below which the `parts` (0 to 1) of all lie, by nearest rank; none before
    /// the first value.
    #[must_use]
    pub fn least_and<const N: usize>(&self, parts: [f64; N]) -> Option<(u64, [u64; N])> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let ranks = parts.map(|part| ((part * count as f64).ceil() as u64).clamp(1, count));
        Some(match &self.0 {
            Values::Few(len, values) => {
                let mut sorted = *values;
                let sorted = &mut sorted[..usize::from(*len)];
                sorted.sort_unstable();
                (u64::from(sorted[0]), ranks.map(|rank| u64::from(sorted[rank as usize - 1])))
            }
            Values::More(more) => {
                let (len, mut sorted) = **more;
                let sorted = &mut sorted[..usize::from(len)];
                sorted.sort_unstable();
                (sorted[0], ranks.map(|rank| sorted[rank as usize - 1]))
            }
            Values::Many(spread) => (spread.least, ranks.map(|rank| spread.at_rank(rank))),
        })
    }
}

impl Spread {
    fn new(values: &[u64], more: u64) -> Self {
        let mut spread = Self { count: 0, least: u64::MAX, first: bucket(more), counts: vec![0] };
        values.iter().chain([&more]).for_each(|&value| spread.add(value));
        spread
    }

    fn add(&mut self, value: u64) {
        self.count += 1;
        self.least = self.least.min(value);
        count(&mut self.first, &mut self.counts, value);
    }

    /// The value with that rank, from 1.
    fn at_rank(&self, rank: u64) -> u64 {
        let mut below = 0;
        let at = self.counts.iter().position(|&n| {
            below += u64::from(n);
            below >= rank
        });
        // A bucket's count stops at the greatest that it holds, so there may be fewer than `count`.
        at.map_or(self.least, |at| middle(self.first + at).max(self.least))
    }
}

fn count(first: &mut usize, counts: &mut Vec<u32>, value: u64) {
    let bucket = bucket(value);
    if bucket < *first {
        counts.splice(0..0, std::iter::repeat_n(0, *first - bucket));
        *first = bucket;
    }
    let at = bucket - *first;
    if at >= counts.len() {
        counts.resize(at + 1, 0);
    }
    counts[at] = counts[at].saturating_add(1);
}

/// Values below `PER_OCTAVE` have a bucket each; above, the leading bits decide.
fn bucket(value: u64) -> usize {
    let octave = (u64::BITS - value.leading_zeros()).saturating_sub(SHIFT + 1);
    ((u64::from(octave) << SHIFT) + (value >> octave)) as usize
}

/// The value in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let octave = (bucket as u64 >> SHIFT).saturating_sub(1);
    let least = (bucket as u64 - (octave << SHIFT)) << octave;
    least + ((1 << octave) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knuth's MMIX generator: enough to fill buckets.
    fn values(n: usize, spread: u64) -> Vec<u64> {
        let mut state = 7_u64;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1 + (state >> 33) % spread
        })
        .take(n)
        .collect()
    }

    #[test]
    fn few_values_give_exact_quantiles() {
        let mut quantiles = Quantiles::default();
        assert_eq!(quantiles.least_and([0.5]), None);
        (1..=20).rev().for_each(|value| quantiles.add(value * 10));
        assert_eq!(quantiles.count(), 20);
        assert_eq!(quantiles.least_and([0.5, 0.95, 1.0]), Some((10, [100, 190, 200])));
    }

    #[test]
    fn values_stay_exact_from_place_to_place() {
        // One that is too large for its place, at each number of values before it.
        for large in 0..EXACT {
            let mut quantiles = Quantiles::default();
            let mut sorted: Vec<u64> =
                (0..EXACT as u64).map(|i| if i == large as u64 { 1 << 40 } else { 90 - i }).collect();
            for (i, &value) in sorted.iter().enumerate() {
                quantiles.add(value);
                assert_eq!(quantiles.count(), i as u64 + 1);
            }
            sorted.sort_unstable();
            let found = quantiles.least_and([0.25, 0.5, 0.75, 1.0]);
            assert_eq!(found, Some((sorted[0], [sorted[7], sorted[15], sorted[23], sorted[31]])));
        }
    }

    #[test]
    fn many_values_give_quantiles_within_a_64th() {
        for spread in [10, 1000, 1_000_000, 1_000_000_000] {
            let mut sorted = values(5000, spread);
            let mut quantiles = Quantiles::default();
            sorted.iter().for_each(|&value| quantiles.add(value));
            sorted.sort_unstable();
            for part in [0.01, 0.5, 0.95, 1.0] {
                let exact = sorted[((part * 5000.0_f64).ceil() as usize - 1).min(4999)];
                let found = quantiles.least_and([part]).map_or(0, |(_, [found])| found);
                assert!(found.abs_diff(exact) * 64 <= exact, "{part} of {spread}: {found}, not {exact}");
            }
            assert_eq!(quantiles.least_and([]).map(|(least, [])| least), sorted.first().copied());
        }
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut quantiles = Quantiles::default();
        (0..64).flat_map(|bit| [1_u64 << bit, (1_u64 << bit) - 1, u64::MAX >> bit]).for_each(|v| quantiles.add(v));
        let Values::Many(spread) = &quantiles.0 else { panic!("still few") };
        assert!(spread.counts.len() <= 1920, "{} buckets", spread.counts.len());
    }

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..64).map(|bit| 1_u64 << bit).flat_map(|v| [v - 1, v, v + v / 3]) {
            let found = middle(bucket(value));
            assert!(found.abs_diff(value) <= value / 64 + 1, "{value}: {found}");
        }
    }
}
