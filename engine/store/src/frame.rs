//! Is this the value that was written here? Sixteen bytes before every catalogue value, checked on every read.
//!
//! redb verifies its own page checksums only when asked to check the whole file, so an ordinary read would hand out
//! flipped bits as they are. The checksum covers the table, the key (which names realm and record) and the value:
//! a value copied to another key, or to the same key of another table, is as damaged as a flipped bit. XXH3 finds
//! accidents, not forgeries: those are for a sealed frame, which gets the next version number.

use xxhash_rust::xxh3::Xxh3;

/// Bytes before the payload.
pub(crate) const HEADER: usize = 16;
const MAGIC: [u8; 2] = *b"KH";
const PLAIN: u8 = 1;

/// Puts the frame before a payload.
pub(crate) fn seal(table: u8, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("values are limited far below 4 GiB");
    let mut value = Vec::with_capacity(HEADER + payload.len());
    value.extend_from_slice(&MAGIC);
    value.extend_from_slice(&[PLAIN, table]);
    value.extend_from_slice(&length.to_le_bytes());
    let checksum = checksum(&value, key, payload);
    value.extend_from_slice(&checksum.to_le_bytes());
    value.extend_from_slice(payload);
    value
}

/// The payload, if frame, place and checksum agree; otherwise what does not.
pub(crate) fn open<'a>(table: u8, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], String> {
    let Some((header, payload)) = value.split_at_checked(HEADER) else {
        return Err(format!("expected at least {HEADER} bytes, got {}", value.len()));
    };
    let length = u32::from_le_bytes(header[4..8].try_into().expect("four bytes"));
    let written = u64::from_le_bytes(header[8..16].try_into().expect("eight bytes"));
    if header[..2] != MAGIC {
        Err("is not a value of this store".into())
    } else if header[2] != PLAIN {
        Err(format!("value version {} is not known", header[2]))
    } else if header[3] != table {
        Err("is a value of another table".into())
    } else if length as usize != payload.len() {
        Err(format!("expected {length} bytes, got {}", payload.len()))
    } else if checksum(&header[..8], key, payload) != written {
        Err("checksum does not agree".into())
    } else {
        Ok(payload)
    }
}

fn checksum(head: &[u8], key: &[u8], payload: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(head);
    hash.update(key);
    hash.update(payload);
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_pinned() {
        let value = seal(3, b"key", b"payload");
        let hex: String = value.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "4b480103070000001ecd9c7e9170cd957061796c6f6164");
        assert_eq!(open(3, b"key", &value).unwrap(), b"payload");
    }

    #[test]
    fn every_flipped_bit_and_every_other_place_is_found() {
        let value = seal(3, b"key", b"payload");
        for bit in 0..value.len() * 8 {
            let mut bad = value.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(open(3, b"key", &bad).is_err(), "bit {bit}");
        }
        for cut in 0..value.len() {
            assert!(open(3, b"key", &value[..cut]).is_err(), "cut at {cut}");
        }
        assert!(open(4, b"key", &value).is_err() && open(3, b"kez", &value).is_err());
    }
}
