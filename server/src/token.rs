//! What is the secret? One admin token, made at the first start, of which only a hash is kept.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Name of the file in the data directory.
const FILE: &str = "admin-token";

/// Why the token could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file is not what was written.
    #[error("{0}: damaged; `khop serve --new-token` replaces the token")]
    Damaged(PathBuf),
    /// The system gave no random bytes.
    #[error("random numbers for a new token: {0}")]
    Random(getrandom::Error),
}

/// The secret itself: 256 random bits. Shown to the operator once and not kept.
pub struct AdminToken(String);

impl AdminToken {
    /// The text to be sent behind `Authorization: Bearer `.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(..)")
    }
}

/// What is kept of the token. Compared in constant time (`blake3::Hash` does).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash(blake3::Hash);

impl TokenHash {
    /// Makes a new token and replaces the one in `dir`.
    pub(crate) fn issue(dir: &Path) -> Result<(AdminToken, Self), TokenError> {
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret).map_err(TokenError::Random)?;
        let token = AdminToken(format!("khop_{}", BASE64_URL_SAFE_NO_PAD.encode(secret)));
        let hash = Self::of(&token.0);
        hash.store(dir).map_err(|cause| TokenError::File { path: dir.join(FILE), cause })?;
        Ok((token, hash))
    }

    /// The hash kept in `dir`, if there is one.
    pub(crate) fn load(dir: &Path) -> Result<Option<Self>, TokenError> {
        let path = dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::from_line(&text).map(Some).ok_or(TokenError::Damaged(path)),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(TokenError::File { path, cause }),
        }
    }

    /// Whether this is the header of a request that holds the token.
    pub(crate) fn admits(&self, authorization: Option<&str>) -> bool {
        let token = authorization.and_then(|value| value.split_once(' '));
        token.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && Self::of(token) == *self)
    }

    fn of(token: &str) -> Self {
        Self(blake3::hash(token.as_bytes()))
    }

    fn line(&self) -> String {
        let text = format!("khop-admin-token 1 {}", self.0.to_hex());
        let check = blake3::hash(text.as_bytes()).to_hex();
        format!("{text} {}\n", &check[..16])
    }

    fn from_line(line: &str) -> Option<Self> {
        let hash = Self(blake3::Hash::from_hex(line.split(' ').nth(2)?).ok()?);
        (hash.line() == line).then_some(hash)
    }

    /// Written beside, synced and renamed: after a crash there is the old token or the new one.
    fn store(&self, dir: &Path) -> std::io::Result<()> {
        let (beside, path) = (dir.join("admin-token.new"), dir.join(FILE));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(self.line().as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_admitted_and_only_its_hash_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        assert!(TokenHash::load(dir.path()).unwrap().is_none());
        let (token, _) = TokenHash::issue(dir.path()).unwrap();
        let kept = TokenHash::load(dir.path()).unwrap().unwrap();
        assert!(kept.admits(Some(&format!("Bearer {}", token.reveal()))));
        for wrong in ["", "Bearer", "Bearer ", "Bearer khop_", token.reveal(), &format!("Basic {}", token.reveal())] {
            assert!(!kept.admits(Some(wrong)), "{wrong}");
        }
        assert!(!kept.admits(None));
        let path = dir.path().join(FILE);
        assert!(!fs::read_to_string(&path).unwrap().contains(token.reveal()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (second, hash) = TokenHash::issue(dir.path()).unwrap();
        assert!(token.reveal() != second.reveal() && token.reveal().len() == 48 && hash != kept);
    }

    #[test]
    fn a_damaged_file_is_an_error_not_an_open_door() {
        let dir = tempfile::tempdir().unwrap();
        TokenHash::issue(dir.path()).unwrap();
        let path = dir.path().join(FILE);
        let good = fs::read_to_string(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] ^= 1;
            fs::write(&path, bad).unwrap();
            assert!(matches!(TokenHash::load(dir.path()), Err(TokenError::Damaged(_))), "byte {at}");
        }
        for end in 0..good.len() {
            fs::write(&path, &good[..end]).unwrap();
            assert!(matches!(TokenHash::load(dir.path()), Err(TokenError::Damaged(_))), "cut at {end}");
        }
    }
}
