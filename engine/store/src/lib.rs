//! Catalogue (the truth), mapped segments (derived), snapshots, recovery.
