//! Is this the value that was written here? Every catalogue value is sealed, and opened on every read.
//!
//! redb verifies its own page checksums only when asked to check the whole file, so an ordinary read would hand out
//! flipped bits as they are. The seal covers the table, the key (which names realm and record) and the value: a value
//! copied to another key, or to the same key of another table, is as damaged as a flipped bit.

use khop_keys::{Key, KeyError, OVERHEAD};
use zeroize::Zeroizing;

/// Bytes before what is sealed.
const HEADER: usize = 8;
const MAGIC: [u8; 2] = *b"KH";
/// XChaCha20-Poly1305, the header and the key as associated data. Version 1 was a checksum, never released.
const SEALED: u8 = 2;

/// The value that holds a payload.
pub(crate) fn seal(sealed_under: &Key, table: u8, key: &[u8], payload: &[u8]) -> Result<Vec<u8>, KeyError> {
    let length = u32::try_from(payload.len()).expect("values are limited far below 4 GiB");
    let mut value = Vec::with_capacity(HEADER + payload.len() + OVERHEAD);
    value.extend_from_slice(&MAGIC);
    value.extend_from_slice(&[SEALED, table]);
    value.extend_from_slice(&length.to_le_bytes());
    let header: [u8; HEADER] = *value.first_chunk().expect("eight bytes");
    khop_keys::seal(sealed_under, &[&header, key], payload, &mut value)?;
    Ok(value)
}

/// The payload, if frame, place and seal agree; otherwise what does not.
pub(crate) fn open(sealed_under: &Key, table: u8, key: &[u8], value: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let Some((header, sealed)) = value.split_first_chunk::<HEADER>().filter(|(_, sealed)| sealed.len() >= OVERHEAD)
    else {
        return Err(format!("expected at least {} bytes, got {}", HEADER + OVERHEAD, value.len()));
    };
    let length = u32::from_le_bytes(*header.last_chunk().expect("four bytes"));
    if header[..2] != MAGIC {
        Err("is not a value of this store".into())
    } else if header[2] != SEALED {
        Err(format!("value version {} is not known", header[2]))
    } else if header[3] != table {
        Err("is a value of another table".into())
    } else if length as usize != sealed.len() - OVERHEAD {
        Err(format!("expected {length} bytes, got {}", sealed.len() - OVERHEAD))
    } else {
        khop_keys::open(sealed_under, &[header, key], sealed).map_err(|unsealed| unsealed.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key::new([9; 32]);

    /// The catalogue of every store in the world is written in this form; nonce and tag are new each time.
    #[test]
    fn the_bytes_are_pinned() {
        let value = seal(&KEY, 3, b"key", b"payload").unwrap();
        assert_eq!((&value[..8], value.len()), (b"KH\x02\x03\x07\0\0\0".as_slice(), 8 + 24 + 7 + 16));
        // Sealed by another implementation, under the nonce 00 to 17.
        let pinned = "4b48020307000000000102030405060708090a0b0c0d0e0f1011121314151617\
                      2f2629076dd72ac938da9a07b4f4ccbb658dfa9c78a7a5";
        let bytes: Vec<u8> =
            (0..pinned.len() / 2).map(|i| u8::from_str_radix(&pinned[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert_eq!(**open(&KEY, 3, b"key", &bytes).unwrap(), *b"payload");
    }

    #[test]
    fn every_flipped_bit_and_every_other_place_is_found() {
        let value = seal(&KEY, 3, b"key", b"payload").unwrap();
        assert_eq!(**open(&KEY, 3, b"key", &value).unwrap(), *b"payload");
        for bit in 0..value.len() * 8 {
            let mut bad = value.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&KEY, 3, b"key", &bad).is_err(), "bit {bit}");
        }
        for cut in 0..value.len() {
            assert!(open(&KEY, 3, b"key", &value[..cut]).is_err(), "cut at {cut}");
        }
        assert!(open(&KEY, 4, b"key", &value).is_err() && open(&KEY, 3, b"kez", &value).is_err());
        assert!(open(&Key::new([8; 32]), 3, b"key", &value).is_err());
    }
}
