//! How are bytes sealed? XChaCha20-Poly1305 under a random nonce, bound to the place they belong to.
//!
//! A random nonce of 192 bits does not repeat within any number of values a store can have, so no counter has to
//! survive a crash. The construction is that of draft-irtf-cfrg-xchacha over RFC 8439.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::{Key, KeyError};

const NONCE: usize = 24;
const TAG: usize = 16;

/// Bytes that sealing adds: a nonce before, a tag behind.
pub const OVERHEAD: usize = NONCE + TAG;

/// Bytes that are not what was sealed there: altered, cut, moved from another place, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not what was sealed here")]
pub struct Unsealed;

/// Appends nonce, sealed payload and tag to `out`. `place` is not stored, and must be the same to open them: what the
/// bytes are and where they belong.
///
/// # Errors
/// [`KeyError::Random`] when the system gives no nonce.
pub fn seal(key: &Key, place: &[&[u8]], payload: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|cause| KeyError::Random(cause.to_string()))?;
    out.reserve(payload.len() + OVERHEAD);
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(payload);
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let tag = cipher
        .encrypt_inout_detached(&XNonce::from(nonce), &bound(place), (&mut out[start..]).into())
        .expect("a payload in memory is below the cipher's 256 GiB");
    out.extend_from_slice(&tag);
    Ok(())
}

/// The payload of bytes that [`seal`] made, wiped when dropped.
///
/// # Errors
/// [`Unsealed`]; nothing of the payload is given out then.
pub fn open(key: &Key, place: &[&[u8]], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
    let mut payload = Zeroizing::new(vec![0; sealed.len().checked_sub(OVERHEAD).ok_or(Unsealed)?]);
    open_into(key, place, sealed, &mut payload)?;
    Ok(payload)
}

/// As [`open`], into memory of the caller's, of exactly the payload's length.
///
/// # Errors
/// [`Unsealed`], also for another length; what was there is overwritten then, and nothing of the payload is.
pub fn open_into(key: &Key, place: &[&[u8]], sealed: &[u8], payload: &mut [u8]) -> Result<(), Unsealed> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealed)?;
    let (hidden, tag) = rest.split_last_chunk::<TAG>().ok_or(Unsealed)?;
    if hidden.len() != payload.len() {
        return Err(Unsealed);
    }
    payload.copy_from_slice(hidden);
    // The tag is compared before anything is deciphered.
    XChaCha20Poly1305::new(key.bytes().into())
        .decrypt_inout_detached(&XNonce::from(*nonce), &bound(place), (&mut *payload).into(), &Tag::from(*tag))
        .map_err(|_| Unsealed)
}

/// The parts of a place, each with its length before it, so that no two places give the same bytes.
fn bound(place: &[&[u8]]) -> Vec<u8> {
    place.iter().flat_map(|part| (part.len() as u64).to_le_bytes().into_iter().chain(part.iter().copied())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &Key, place: &[&[u8]], payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        seal(key, place, payload, &mut out).unwrap();
        out
    }

    #[test]
    fn what_was_sealed_opens_there_and_nowhere_else() {
        let (key, place): (Key, &[&[u8]]) = (Key::random().unwrap(), &[b"table", b"key"]);
        for length in [0, 1, 15, 64, 65, 10_000] {
            let payload: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let bytes = sealed(&key, place, &payload);
            assert_eq!(bytes.len(), payload.len() + OVERHEAD);
            assert_eq!(*open(&key, place, &bytes).unwrap(), payload);
            assert!(length < 15 || !bytes.windows(15).any(|window| payload.windows(15).any(|w| w == window)));
            assert_eq!(open(&Key::random().unwrap(), place, &bytes), Err(Unsealed));
            for other in [&[b"table".as_slice(), b"kez"][..], &[b"tabl", b"ekey"], &[b"tablekey"], &[]] {
                assert_eq!(open(&key, other, &bytes), Err(Unsealed));
            }
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let key = Key::random().unwrap();
        let bytes = sealed(&key, &[b"place"], b"payload");
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key, &[b"place"], &bad), Err(Unsealed), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(open(&key, &[b"place"], &bytes[..cut]), Err(Unsealed), "cut at {cut}");
        }
    }

    #[test]
    fn the_same_payload_never_looks_the_same() {
        let key = Key::random().unwrap();
        let [a, b] = [0; 2].map(|_| sealed(&key, &[], &[0; 100]));
        assert!(a.iter().zip(&b).filter(|(a, b)| a == b).count() < 20);
    }

    /// Appendix A.3.1 of draft-irtf-cfrg-xchacha-03: the construction is the published one.
    #[test]
    fn the_published_vector_holds() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
        };
        let key: Vec<u8> = (0x80..0xa0).collect();
        let nonce: Vec<u8> = (0x40..0x58).collect();
        let mut text = *b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let tag = XChaCha20Poly1305::new_from_slice(&key)
            .unwrap()
            .encrypt_inout_detached(
                &XNonce::try_from(&nonce[..]).unwrap(),
                &hex("50515253c0c1c2c3c4c5c6c7"),
                text.as_mut_slice().into(),
            )
            .unwrap();
        assert_eq!(text[..16], hex("bd6d179d3e83d43b9576579493c0e939")[..]);
        assert_eq!(tag[..], hex("c0875924c1c7987947deafd8780acf49")[..]);
    }
}
