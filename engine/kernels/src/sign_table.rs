//! What does each half byte of sign bits add? A look-up table for one probe, checked once to fit the fast kernels.

/// Thirty-two entries for each byte of a row: sixteen for its low half, sixteen for its high half.
///
/// The entry of a half byte is what its four signs together add to a row's sum. No entry is above
/// [`SignTable::MOST`], so that the two of a byte add up within a byte, which is what makes the scan fast.
#[derive(Debug, Clone, Copy)]
pub struct SignTable<'a>(&'a [[u8; 32]]);

impl<'a> SignTable<'a> {
    /// Rows that lie interleaved: byte `j` of 64 rows, then byte `j + 1` of the same rows.
    pub const UNIT: usize = 64;
    /// The largest entry.
    pub const MOST: u8 = 127;

    /// A table of 32 entries a byte; `None` when it is empty, no multiple of 32 long or holds an entry above
    /// [`SignTable::MOST`]. Reads the table once.
    #[must_use]
    pub fn new(entries: &'a [u8]) -> Option<Self> {
        let (bytes, rest) = entries.as_chunks::<32>();
        let fits = !bytes.is_empty() && rest.is_empty();
        (fits && entries.iter().fold(0, |most, &entry| most | entry) <= Self::MOST).then_some(Self(bytes))
    }

    /// Bytes of signs a row.
    #[must_use]
    pub fn stride(self) -> usize {
        self.0.len()
    }

    /// The entries, byte by byte.
    #[must_use]
    pub fn entries(self) -> &'a [[u8; 32]] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_entries_and_odd_lengths_are_refused() {
        assert_eq!(SignTable::new(&[127; 96]).map(SignTable::stride), Some(3));
        assert!(SignTable::new(&[0; 95]).is_none());
        assert!(SignTable::new(&[]).is_none());
        let mut entries = [0; 64];
        entries[63] = 128;
        assert!(SignTable::new(&entries).is_none());
    }
}
