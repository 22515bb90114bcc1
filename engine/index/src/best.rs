//! Which are the best so far? A bounded collection of rows by falling value, ties by rising row.

/// Keeps the `limit` best of all rows pushed, and counts them all.
#[derive(Debug)]
pub(crate) struct Best {
    limit: usize,
    pushed: u64,
    kept: Vec<(f32, u32)>,
}

impl Best {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, pushed: 0, kept: Vec::new() }
    }

    /// Adds a row; its value is not NaN.
    #[inline]
    pub(crate) fn push(&mut self, value: f32, row: u32) {
        self.pushed += 1;
        self.kept.push((value, row));
        // Room for as many again before the worst are thrown out: each row costs constant time on average.
        if self.kept.len() >= self.limit.saturating_mul(2).saturating_add(64) {
            self.shrink();
        }
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.pushed += other.pushed;
        self.kept.extend(other.kept);
        self.shrink();
        self
    }

    /// The best in order, and whether there were more.
    pub(crate) fn finish(mut self) -> (Vec<(f32, u32)>, bool) {
        self.shrink();
        self.kept.sort_unstable_by(order);
        (self.kept, self.pushed > self.limit as u64)
    }

    fn shrink(&mut self) {
        if self.limit < self.kept.len() {
            self.kept.select_nth_unstable_by(self.limit, order);
            self.kept.truncate(self.limit);
        }
    }
}

fn order(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_sorting(values in prop::collection::vec(-3i8..3, 0..400), limit in 0usize..100, split in 0usize..400) {
            let pairs: Vec<(f32, u32)> = values.iter().map(|&v| f32::from(v)).zip(0..).collect();
            let mut parts = [Best::new(limit), Best::new(limit)];
            for (index, &(value, row)) in pairs.iter().enumerate() {
                parts[usize::from(index >= split)].push(value, row);
            }
            let [first, second] = parts;
            let (found, more) = second.merge(first).finish();
            let mut expected = pairs.clone();
            expected.sort_by(order);
            expected.truncate(limit);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(more, pairs.len() > limit);
        }
    }
}
