//! Where do the keys of a store lie, and how do some of them end? One small directory, and an epoch after the other.
//!
//! ```text
//! keys/
//! ├── root         the root key, unless the operator keeps it elsewhere
//! ├── 7.epoch      the secret of epoch 7
//! └── 7.keyring    the tree, sealed under root key and secret together
//! ```
//!
//! Ending keys means: cut them off in a copy of the tree, write that as the next epoch's, and destroy the secret of the
//! epoch before. Until that is done the old tree can be opened, also from a copy of the directory; afterwards a copy
//! opens only if it holds the old secret, too. Every step can be cut short: the highest epoch whose keyring is there is
//! the one that counts, and what is below it is destroyed at the next opening.

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::branch::BITS;
use crate::tree::descend;
use crate::{Branch, Key, KeyError, KeyTree, Leaf, RootKey, RootSource, file, open, seal};

const EPOCH_MAGIC: [u8; 8] = *b"KHOPEPO\0";
const KEYRING_MAGIC: [u8; 8] = *b"KHOPKEY\0";
const VERSION: u32 = 1;
/// Magic, version, four zeros, epoch, root key's mark.
const HEADER: usize = 40;

/// The keys of one store.
pub struct Keyring {
    dir: PathBuf,
    source: RootSource,
    root: RootKey,
    current: RwLock<Arc<Epoch>>,
    /// One epoch at a time.
    turn: Mutex<()>,
}

/// The depth of the nodes that are remembered: each spans 65 536 leaves.
const NEAR: u8 = 64;
/// Most nodes that are remembered; then all are forgotten.
const REMEMBERED: usize = 4096;

/// The keys of an epoch.
struct Epoch {
    number: u64,
    tree: KeyTree,
    /// Nodes above leaves that were asked for, none above a cut one: sixteen steps to a leaf, not eighty.
    near: RwLock<HashMap<u128, Key>>,
}

impl Epoch {
    fn new(number: u64, tree: KeyTree) -> Arc<Self> {
        Arc::new(Self { number, tree, near: RwLock::default() })
    }

    fn key(&self, leaf: Leaf) -> Result<Option<Key>, KeyError> {
        let path = leaf.path()?;
        let place = path >> (BITS - NEAR);
        if let Some(near) = self.near.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return Ok(Some(descend(near, path, NEAR, BITS)));
        }
        let Some(near) = self.tree.node(path, NEAR) else { return self.tree.key(leaf) };
        let key = descend(&near, path, NEAR, BITS);
        let mut remembered = self.near.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(place, near);
        Ok(Some(key))
    }
}

/// What ending an epoch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destroyed {
    /// Branches that were cut; those cut before are not counted.
    pub branches: u64,
    /// The epoch that began.
    pub epoch: u64,
    /// Nodes of the tree now.
    pub nodes: usize,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({}, epoch {})", self.dir.display(), self.epoch())
    }
}

impl Keyring {
    /// Opens the keyring in `dir`, or makes one (directory mode 0700, files 0600) where there is none and `may_make`.
    ///
    /// # Errors
    /// [`KeyError`] names what is missing, damaged, or of another root key. Nothing is made then.
    pub fn open(dir: &Path, source: &RootSource, may_make: bool) -> Result<Self, KeyError> {
        let mut epochs = numbered(dir, "keyring")?;
        let new = epochs.is_empty();
        if new && !may_make {
            return Err(KeyError::Missing { path: dir.join("*.keyring") });
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(KeyError::at(dir))?;
        let root = source.root(dir, new)?;
        let epoch = epochs.pop().unwrap_or(1);
        let tree = if new {
            let tree = KeyTree::new(Key::random()?);
            write(dir, &root, epoch, &tree)?;
            tree
        } else {
            read(dir, source, &root, epoch)?
        };
        destroy_below(dir, epoch)?;
        let (dir, source) = (dir.to_owned(), source.clone());
        Ok(Self { dir, source, root, current: RwLock::new(Epoch::new(epoch, tree)), turn: Mutex::new(()) })
    }

    /// The key of a leaf; `None` when it was destroyed. About a microsecond.
    ///
    /// # Errors
    /// [`KeyError::Number`].
    pub fn key(&self, leaf: Leaf) -> Result<Option<Key>, KeyError> {
        self.now().key(leaf)
    }

    /// Whether a leaf's key was destroyed.
    ///
    /// # Errors
    /// [`KeyError::Number`].
    pub fn is_destroyed(&self, leaf: Leaf) -> Result<bool, KeyError> {
        self.now().tree.is_cut(leaf)
    }

    /// The epoch, from 1.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.now().number
    }

