//! What is a key? Thirty-two secret bytes that are wiped when dropped and never printed.

use std::fmt;

use zeroize::Zeroize;

use crate::KeyError;

/// A 256-bit key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Bytes of a key.
    pub const BYTES: usize = 32;

    /// A new key from the system's random source.
    ///
    /// # Errors
    /// [`KeyError::Random`] when the system gives none; nothing else is used in its place.
    pub fn random() -> Result<Self, KeyError> {
        let mut key = Self([0; 32]);
        getrandom::fill(&mut key.0).map_err(|cause| KeyError::Random(cause.to_string()))?;
        Ok(key)
    }

    /// The key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key that this one and a message give: BLAKE3 in keyed mode. Nothing about either follows from the result.
    #[must_use]
    pub fn derive(&self, message: &[u8]) -> Self {
        Self(*blake3::keyed_hash(&self.0, message).as_bytes())
    }

    /// Its bytes, for whoever writes it where it is kept.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
