//! Which likelihood ratio do the data themselves show, if all that is known is that it rises?
//!
//! Pool-adjacent-violators on two weighted samples.

/// A stretch of similarities over which the pooled ratio is one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Block {
    /// Mean similarity of what it holds, by count.
    pub centre: f64,
    /// ln of the ratio of densities, mated over non-mated.
    pub llr: f64,
    /// The fewer of the mated and the non-mated comparisons it holds: how much it is to be believed.
    pub support: f64,
}

#[derive(Clone, Copy)]
struct Pool {
    mated: f64,
    non_mated: f64,
    mated_count: f64,
    non_mated_count: f64,
    sum: f64,
}

impl Pool {
    fn is_mated_share_at_least(&self, next: &Self) -> bool {
        self.mated * (next.mated + next.non_mated) >= next.mated * (self.mated + self.non_mated)
    }

    fn take_in(&mut self, next: &Self) {
        self.mated += next.mated;
        self.non_mated += next.non_mated;
        self.mated_count += next.mated_count;
        self.non_mated_count += next.non_mated_count;
        self.sum += next.sum;
    }
}

/// Blocks of rising ratio. Both iterators ascend and yield similarity and weight; the weights of each sum to 1.
/// One mated observation of weight `mated_unit` is added below all others and a non-mated one of weight
/// `non_mated_unit` above, so that no block claims certainty.
pub(crate) fn blocks(
    mated: impl Iterator<Item = (f32, f64)>,
    non_mated: impl Iterator<Item = (f32, f64)>,
    mated_unit: f64,
    non_mated_unit: f64,
) -> Vec<Block> {
    let (mut mated, mut non_mated) = (mated.peekable(), non_mated.peekable());
    let mut pools: Vec<Pool> = Vec::new();
    let mut is_first = true;
    loop {
        let next = match (mated.peek(), non_mated.peek()) {
            (Some(a), Some(b)) => a.0.min(b.0),
            (Some(a), None) => a.0,
            (None, Some(b)) => b.0,
            (None, None) => break,
        };
        let mut pool = Pool { mated: 0.0, non_mated: 0.0, mated_count: 0.0, non_mated_count: 0.0, sum: 0.0 };
        while let Some((_, weight)) = mated.next_if(|t| t.0 <= next) {
            pool.mated += weight;
            pool.mated_count += 1.0;
        }
        while let Some((_, weight)) = non_mated.next_if(|t| t.0 <= next) {
            pool.non_mated += weight;
            pool.non_mated_count += 1.0;
        }
        pool.sum = f64::from(next) * (pool.mated_count + pool.non_mated_count);
        if std::mem::take(&mut is_first) {
            pool.mated += mated_unit;
        }
        if mated.peek().is_none() && non_mated.peek().is_none() {
            pool.non_mated += non_mated_unit;
        }
        while let Some(last) = pools.last().copied().filter(|last| last.is_mated_share_at_least(&pool)) {
            let mut merged = last;
            merged.take_in(&pool);
            pool = merged;
            pools.pop();
        }
        pools.push(pool);
    }
    let block = |p: &Pool| Block {
        centre: p.sum / (p.mated_count + p.non_mated_count),
        llr: (p.mated / p.non_mated).ln(),
        support: p.mated_count.min(p.non_mated_count),
    };
    pools.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn weighted(values: &[f32]) -> impl Iterator<Item = (f32, f64)> + '_ {
        values.iter().map(|&v| (v, 1.0 / values.len() as f64))
    }

    #[test]
    fn violators_are_pooled() {
        let found = blocks(weighted(&[2.0, 4.0, 5.0]), weighted(&[1.0, 3.0, 3.0]), 1e-9, 1e-9);
        let shapes: Vec<_> = found.iter().map(|b| (b.centre, b.support)).collect();
        // 1 alone is non-mated, 2 to 3 is one mated among two non-mated, 4 and 5 are mated.
        assert_eq!(shapes[0], (1.0, 0.0));
        assert_eq!(shapes[1], (8.0 / 3.0, 1.0));
        assert!((found[1].llr - 0.5f64.ln()).abs() < 1e-6);
        assert!(found[0].llr < -15.0 && found.last().unwrap().llr > 15.0);
    }

    proptest! {
        #[test]
        fn rising_and_complete(mut mated in prop::collection::vec(0u8..40, 1..200),
                               mut non_mated in prop::collection::vec(0u8..40, 1..200)) {
            mated.sort_unstable();
            non_mated.sort_unstable();
            let floats = |v: &[u8]| v.iter().map(|&x| f32::from(x)).collect::<Vec<_>>();
            let (m, n) = (floats(&mated), floats(&non_mated));
            let found = blocks(weighted(&m), weighted(&n), 1.0 / m.len() as f64, 1.0 / n.len() as f64);
            for pair in found.windows(2) {
                // Equal shares may differ in the last bit.
                prop_assert!(pair[0].llr < pair[1].llr + 1e-9 && pair[0].centre < pair[1].centre);
            }
            prop_assert!(found.iter().all(|b| b.llr.is_finite()));
        }
    }
}
