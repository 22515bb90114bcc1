//! Where does the root key come from? A file of the operator's, a command that prints it, or a file beside the data.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::{Zeroize, Zeroizing};

use crate::{Key, KeyError, file};

/// What a root key's text begins with; 64 hexadecimal digits follow, and a newline may.
const PREFIX: &str = "khop-root-key-1:";
/// Most bytes read from a file or a command.
const LIMIT: usize = 4096;

/// The key above all others of a store.
#[derive(Clone)]
pub struct RootKey(Key);

/// Where a root key is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RootSource {
    /// In the keyring's own directory, made there when the keyring is made. Convenient and weak: whoever copies that
    /// directory has it.
    #[default]
    Beside,
    /// In this file, which must be there and be readable by its owner alone.
    File(PathBuf),
    /// On the standard output of this command, run by `sh -c` once at every opening: a hardware module, a key service.
    Command(String),
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

impl fmt::Display for RootSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beside => f.write_str("the keyring's directory"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Command(_) => f.write_str("the root key command"), // which may name an account
        }
    }
}

impl RootKey {
    /// A new one.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn random() -> Result<Self, KeyError> {
        Ok(Self(Key::random()?))
    }

    pub(crate) fn key(&self) -> &Key {
        &self.0
    }

    /// Writes it to a new file of mode 0600, durably.
    ///
    /// # Errors
    /// [`KeyError::Io`], also when the file is there: a root key is never written over.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let digits = self.0.bytes().iter().map(|byte| format!("{byte:02x}"));
        let mut text = Zeroizing::new(String::from(PREFIX));
        digits.for_each(|mut digits| {
            text.push_str(&digits);
            digits.zeroize();
        });
        text.push('\n');
        file::write_new(path, text.as_bytes())
    }

    fn parse(text: &[u8], source: &RootSource) -> Result<Self, KeyError> {
        let wrong = || KeyError::Root {
            root: source.to_string(),
            detail: format!("expected one line, {PREFIX:?} and 64 hexadecimal digits"),
        };
        let text = std::str::from_utf8(text).map_err(|_| wrong())?;
        let digits = text.trim_end_matches(['\n', '\r']).strip_prefix(PREFIX).ok_or_else(wrong)?;
        if digits.len() != 2 * Key::BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut key = [0; Key::BYTES];
        for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong())?;
        }
        let root = Self(Key::new(key));
        key.zeroize();
        Ok(root)
    }

    fn read(path: &Path, source: &RootSource) -> Result<Self, KeyError> {
        let wrong = |detail: String| KeyError::Root { root: source.to_string(), detail };
        let meta = fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => KeyError::Missing { path: path.to_owned() },
            _ => KeyError::at(path)(error),
        })?;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(wrong(format!(
                "expected a file that only its owner may read (chmod 600), its mode is {mode:o}"
            )));
        }
        if meta.len() > LIMIT as u64 {
            return Err(wrong(format!("expected at most {LIMIT} bytes, got {}", meta.len())));
        }
        Self::parse(&Zeroizing::new(fs::read(path).map_err(KeyError::at(path))?), source)
    }

    fn ask(command: &str, source: &RootSource) -> Result<Self, KeyError> {
        let wrong = |detail: String| KeyError::Root { root: source.to_string(), detail };
        let output = Command::new("sh").args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| wrong(format!("cannot be run: {error}")))?;
        let text = Zeroizing::new(output.stdout);
        if !output.status.success() {
            return Err(wrong(format!("ended with {}", output.status)));
        }
        Self::parse(&text[..text.len().min(LIMIT)], source)
    }
}

impl RootSource {
    /// The root key of the keyring in `dir`. `new` when there is no keyring yet: only then is a key beside it made.
    pub(crate) fn root(&self, dir: &Path, new: bool) -> Result<RootKey, KeyError> {
        match self {
            Self::Beside => {
                let path = dir.join("root");
                if new && !path.try_exists().map_err(KeyError::at(&path))? {
                    RootKey::random()?.write_new(&path)?;
                }
                RootKey::read(&path, self)
            }
            Self::File(path) => RootKey::read(path, self),
            Self::Command(command) => RootKey::ask(command, self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_key_survives_its_file_and_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root");
        let root = RootKey::random().unwrap();
        root.write_new(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let source = RootSource::File(path.clone());
        assert!(source.root(dir.path(), false).unwrap().0 == root.0);
        assert!(RootKey::random().unwrap().write_new(&path).is_err());
        let print = RootSource::Command(format!("cat {}", path.display()));
        assert!(print.root(dir.path(), false).unwrap().0 == root.0);
    }

    #[test]
    fn what_is_no_root_key_is_said_and_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root");
        let digits = "ab".repeat(32);
        for (text, mode) in [
            (String::new(), 0o600),
            (digits.clone(), 0o600),
            (format!("{PREFIX}{}", &digits[1..]), 0o600),
            (format!("{PREFIX}{digits}\n"), 0o644),
            (format!("{PREFIX}+b{}", &digits[2..]), 0o600),
            (format!("{PREFIX}{digits}{}", " ".repeat(5000)), 0o600),
        ] {
            fs::write(&path, &text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = RootSource::File(path.clone()).root(dir.path(), true).unwrap_err().to_string();
            assert!(error.contains("expected") && !error.contains("abab"), "{error}");
        }
        let gone = RootSource::File(dir.path().join("none")).root(dir.path(), true);
        assert!(matches!(gone, Err(KeyError::Missing { .. })));
        for command in ["false", "echo no key", "exec /no/such/program 2> /dev/null"] {
            let error = RootSource::Command(command.into()).root(dir.path(), true).unwrap_err();
            assert!(matches!(&error, KeyError::Root { .. }), "{error}");
        }
    }
}
