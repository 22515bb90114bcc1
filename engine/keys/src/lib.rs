//! Who may open a sealed byte, and who can never again? Keys, what is sealed under them, and their destruction.
//!
//! A [`Keyring`] gives one key to each thing that can be forgotten on its own: an encounter, a segment, a realm. It
//! does not keep them one by one. They are the leaves of a [`KeyTree`], derived when asked for, and *cutting* a leaf
//! leaves nothing from which it could be derived again: adding a person writes no key, erasing one costs a few dozen
//! bytes. The tree lies in a small file, sealed under a [`RootKey`], which the operator may keep elsewhere, together
//! with the key of an *epoch*, which is destroyed when the next one begins. So an old copy of the file opens nothing
//! once its epoch is over.
//!
//! [`seal`] and [`open`] are XChaCha20-Poly1305 with a random nonce, bound to the place the bytes belong to.
#![forbid(unsafe_code)]

mod branch;
mod error;
mod file;
mod key;
mod keyring;
mod root;
mod seal;
mod tree;

pub use branch::{Branch, Leaf};
pub use error::KeyError;
pub use key::Key;
pub use keyring::{Destroyed, Keyring};
pub use root::{RootKey, RootSource};
pub use seal::{OVERHEAD, Unsealed, open, open_into, seal};
pub use tree::KeyTree;
