//! Quantiles of a stream of times in bounded memory.
//!
//! Up to [`EXACT`] values are kept as they are. From then on only their counts are, in buckets of which every power of
//! two has [`PER_OCTAVE`]: a quantile is then at most 1/64 (1.6 %) away from the value that it stands for. The buckets
//! in use are one run, so that values of one size take little room: at most 1,888 buckets, 7.4 KiB.

/// Values kept as they are.
pub const EXACT: usize = 32;
/// Buckets for values from one power of two to the next.
const PER_OCTAVE: u64 = 32;
/// Its logarithm.
const SHIFT: u32 = PER_OCTAVE.trailing_zeros();

/// Values added so far: their number, least value and quantiles.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    count: u64,
    least: u64,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    /// All of them.
    Few(Vec<u64>),
    /// Their counts: bucket `first` and those behind it.
    Many { first: usize, counts: Vec<u32> },
}

impl Default for Values {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Quantiles {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: u64) {
        self.least = if self.count == 0 { value } else { self.least.min(value) };
        self.count += 1;
        match &mut self.values {
            Values::Few(values) if values.len() < EXACT => values.push(value),
            Values::Few(_) => self.spread(value),
            Values::Many { first, counts } => count(first, counts, value),
        }
    }

    #[cold]
    fn spread(&mut self, value: u64) {
        let Values::Few(values) = std::mem::take(&mut self.values) else { return };
        let (mut first, mut counts) = (bucket(value), vec![0]);
        values.into_iter().chain([value]).for_each(|each| count(&mut first, &mut counts, each));
        self.values = Values::Many { first, counts };
    }

    /// Values added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The least value, exact; none before the first.
    #[must_use]
    pub fn least(&self) -> Option<u64> {
        (self.count > 0).then_some(self.least)
    }

    /// The value below which `part` (0 to 1) of all lie, by nearest rank; none before the first.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let rank = ((part * self.count as f64).ceil() as u64).clamp(1, self.count);
        match &self.values {
            Values::Few(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                sorted.get(rank as usize - 1).copied()
            }
            Values::Many { first, counts } => {
                let mut below = 0;
                let at = counts.iter().position(|&n| {
                    below += u64::from(n);
                    below >= rank
                })?;
                Some(middle(first + at).max(self.least))
            }
        }
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
        assert_eq!(quantiles.quantile(0.5), None);
        (1..=20).rev().for_each(|value| quantiles.add(value * 10));
        assert_eq!((quantiles.count(), quantiles.least()), (20, Some(10)));
        assert_eq!((quantiles.quantile(0.5), quantiles.quantile(0.95)), (Some(100), Some(190)));
        assert_eq!(quantiles.quantile(1.0), Some(200));
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
                let found = quantiles.quantile(part).unwrap_or(0);
                assert!(found.abs_diff(exact) * 64 <= exact, "{part} of {spread}: {found}, not {exact}");
            }
            assert_eq!(quantiles.least(), sorted.first().copied());
        }
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut quantiles = Quantiles::default();
        (0..64).flat_map(|bit| [1_u64 << bit, (1_u64 << bit) - 1, u64::MAX >> bit]).for_each(|v| quantiles.add(v));
        let Values::Many { counts, .. } = &quantiles.values else { panic!("still few") };
        assert!(counts.len() <= 1920, "{} buckets", counts.len());
    }

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..64).map(|bit| 1_u64 << bit).flat_map(|v| [v - 1, v, v + v / 3]) {
            let found = middle(bucket(value));
            assert!(found.abs_diff(value) <= value / 64 + 1, "{value}: {found}");
        }
    }
}
