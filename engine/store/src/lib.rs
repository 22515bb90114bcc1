//! What does a store keep, and what does it promise? The catalogue is the truth, segments are derived from it.
//!
//! [`Store`] is a directory held by one process. Its **catalogue** (redb) has every encounter as received, who is
//! behind it, the live segments, the cases for humans and an audit chain; [`Store::commit`] changes it, many changes
//! in one durable transaction. **Segments** ([`Segment`]) are immutable files of comparison-ready columns, mapped
//! read-only; what is in the columns is the caller's business. A **snapshot** ([`Snapshot`]) is what a search looks
//! at: segments, mapped or in memory, and the rows erased since.
//!
//! What was acknowledged is there after a crash. What was damaged is a named error: every catalogue value carries a
//! checksum bound to its place and is verified on every read, every segment column before its first use. The bytes
//! are drawn in `docs/format.md`.
#![deny(unsafe_code)]

mod audit;
mod backup;
mod catalogue;
mod change;
mod codec;
mod commit;
mod directory;
mod disk;
mod entries;
mod envelope;
mod error;
mod forget;
mod frame;
mod items;
mod layout;
mod lock;
mod map;
mod number;
mod opening;
mod query;
mod reading;
mod restore;
mod scrub;
mod segment;
mod shelf;
mod snapshot;
mod store;
mod table;
#[cfg(test)]
mod tests {
    mod io_faults;
    mod power_cut;
    mod scrub;
}
mod verify;

pub use audit::{Act, AuditEntry, AuditHead};
pub use backup::Backup;
pub use change::{Applied, CaseRecord, Change, NewCase};
pub use error::{SegmentError, SegmentFault, StoreError};
pub use forget::Forgotten;
pub use items::Item;
pub use khop_keys::{KeyError, RootKey, RootSource};
pub use number::{CaseNumber, RealmNumber, RecordNumber, SegmentNumber, TaskNumber};
pub use opening::Opening;
pub use query::{Counts, RealmRecord};
pub use restore::Restored;
pub use scrub::{Pace, Scrubbed};
pub use segment::{Segment, SegmentDraft, SegmentRecord};
pub use snapshot::{Snapshot, View};
pub use store::{FORMAT, Store};
pub use verify::{Problem, VerifyReport};
