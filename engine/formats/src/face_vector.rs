//! How is a face vector kept? As little-endian `f32`s, one behind the other.

use crate::FormatError;

/// Longest vector read: 4096 numbers.
const MAX_BYTES: usize = 4096 * 4;

/// Reads a face vector. Whether its numbers are finite and how many there must be, `FaceVector` checks.
///
/// # Errors
/// [`FormatError`] when there are no bytes, more than 4096 numbers or a number is cut off.
pub fn read_face_vector(bytes: &[u8]) -> Result<Vec<f32>, FormatError> {
    if bytes.len() > MAX_BYTES {
        return Err(FormatError::TooLarge { what: "face vector", limit: MAX_BYTES, found: bytes.len() });
    }
    let (numbers, rest) = bytes.as_chunks::<4>();
    if numbers.is_empty() || !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        return Err(FormatError::Truncated { field: "face vector", offset, expected: 4, found: rest.len() });
    }
    Ok(numbers.iter().map(|&number| f32::from_le_bytes(number)).collect())
}

/// Writes a face vector.
#[must_use]
pub fn write_face_vector(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cut_off_and_oversized_vectors_are_named() {
        assert_eq!(write_face_vector(&[1.0, -2.0]), [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
        let error = read_face_vector(&[0; 10]).unwrap_err().to_string();
        assert_eq!(error, "face vector at byte 8: expected 4 bytes, found 2 before the end");
        assert!(read_face_vector(&[]).is_err() && read_face_vector(&[0; MAX_BYTES]).is_ok());
        assert!(matches!(read_face_vector(&[0; MAX_BYTES + 4]), Err(FormatError::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn round_trips(values in proptest::collection::vec(any::<u32>(), 1..200)) {
            let values: Vec<f32> = values.into_iter().map(f32::from_bits).collect();
            let read = read_face_vector(&write_face_vector(&values)).unwrap();
            prop_assert!(read.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
            prop_assert_eq!(read.len(), values.len());
        }
    }
}
