//! Who did what, and was that list altered? A chain of entries, each holding the hash of the one before.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalogue::Fault;
use crate::codec::{AuditRow, HeadRow, encode};
use crate::entries::Entries;
use crate::reading::Reading;
use crate::table::{AUDIT, Writable, number_in};
use crate::{RealmNumber, Store, StoreError};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Act {
    /// A realm was made.
    CreateRealm = 1,
    /// A realm got its face model.
    SetFaceModel = 2,
    /// A realm was dropped.
    DropRealm = 3,
    /// An encounter was added.
    Enrol = 4,
    /// An encounter was erased.
    Erase = 5,
    /// A case was closed.
    CloseCase = 6,
    /// The list of live segments changed.
    SetSegments = 7,
    /// An encounter was put in the place of another form of it.
    Revise = 8,
}

impl Act {
    const ALL: [Self; 8] = [
        Self::CreateRealm,
        Self::SetFaceModel,
        Self::DropRealm,
        Self::Enrol,
        Self::Erase,
        Self::CloseCase,
        Self::SetSegments,
        Self::Revise,
    ];
}

/// One line of the audit chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place, from 0.
    pub sequence: u64,
    /// When, milliseconds since 1970 by the machine's clock.
    pub at_unix_ms: u64,
    /// What was done.
    pub act: Act,
    /// Where.
    pub realm: RealmNumber,
    /// The record, case or segment it was done to; 0 for realms.
    pub number: u64,
    /// What the caller said.
    pub note: String,
    /// BLAKE3 over the previous hash and everything above.
    pub hash: [u8; 32],
}

/// The end of the chain. Kept elsewhere, it proves later that nothing before it was altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// Entries so far.
    pub entries: u64,
    /// The last entry's hash; zeros when there is none.
    pub hash: [u8; 32],
}

impl Store {
    /// The end of the audit chain.
    ///
    /// # Errors
    /// Damage; I/O.
    pub fn audit_head(&self) -> Result<AuditHead, StoreError> {
        let head = self.reading(|reading| reading.head())?;
        Ok(AuditHead { entries: head.next_audit, hash: head.audit_hash })
    }

    /// Up to `limit` audit entries from number `first` on.
    ///
    /// # Errors
    /// Damage; I/O.
    pub fn audit_from(&self, first: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.reading(|reading| read(reading, first, limit))
    }

    /// Follows the audit chain from its first entry to its head: any altered, missing, added or moved entry shows.
    /// A chain cut back together with its head does not; compare [`Store::audit_head`] with one kept elsewhere.
    ///
    /// # Errors
    /// [`StoreError::DamagedEntry`] names the first entry that does not fit; I/O.
    pub fn verify_audit(&self) -> Result<AuditHead, StoreError> {
        self.reading(|reading| verify(reading, &reading.head()?, || ()))?;
        self.audit_head()
    }
}

/// Appends an entry to the chain that `head` ends.
pub(crate) fn append(
    entries: &mut Entries<'_, Writable<'_>>,
    head: &mut HeadRow,
    (act, realm, number): (Act, RealmNumber, u64),
    note: &str,
) -> Result<(), Fault> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at_unix_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let (previous, realm) = (head.audit_hash, realm.get());
    let row = AuditRow { previous, at_unix_ms, act: act as u8, realm, number, note: note.to_owned() };
    let key = head.next_audit.to_be_bytes();
    head.audit_hash = hash(head.next_audit, &row);
    head.next_audit += 1;
    entries.put(&key, &row)
}

/// Reads entries from `first` on.
pub(crate) fn read(reading: &Reading<'_>, first: u64, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
    let audit = reading.open(AUDIT)?;
    let mut found = Vec::new();
    for pair in audit.opened.range::<&[u8]>(&first.to_be_bytes()[..]..)?.take(limit) {
        let (key, value) = pair?;
        found.push(entry(key.value(), audit.open(key.value(), value.value())?)?.0);
    }
    Ok(found)
}

/// Follows the chain from its first entry to its head.
pub(crate) fn verify(reading: &Reading<'_>, head: &HeadRow, mut progress: impl FnMut()) -> Result<(), Fault> {
    let audit = reading.open(AUDIT)?;
    let broken = |sequence: u64, detail: &str| AUDIT.damaged(&sequence.to_be_bytes(), detail.into());
    let (mut next, mut hash) = (0, [0; 32]);
    audit.each(&[], |key, value| {
        let (entry, previous) = entry(key, audit.open(key, value)?)?;
        if entry.sequence != next {
            return Err(broken(next, "the entry is missing"));
        }
        if previous != hash {
            return Err(broken(next, "does not follow the entry before it"));
        }
        (next, hash) = (next + 1, entry.hash);
        progress();
        Ok(())
    })?;
    if (next, hash) == (head.next_audit, head.audit_hash) {
        Ok(())
    } else {
        Err(broken(next, "the chain does not end where the store says").into())
    }
}

/// The entry of a row, and the hash that it says the one before had.
fn entry(key: &[u8], row: AuditRow) -> Result<(AuditEntry, [u8; 32]), StoreError> {
    let sequence = number_in(key);
    let act = Act::ALL.into_iter().find(|&act| act as u8 == row.act);
    let act = act.ok_or_else(|| AUDIT.damaged(key, format!("act {} is not known", row.act)))?;
    let hash = hash(sequence, &row);
    let AuditRow { previous, at_unix_ms, realm, number, note, .. } = row;
    Ok((AuditEntry { sequence, at_unix_ms, act, realm: RealmNumber::new(realm), number, note, hash }, previous))
}

fn hash(sequence: u64, row: &AuditRow) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"khop audit 1");
    hasher.update(&sequence.to_le_bytes());
    hasher.update(&encode(row));
    *hasher.finalize().as_bytes()
}
