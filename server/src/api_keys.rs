//! Which keys open the service? A file of hashes beside the store, changed by the operator, seen by a running service.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::once::now_unix_s;
use crate::policy::Role;
use crate::principal::Principal;
use crate::watched::{LOOK_EVERY, Watched};

const FILE: &str = "api-keys";
const VERSION: u32 = 1;
/// What every key begins with.
const MARK: &str = "khopkey_";
/// The longest life of a key.
pub const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Keys of one name that may live at once: the old one and the one it is replaced by.
const AT_ONCE: usize = 2;

/// Why keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file is not what was written.
    #[error("{path}: {cause}; restore it from a copy, or remove it and make all keys anew")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// A field that cannot be used.
    #[error("{field}: {expected}")]
    BadInput {
        /// Which.
        field: &'static str,
        /// What was expected.
        expected: String,
    },
    /// No such key.
    #[error("key: there is none of the id or name {0}")]
    Unknown(String),
    /// The system gave no random bytes.
    #[error("random numbers for a new key: {0}")]
    Random(getrandom::Error),
}

/// A key as the operator asks for it.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What the operator calls its holder: 1 to 64 letters, digits and `. _ : -`.
    pub name: String,
    /// At least one.
    pub roles: Vec<Role>,
    /// Names of realms, or what they begin with and a `*`; none stands for every realm.
    pub realms: Vec<String>,
    /// A minute to a year.
    pub lives: Duration,
}

/// A key as it is kept, without what opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// Eight hexadecimal digits: the second part of the key.
    pub id: String,
    /// What the operator calls its holder.
    pub name: String,
    roles: BTreeSet<String>,
    /// Empty for every realm.
    pub realms: Vec<String>,
    /// Seconds since 1970.
    pub made_unix_s: u64,
    /// Seconds since 1970; from then on it opens nothing.
    pub expires_unix_s: u64,
    /// BLAKE3 of the key, which is 256 random bits.
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    keys: Vec<KeyRecord>,
}

impl KeyRecord {
    /// What its holder is here for.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        self.roles.iter().filter_map(|role| Role::from_name(role)).collect()
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        now_unix_s() >= self.expires_unix_s
    }

    fn principal(&self) -> Principal {
        let realms = (!self.realms.is_empty()).then(|| self.realms.clone());
        let rights = self.roles().into_iter().flat_map(Role::rights).copied().collect();
        Principal { name: self.name.clone(), rights, realms }
    }
}

/// Makes a key and gives it: it cannot be had again.
///
/// # Errors
/// [`ApiKeyError`]; the keys are then as they were.
pub fn create(dir: &Path, new: &NewKey) -> Result<(String, KeyRecord), ApiKeyError> {
    check(new)?;
    let (mut id, mut secret) = ([0; 4], [0; 32]);
    getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut secret)).map_err(ApiKeyError::Random)?;
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("{MARK}{id}_{}", BASE64_URL_SAFE_NO_PAD.encode(secret));
    let made_unix_s = now_unix_s();
    let record = KeyRecord {
        id,
        name: new.name.clone(),
        roles: new.roles.iter().map(|role| role.name().to_owned()).collect(),
        realms: new.realms.clone(),
        made_unix_s,
        expires_unix_s: made_unix_s + new.lives.as_secs(),
        hash: blake3::hash(key.as_bytes()).to_hex().to_string(),
    };
    change(dir, |keys| {
        keys.retain(|key| !key.is_expired());
        if keys.iter().filter(|key| key.name == new.name).count() >= AT_ONCE {
            let expected = format!("expected at most {AT_ONCE} live keys of one name; revoke one of {}", new.name);
            return Err(ApiKeyError::BadInput { field: "name", expected });
        }
        if keys.iter().any(|key| key.id == record.id) {
            return Err(ApiKeyError::BadInput { field: "id", expected: "expected a new one; try again".to_owned() });
        }
        keys.push(record.clone());
        Ok(())
    })?;
    Ok((key, record))
}

/// Ends the key of this id, or every key of this name. Gives those that were ended.
///
/// # Errors
/// [`ApiKeyError::Unknown`], or a failed write: the keys are then as they were.
pub fn revoke(dir: &Path, id_or_name: &str) -> Result<Vec<KeyRecord>, ApiKeyError> {
    let mut ended = Vec::new();
    change(dir, |keys| {
        ended = keys.extract_if(.., |key| key.id == id_or_name || key.name == id_or_name).collect();
        if ended.is_empty() { Err(ApiKeyError::Unknown(id_or_name.to_owned())) } else { Ok(()) }
    })?;
    Ok(ended)
}

