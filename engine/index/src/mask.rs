//! Which rows may be returned? A bit a row: gallery, filters and tombstones, already combined.

/// A set of rows of a plane. Every search takes one, of exactly the plane's length.
#[derive(Clone, PartialEq, Eq)]
pub struct RowMask {
    rows: usize,
    words: Vec<u64>, // bits beyond `rows` are 0
}

impl RowMask {
    /// Every one of `rows` rows.
    #[must_use]
    pub fn all(rows: usize) -> Self {
        let mut mask = Self { rows, words: vec![u64::MAX; rows.div_ceil(64)] };
        if !rows.is_multiple_of(64) {
            mask.words[rows / 64] = (1 << (rows % 64)) - 1;
        }
        mask
    }

    /// None of `rows` rows.
    #[must_use]
    pub fn none(rows: usize) -> Self {
        Self { rows, words: vec![0; rows.div_ceil(64)] }
    }

    /// Rows the mask speaks of, set or not.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Lets a row be returned.
    ///
    /// # Panics
    /// When the mask has no such row.
    pub fn set(&mut self, row: usize) {
        assert!(row < self.rows, "row {row} of a mask of {}", self.rows);
        self.words[row / 64] |= 1 << (row % 64);
    }

    /// Keeps a row from being returned.
    ///
    /// # Panics
    /// When the mask has no such row.
    pub fn clear(&mut self, row: usize) {
        assert!(row < self.rows, "row {row} of a mask of {}", self.rows);
        self.words[row / 64] &= !(1 << (row % 64));
    }

    /// Whether the row may be returned; `false` for rows the mask does not have.
    #[must_use]
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Keeps only rows that `other` has too.
    ///
    /// # Panics
    /// When the masks are of different lengths.
    pub fn and(&mut self, other: &Self) {
        assert_eq!(self.rows, other.rows, "masks of one length");
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Rows that may be returned.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those of them before this row.
    #[must_use]
    pub fn count_before(&self, row: usize) -> usize {
        let (whole, rest) = (row / 64, row % 64);
        let count = |words: &[u64]| words.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        let last = self.words.get(whole).map_or(0, |word| (word & ((1 << rest) - 1)).count_ones() as usize);
        count(&self.words[..whole.min(self.words.len())]) + last
    }

    /// The rows that may be returned, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| bits(word).map(move |bit| 64 * index + bit))
    }

    /// 64 rows a word, from row 0 on.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }
}

/// The places of the set bits, rising.
pub(crate) fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let bit = word.trailing_zeros() as usize;
            word &= word - 1;
            bit
        })
    })
}

impl std::fmt::Debug for RowMask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowMask({} of {} rows)", self.count(), self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_as_a_set(rows in 1usize..300, steps: Vec<(u16, bool)>, others: Vec<u16>) {
            let (mut mask, mut model) = (RowMask::none(rows), BTreeSet::new());
            for (row, keep) in steps {
                let row = usize::from(row) % rows;
                if keep {
                    mask.set(row);
                    model.insert(row);
                } else {
                    mask.clear(row);
                    model.remove(&row);
                }
            }
            prop_assert_eq!(mask.count(), model.len());
            prop_assert!(mask.iter().eq(model.iter().copied()));
            for row in [0, 1, 63, 64, 65, rows / 2, rows, rows + 70] {
                prop_assert_eq!(mask.count_before(row), model.range(..row).count());
            }
            let mut other = RowMask::none(rows);
            others.iter().for_each(|&row| other.set(usize::from(row) % rows));
            let both: Vec<usize> = model.iter().copied().filter(|&row| other.contains(row)).collect();
            mask.and(&other);
            prop_assert_eq!(mask.iter().collect::<Vec<_>>(), both);
        }

        #[test]
        fn all_is_all(rows in 0usize..300) {
            let mask = RowMask::all(rows);
            prop_assert_eq!(mask.count(), rows);
            prop_assert!(mask.iter().eq(0..rows));
            prop_assert!(!mask.contains(rows));
        }
    }
}
