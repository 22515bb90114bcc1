//! Several probes for one pass over rows, in numbers so small that their products add up fast. Checked once.

/// Probes of one length behind each other, every number of five bits: −15..=15.
///
/// So small because four pairs of products with a byte then add up within 16 bits, which is what makes AVX2 twice as
/// fast as with a whole byte. A search takes what reaches its threshold here, less the rounding, to the byte plane.
#[derive(Debug, Clone, Copy)]
pub struct ProbeBlock<'a> {
    codes: &'a [i8],
    stride: usize,
}

impl<'a> ProbeBlock<'a> {
    /// The largest number, and the negative of the smallest.
    pub const MOST: i8 = 15;

    /// Probes of `stride` numbers each; `None` when that is 0, the codes are no whole number of probes, or one of them
    /// is beyond ±[`ProbeBlock::MOST`]. Reads them once.
    #[must_use]
    pub fn new(stride: usize, codes: &'a [i8]) -> Option<Self> {
        let fits = stride > 0 && codes.len().is_multiple_of(stride);
        let most = codes.iter().fold(0, |most, code| most.max(code.unsigned_abs()));
        (fits && most <= Self::MOST.unsigned_abs()).then_some(Self { codes, stride })
    }

    /// Numbers a probe.
    #[must_use]
    pub fn stride(self) -> usize {
        self.stride
    }

    /// Probes there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.codes.len() / self.stride
    }

    /// All numbers, probe by probe.
    #[must_use]
    pub fn codes(self) -> &'a [i8] {
        self.codes
    }

    /// One probe's numbers.
    ///
    /// # Panics
    /// When there is no such probe.
    #[must_use]
    pub fn probe(self, index: usize) -> &'a [i8] {
        &self.codes[index * self.stride..(index + 1) * self.stride]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_and_odd_lengths_are_refused() {
        let good = ProbeBlock::new(3, &[15, -15, 0, 1, 2, 3]).unwrap();
        assert_eq!((good.count(), good.stride(), good.probe(1)), (2, 3, &[1, 2, 3][..]));
        assert_eq!(ProbeBlock::new(3, &[]).unwrap().count(), 0);
        for (stride, codes) in [(0, &[][..]), (2, &[1, 2, 3]), (1, &[16]), (1, &[-16]), (1, &[-128])] {
            assert!(ProbeBlock::new(stride, codes).is_none(), "{stride} {codes:?}");
        }
    }
}
