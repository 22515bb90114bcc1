//! What can never be read again? The keys of everything that was erased, dropped or replaced are destroyed.
//!
//! Erasing takes an encounter out of every table and every search, at once. Its old bytes remain: in free pages of the
//! catalogue, in segment files, in copies of the directory. All of them are sealed under keys of their own, so ending
//! these keys ends the bytes, wherever they lie. What is to end follows from the catalogue alone, so this can be cut
//! short anywhere, and repeated.

use std::collections::BTreeSet;

use khop_keys::{Branch, Destroyed, Leaf};

use crate::catalogue::Fault;
use crate::codec::RealmRow;
use crate::reading::Reading;
use crate::table::{REALMS, realm_key};
use crate::{RealmNumber, SegmentNumber, Store, StoreError};

/// What [`Store::forget`] destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Keys of erased encounters.
    pub records: u64,
    /// Keys of dropped realms, each with everything below it.
    pub realms: u64,
    /// Keys of segment files that were replaced.
    pub segments: u64,
    /// The epoch of keys that began.
    pub epoch: u64,
    /// Nodes of the tree of keys now: 43 bytes each, written anew every time.
    pub nodes: usize,
}

impl Store {
    /// Destroys the keys of everything that was erased, dropped or replaced before this call, and the secret under which
    /// they were kept. When it returns, nothing in the directory opens their bytes any more; copies of the directory
    /// open them only together with its old `keys`.
    ///
    /// Searches and commits go on meanwhile. Costs a look at every number of an erased encounter and of a task behind the
    /// oldest that waits, and a file of 43
    /// bytes for each node of the tree.
    ///
    /// # Errors
    /// Damage of the lists it follows; [`StoreError::Keys`]. Until it is repeated with success, the keys must be taken to
    /// exist.
    pub fn forget(&self) -> Result<Forgotten, StoreError> {
        let (mut done, mut ended) = (Forgotten::default(), Vec::new());
        // In this order: a segment that is older than one that was live, not about to be live, and not live, is dead.
        let realms = self.reading(realms)?;
        let unsettled = self.shelf.unsettled();
        let is_destroyed = |leaf| self.keys.is_destroyed(leaf);
        for (realm, next) in realms {
            let Some((next_segment, next_task)) = next else {
                if !is_destroyed(Leaf::Realm(realm.get()))? {
                    ended.push(Branch::of_realm(realm.get()));
                    done.realms += 1;
                }
                continue;
            };
            let lists = || Ok((self.erased(realm)?, self.segments(realm)?, self.tasks(realm)?));
            let (erased, live, tasks) = match lists() {
                Err(StoreError::UnknownRealm(_)) => continue, // dropped just now: the next call's
                found => found?,
            };
            for record in erased {
                let leaf = Leaf::Record(realm.get(), record);
                if !is_destroyed(leaf)? {
                    ended.push(leaf.branch()?);
                    done.records += 1;
                }
            }
            let oldest = tasks.first().map_or(next_task, |task| task.get().min(next_task));
            ended.extend(Leaf::Task(realm.get(), oldest).before()?);
            let tasks: BTreeSet<u64> = tasks.iter().map(|task| task.get()).collect();
            for task in (oldest..next_task).filter(|task| !tasks.contains(task)) {
                ended.push(Leaf::Task(realm.get(), task).branch()?);
            }
            let live: BTreeSet<SegmentNumber> = live.iter().map(|segment| segment.number).collect();
            for segment in (1..next_segment).map(SegmentNumber::new) {
                let leaf = Leaf::Segment(realm.get(), segment.get());
                if !live.contains(&segment) && !unsettled.contains(&(realm, segment)) && !is_destroyed(leaf)? {
                    ended.push(leaf.branch()?);
                    done.segments += 1;
                }
            }
        }
        let Destroyed { epoch, nodes, .. } = self.keys.destroy(ended)?;
        Ok(Forgotten { epoch, nodes, ..done })
    }

    /// When keys were destroyed the last time, or the store was made: seconds since 1970.
    #[must_use]
    pub fn forgot_unix_s(&self) -> u64 {
        self.keys.began_unix_s()
    }
}

/// The next numbers of a segment and a task.
type Next = (u64, u64);

/// Every realm there ever was, with its next numbers where it still is.
fn realms(reading: &Reading<'_>) -> Result<Vec<(RealmNumber, Option<Next>)>, Fault> {
    let table = reading.open(REALMS)?;
    let numbers = (0..reading.head()?.next_realm).map(RealmNumber::new);
    numbers
        .map(|realm| {
            Ok((realm, table.get::<RealmRow>(&realm_key(realm))?.map(|row| (row.next_segment, row.next_task))))
        })
        .collect()
}
