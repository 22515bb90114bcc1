//! How is the store protected at rest? The arguments that every command on a store takes.

use std::path::{Path, PathBuf};

use khop::{Engine, EngineBuilder, RootSource};
use khop_store::Opening;

/// Where the root key is kept, and whether the volume is encrypted.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Protection at rest")]
pub struct ProtectionArgs {
    /// File with the store's root key, made by `khop store root-key`; without it the key lies beside the data
    #[arg(long, value_name = "FILE", env = "KHOP_ROOT_KEY", conflicts_with = "root_key_command")]
    root_key: Option<PathBuf>,
    /// Command that prints the root key, run once at the opening: a hardware module, a key service
    #[arg(long, value_name = "COMMAND", env = "KHOP_ROOT_KEY_COMMAND", hide_env_values = true)]
    root_key_command: Option<String>,
    /// The volume under the data directory is encrypted: write vectors as they are, and map them
    #[arg(long, env = "KHOP_ENCRYPTED_VOLUME")]
    encrypted_volume: bool,
}

impl ProtectionArgs {
    /// Where the root key is kept.
    pub fn root(&self) -> RootSource {
        match (&self.root_key, &self.root_key_command) {
            (Some(file), _) => RootSource::File(file.clone()),
            (None, Some(command)) => RootSource::Command(command.clone()),
            (None, None) => RootSource::Beside,
        }
    }

    /// Whether the volume is said to be encrypted.
    pub fn encrypted_volume(&self) -> bool {
        self.encrypted_volume
    }

    /// Begins to open an engine.
    pub fn engine(&self, data: &Path) -> EngineBuilder {
        Engine::builder(data).root_key(self.root()).encrypted_volume(self.encrypted_volume)
    }

    /// How to open the store alone.
    pub fn opening(&self) -> Opening {
        Opening { root: self.root(), encrypted_volume: self.encrypted_volume, ..Opening::default() }
    }
}