/// The keys there are, expired ones included until the next is made.
///
/// # Errors
/// A file that cannot be read or is damaged.
pub fn list(dir: &Path) -> Result<Vec<KeyRecord>, ApiKeyError> {
    let path = dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|cause| ApiKeyError::File { path: path.clone(), cause })?,
    };
    let damaged = |cause: String| ApiKeyError::Damaged { path: path.clone(), cause };
    let (kept, check) = text.trim_end().rsplit_once('\n').ok_or_else(|| damaged("ends too early".to_owned()))?;
    if blake3::hash(kept.as_bytes()).to_hex().as_str() != check {
        return Err(damaged("does not agree with its checksum".to_owned()));
    }
    let kept: Kept = serde_json::from_str(kept).map_err(|cause| damaged(cause.to_string()))?;
    if kept.version != VERSION {
        return Err(damaged(format!("expected version {VERSION}, got {}", kept.version)));
    }
    Ok(kept.keys)
}

fn check(NewKey { name, roles, realms, lives }: &NewKey) -> Result<(), ApiKeyError> {
    let bad = |field, expected: &str| Err(ApiKeyError::BadInput { field, expected: expected.to_owned() });
    let is_name = |text: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        (1..=64).contains(&text.len()) && text.chars().all(good)
    };
    if !is_name(name) {
        return bad("name", "expected 1 to 64 letters, digits and . _ : -");
    }
    if roles.is_empty() {
        return bad("role", "expected at least one");
    }
    if realms.iter().any(|realm| realm != "*" && !is_name(realm.strip_suffix('*').unwrap_or(realm))) {
        return bad("realm", "expected the name of a realm, or what it begins with and a *");
    }
    if *lives < Duration::from_secs(60) || *lives > LONGEST {
        return bad("expires", "expected a minute to 365 days");
    }
    Ok(())
}

/// Changes the file as a whole, one change after the other: after a crash there are the old keys or the new ones, and nothing
/// that would have to be cleared away before a key can be revoked.
fn change(dir: &Path, change: impl FnOnce(&mut Vec<KeyRecord>) -> Result<(), ApiKeyError>) -> Result<(), ApiKeyError> {
    let (beside, path) = (dir.join("api-keys.new"), dir.join(FILE));
    let at = |cause| ApiKeyError::File { path: dir.to_owned(), cause };
    let directory = File::open(dir).map_err(at)?;
    directory.lock().map_err(at)?; // until it is closed
    let mut keys = list(dir)?;
    change(&mut keys)?;
    let text = serde_json::to_string_pretty(&Kept { version: VERSION, keys }).expect("plain fields");
    let check = blake3::hash(text.as_bytes()).to_hex();
    let replace = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        writeln!(file, "{text}\n{check}")?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        directory.sync_all()
    };
    replace().map_err(|cause| ApiKeyError::File { path: beside.clone(), cause })
}

/// The keys as a running service knows them, by id. A file that cannot be read opens nothing.
pub(crate) struct ApiKeys(Watched<BTreeMap<String, KeyRecord>>);

impl ApiKeys {
    pub(crate) fn of(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let dir = dir.to_owned();
        let by_id = move || {
            let keys = list(&dir).map_err(|error| error.to_string())?;
            Ok(keys.into_iter().map(|key| (key.id.clone(), key)).collect())
        };
        Self(Watched::new(vec![path], BTreeMap::new(), by_id, |_| Arc::default()))
    }

    /// Who shows this key; `None` where it is none, is expired or was revoked.
    pub(crate) fn principal(&self, key: &str) -> Option<Principal> {
        let (id, _) = key.strip_prefix(MARK)?.split_once('_')?;
        // A key that was made just now is looked for at once; one that was revoked is accepted for a second.
        let record = self.0.within(LOOK_EVERY).get(id).cloned();
        let record = record.or_else(|| self.0.within(Duration::ZERO).get(id).cloned())?;
        let kept = blake3::Hash::from_hex(&record.hash).ok()?;
        // In constant time; and the clock after that.
        (blake3::hash(key.as_bytes()) == kept && !record.is_expired()).then(|| record.principal())
    }
}
