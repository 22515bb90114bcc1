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
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::branch::BITS;
use crate::tree::descend;
use crate::{Branch, Key, KeyError, KeyTree, Leaf, RootKey, RootSource, file, open, seal};

const EPOCH_MAGIC: [u8; 8] = *b"KHOPEPO\0";
const KEYRING_MAGIC: [u8; 8] = *b"KHOPKEY\0";
const VERSION: u32 = 1;
/// Magic, version, four zeros, epoch, its beginning, root key's mark.
const HEADER: usize = 48;

/// The keys of one store.
pub struct Keyring {
    dir: PathBuf,
    source: RootSource,
    root: RootKey,
    current: RwLock<Arc<Epoch>>,
    /// One epoch at a time.
    turn: Mutex<()>,
}

/// The depths of the nodes that are remembered: they span 256 and 65 536 leaves.
const NEAR: [u8; 2] = [72, 64];
/// Most nodes that are remembered, some megabytes; then the lower ones are forgotten.
const REMEMBERED: usize = 65_536;

/// The keys of an epoch.
struct Epoch {
    number: u64,
    began_unix_s: u64,
    tree: KeyTree,
    /// Nodes above leaves that were asked for, by depth and path, none above a cut one: eight steps to a leaf, or sixteen,
    /// not eighty.
    near: RwLock<HashMap<(u8, u128), Key>>,
}

impl Epoch {
    fn new(number: u64, began_unix_s: u64, tree: KeyTree) -> Arc<Self> {
        Arc::new(Self { number, began_unix_s, tree, near: RwLock::default() })
    }

    fn key(&self, leaf: Leaf) -> Result<Option<Key>, KeyError> {
        let path = leaf.path()?;
        let place = |depth: u8| (depth, path >> (BITS - depth));
        let remembered = {
            let near = self.near.read().unwrap_or_else(PoisonError::into_inner);
            NEAR.iter().find_map(|&depth| Some((depth, near.get(&place(depth))?.clone())))
        };
        if let Some((depth, node)) = remembered.as_ref().filter(|(depth, _)| *depth == NEAR[0]) {
            return Ok(Some(descend(node, path, *depth, BITS)));
        }
        let in_tree = || NEAR.iter().rev().find_map(|&depth| Some((depth, self.tree.node(path, depth)?)));
        let Some((depth, node)) = remembered.or_else(in_tree) else { return self.tree.key(leaf) };
        let mut near = self.near.write().unwrap_or_else(PoisonError::into_inner);
        if near.len() >= REMEMBERED {
            near.retain(|(depth, _), _| *depth != NEAR[0]);
        }
        for below in NEAR.into_iter().filter(|&below| below >= depth) {
            near.insert(place(below), descend(&node, path, depth, below));
        }
        Ok(Some(descend(&node, path, depth, BITS)))
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
        let current = if new {
            let current = Epoch::new(epoch, now_unix_s(), KeyTree::new(Key::random()?));
            write(dir, &root, &current)?;
            current
        } else {
            read(dir, source, &root, epoch)?
        };
        destroy_below(dir, epoch)?;
        let (dir, source) = (dir.to_owned(), source.clone());
        Ok(Self { dir, source, root, current: RwLock::new(current), turn: Mutex::new(()) })
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

    /// When the epoch began, seconds since 1970 by the machine's clock.
    #[must_use]
    pub fn began_unix_s(&self) -> u64 {
        self.now().began_unix_s
    }

    /// Nodes of the tree: 43 bytes each in its file.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.now().tree.nodes()
    }

    /// Copies the keyring as it is now into another directory, where it takes the place of an earlier epoch, whose secret
    /// is destroyed. With it the root key, if that lies beside.
    ///
    /// # Errors
    /// [`KeyError`]; what was there is destroyed only once the copy is durable.
    pub fn copy_to(&self, dir: &Path) -> Result<(), KeyError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(KeyError::at(dir))?;
        let epoch = self.epoch();
        let beside = (self.source == RootSource::Beside).then(|| PathBuf::from("root"));
        let own = [epoch_file, keyring_file].map(|file| file(Path::new(""), epoch));
        for name in beside.into_iter().chain(own) {
            let (from, to) = (self.dir.join(&name), dir.join(&name));
            if !to.try_exists().map_err(KeyError::at(&to))? {
                file::write_new(&to, &Zeroizing::new(fs::read(&from).map_err(KeyError::at(&from))?))?;
            }
        }
        destroy_below(dir, epoch)
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
        let next = Epoch::new(before.number + 1, now_unix_s(), tree);
        write(&self.dir, &self.root, &next)?;
        let done = Destroyed { branches: cut, epoch: next.number, nodes: next.tree.nodes() };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        destroy_below(&self.dir, done.epoch)?;
        Ok(done)
    }
}

