//! Where in the record are we? A big-endian reader that knows its offset and never runs past the end.

use crate::FormatError;

/// Reads a record front to back. Every read names its field, so that what is missing can be told.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// The byte the next read starts at, counted from the start of the record.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    pub(crate) fn take(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], FormatError> {
        let rest = &self.bytes[self.offset..];
        let Some(taken) = rest.get(..count) else {
            return Err(FormatError::Truncated { field, offset: self.offset, expected: count, found: rest.len() });
        };
        self.offset += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], FormatError> {
        let taken = self.take(field, N)?;
        Ok(std::array::from_fn(|i| taken[i]))
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, FormatError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, FormatError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, FormatError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// A big-endian number that `accepts` decides on; `expected` says in words what it accepts.
    pub(crate) fn u16_where(
        &mut self,
        field: &'static str,
        expected: &str,
        accepts: impl Fn(u16) -> bool,
    ) -> Result<u16, FormatError> {
        let offset = self.offset;
        let value = self.u16(field)?;
        if accepts(value) { Ok(value) } else { Err(FormatError::unexpected(field, offset, expected, value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_big_endian_and_says_what_is_missing() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(cursor.u8("a").unwrap(), 1);
        assert_eq!(cursor.u16("b").unwrap(), 0x0203);
        assert_eq!(cursor.u32("c").unwrap(), 0x0405_0607);
        assert_eq!((cursor.offset(), cursor.left()), (7, 1));
        let error = cursor.clone().u16("total length").unwrap_err();
        assert_eq!(error.to_string(), "total length at byte 7: expected 2 bytes, found 1 before the end");
        assert_eq!(cursor.take("d", 1).unwrap(), [8]);
        assert!(cursor.take("e", 0).unwrap().is_empty() && cursor.take("f", usize::MAX).is_err());
    }
}