    /// Nodes of the tree: 43 bytes each in its file.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.now().tree.nodes()
    }

    fn now(&self) -> Arc<Epoch> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the root key came from.
    #[must_use]
    pub fn root_source(&self) -> &RootSource {
        &self.source
    }

    /// Cuts these branches and begins a new epoch. When this returns, the keys below them are gone: from memory, from
    /// the tree's file, and with the secret of the epoch before also from every copy of that file. Branches cut before
    /// are passed over, so it can be repeated after any failure. Writes 43 bytes for each node of the tree.
    ///
    /// # Errors
    /// [`KeyError`]: until it is repeated with success, the keys must be taken to exist.
    pub fn destroy(&self, branches: impl IntoIterator<Item = Branch>) -> Result<Destroyed, KeyError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.now();
        let mut tree = before.tree.clone();
        let cut = branches.into_iter().filter(|&branch| tree.cut(branch)).count() as u64;
        let epoch = before.number + 1;
        write(&self.dir, &self.root, epoch, &tree)?;
        let nodes = tree.nodes();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Epoch::new(epoch, tree);
        destroy_below(&self.dir, epoch)?;
        Ok(Destroyed { branches: cut, epoch, nodes })
    }
}

fn epoch_file(dir: &Path, epoch: u64) -> PathBuf {
    dir.join(format!("{epoch}.epoch"))
}

fn keyring_file(dir: &Path, epoch: u64) -> PathBuf {
    dir.join(format!("{epoch}.keyring"))
}

/// What both files begin with.
fn header(magic: [u8; 8], root: &RootKey, epoch: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&magic);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[16..24].copy_from_slice(&epoch.to_le_bytes());
    // Says whether a root key is the right one, and nothing about it.
    header[24..].copy_from_slice(&root.key().derive(b"khop root key mark").bytes()[..16]);
    header
}

/// The key that seals an epoch's tree.
fn sealing_key(root: &RootKey, secret: &Key) -> Key {
    root.key().derive(&Zeroizing::new([b"khop keyring".as_slice(), secret.bytes()].concat()))
}

/// Writes an epoch: its secret first, then the tree, whose presence makes it count.
fn write(dir: &Path, root: &RootKey, epoch: u64, tree: &KeyTree) -> Result<(), KeyError> {
    let secret = Key::random()?;
    let path = epoch_file(dir, epoch);
    file::destroy(&path)?; // of an attempt that was cut short
    let head = header(EPOCH_MAGIC, root, epoch);
    let mut bytes = Zeroizing::new(head.to_vec());
    seal(root.key(), &[&head], secret.bytes(), &mut bytes)?;
    file::write_new(&path, &bytes)?;
    let head = header(KEYRING_MAGIC, root, epoch);
    let mut bytes = head.to_vec();
    seal(&sealing_key(root, &secret), &[&head], &tree.encode(), &mut bytes)?;
    file::write_new(&keyring_file(dir, epoch), &bytes)
}

fn read(dir: &Path, source: &RootSource, root: &RootKey, epoch: u64) -> Result<KeyTree, KeyError> {
    let secret = payload(&epoch_file(dir, epoch), EPOCH_MAGIC, source, root, epoch, root.key())?;
    let secret = secret.as_array().map(|&bytes| Key::new(bytes));
    let secret = secret.ok_or_else(|| damaged(&epoch_file(dir, epoch), "expected a secret of 32 bytes".into()))?;
    let path = keyring_file(dir, epoch);
    let tree = payload(&path, KEYRING_MAGIC, source, root, epoch, &sealing_key(root, &secret))?;
    KeyTree::decode(&tree).map_err(|detail| damaged(&path, detail))
}

/// The payload of one of the keyring's files, its header compared with what it must be.
fn payload(
    path: &Path,
    magic: [u8; 8],
    source: &RootSource,
    root: &RootKey,
    epoch: u64,
    key: &Key,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => KeyError::Missing { path: path.to_owned() },
        _ => KeyError::at(path)(error),
    })?;
    let (head, sealed) = bytes.split_first_chunk::<HEADER>().ok_or_else(|| damaged(path, "is cut short".into()))?;
    let expected = header(magic, root, epoch);
    if head[..8] != magic {
        return Err(damaged(path, "is not a file of a keyring".into()));
    }
    if head[8..16] != expected[8..16] {
        let version = u32::from_le_bytes(*head[8..].first_chunk().expect("four bytes"));
        return Err(damaged(path, format!("version {version} is not known, this program reads {VERSION}")));
    }
    if head[24..] != expected[24..] {
        return Err(KeyError::OtherRoot { path: path.to_owned(), root: source.to_string() });
    }
    open(key, &[head], sealed).map_err(|unsealed| damaged(path, unsealed.to_string()))
}

fn damaged(path: &Path, detail: String) -> KeyError {
    KeyError::Damaged { path: path.to_owned(), detail }
}

/// Destroys what is left of epochs before this one, and of a later one that was never finished. Secrets first: without
/// them the trees are noise.
fn destroy_below(dir: &Path, epoch: u64) -> Result<(), KeyError> {
    for extension in ["epoch", "keyring", "new"] {
        for other in numbered(dir, extension)?.into_iter().filter(|&other| other != epoch || extension == "new") {
            file::destroy(&dir.join(format!("{other}.{extension}")))?;
        }
        file::sync(dir)?;
    }
    Ok(())
}

/// The numbers of a directory's files of this extension, ascending; none where there is no directory.
fn numbered(dir: &Path, extension: &str) -> Result<Vec<u64>, KeyError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(KeyError::at(dir)(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let path = entry.map_err(KeyError::at(dir))?.path();
        if path.extension().is_some_and(|found| found == extension) {
            numbers.extend(path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()));
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}