fn epoch_file(dir: &Path, epoch: u64) -> PathBuf {
    dir.join(format!("{epoch}.epoch"))
}

fn keyring_file(dir: &Path, epoch: u64) -> PathBuf {
    dir.join(format!("{epoch}.keyring"))
}

fn now_unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What both files begin with.
fn header(magic: [u8; 8], root: &RootKey, epoch: u64, began_unix_s: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&magic);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[16..24].copy_from_slice(&epoch.to_le_bytes());
    header[24..32].copy_from_slice(&began_unix_s.to_le_bytes());
    // Says whether a root key is the right one, and nothing about it.
    header[32..].copy_from_slice(&root.key().derive(b"khop root key mark").bytes()[..16]);
    header
}

/// The key that seals an epoch's tree.
fn sealing_key(root: &RootKey, secret: &Key) -> Key {
    root.key().derive(&Zeroizing::new([b"khop keyring".as_slice(), secret.bytes()].concat()))
}

/// Writes an epoch: its secret first, then the tree, whose presence makes it count.
fn write(dir: &Path, root: &RootKey, next: &Epoch) -> Result<(), KeyError> {
    let Epoch { number: epoch, began_unix_s, ref tree, .. } = *next;
    let secret = Key::random()?;
    let path = epoch_file(dir, epoch);
    file::destroy(&path)?; // of an attempt that was cut short
    let head = header(EPOCH_MAGIC, root, epoch, began_unix_s);
    let mut bytes = Zeroizing::new(head.to_vec());
    seal(root.key(), &[&head], secret.bytes(), &mut bytes)?;
    file::write_new(&path, &bytes)?;
    let head = header(KEYRING_MAGIC, root, epoch, began_unix_s);
    let mut bytes = head.to_vec();
    seal(&sealing_key(root, &secret), &[&head], &tree.encode(), &mut bytes)?;
    file::write_new(&keyring_file(dir, epoch), &bytes)
}

fn read(dir: &Path, source: &RootSource, root: &RootKey, epoch: u64) -> Result<Arc<Epoch>, KeyError> {
    let (_, secret) = payload(&epoch_file(dir, epoch), EPOCH_MAGIC, source, root, epoch, root.key())?;
    let secret = <[u8; Key::BYTES]>::try_from(&secret[..]).ok().map(Key::new);
    let secret = secret.ok_or_else(|| damaged(&epoch_file(dir, epoch), "expected a secret of 32 bytes".into()))?;
    let path = keyring_file(dir, epoch);
    let (began_unix_s, tree) = payload(&path, KEYRING_MAGIC, source, root, epoch, &sealing_key(root, &secret))?;
    let tree = KeyTree::decode(&tree).map_err(|detail| damaged(&path, detail))?;
    Ok(Epoch::new(epoch, began_unix_s, tree))
}

/// When the epoch began and the payload, of one of the keyring's files, its header compared with what it must be.
fn payload(
    path: &Path,
    magic: [u8; 8],
    source: &RootSource,
    root: &RootKey,
    epoch: u64,
    key: &Key,
) -> Result<(u64, Zeroizing<Vec<u8>>), KeyError> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => KeyError::Missing { path: path.to_owned() },
        _ => KeyError::at(path)(error),
    })?;
    let (head, sealed) = bytes.split_first_chunk::<HEADER>().ok_or_else(|| damaged(path, "is cut short".into()))?;
    let began_unix_s = u64::from_le_bytes(*head[24..].first_chunk().expect("eight bytes"));
    let expected = header(magic, root, epoch, began_unix_s);
    if head[..8] != magic {
        return Err(damaged(path, "is not a file of a keyring".into()));
    }
    if head[8..12] != expected[8..12] {
        let version = u32::from_le_bytes(*head[8..].first_chunk().expect("four bytes"));
        return Err(damaged(path, format!("version {version} is not known, this program reads {VERSION}")));
    }
    if head[32..] != expected[32..] {
        return Err(KeyError::OtherRoot { path: path.to_owned(), root: source.to_string() });
    }
    if *head != expected {
        return Err(damaged(path, "its header is not what was written".into()));
    }
    let payload = open(key, &[head], sealed).map_err(|unsealed| damaged(path, unsealed.to_string()))?;
    Ok((began_unix_s, payload))
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
