//! How does a backup become a store again? Copied under another name, rid of whoever was forgotten since, then renamed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use khop_keys::{Key, Leaf};

use crate::backup::{LINEAGE, Manifest, hash, numbers, segment_path};
use crate::catalogue::Fault;
use crate::commit::Batch;
use crate::table::{
    ENCOUNTERS, ERASED, IDENTITIES, META, REALMS, RECORDS, TASKS, encounter_in, encounter_key, number_in, realm_in,
    record_in, record_key,
};
use crate::{Opening, RealmNumber, RecordNumber, Store, StoreError, TaskNumber, directory};

/// What a restoration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// The number of the backup.
    pub number: u64,
    /// Encounters that are there.
    pub encounters: u64,
    /// Segments that came with it; the others are made again when the engine opens the store.
    pub segments: u64,
    /// Encounters that were erased after the backup was made, and stay so.
    pub struck: u64,
    /// Realms that were dropped after it, and stay so.
    pub dropped: u64,
}

impl Opening {
    /// Makes a store in `dir`, which must not be there yet, from a backup in `source`: this one, or the newest. Nobody
    /// comes back who was erased, and whose key was destroyed, before the newest of the backups there was made. The
    /// store appears under its name when it is complete.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such backup; damage of it, named; [`StoreError::Keys`];
    /// [`StoreError::Exists`]. Nothing is made in `dir` then.
    pub fn restore(&self, source: &Path, number: Option<u64>, dir: &Path) -> Result<Restored, StoreError> {
        if dir.exists() {
            return Err(StoreError::Exists { path: dir.to_owned() });
        }
        let newest = || numbers(source)?.pop().ok_or_else(|| StoreError::Missing { path: source.join("MANIFEST") });
        let number = number.map_or_else(newest, Ok)?;
        let manifest = Manifest::read(source, number)?;
        let catalogue = source.join(number.to_string()).join("catalogue.redb");
        if hash(&catalogue)? != manifest.catalogue {
            let detail = "does not agree with the manifest's hash".into();
            return Err(StoreError::DamagedCatalogue { path: catalogue, detail });
        }
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(".restoring");
        let unfinished = dir.with_file_name(name);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(StoreError::at(&unfinished))?;
        }
        let made = self.copy(source, &manifest, &catalogue, &unfinished);
        let done = made.and_then(|segments| {
            let store = self.open(&unfinished)?;
            let (struck, dropped) = store.strike_forgotten()?;
            let realms = store.realms()?;
            let counts = realms.iter().map(|realm| store.counts(realm.number)).collect::<Result<Vec<_>, _>>()?;
            let encounters = counts.iter().map(|counts| counts.encounters).sum();
            Ok(Restored { number, encounters, segments, struck, dropped })
        });
        let Ok(done) = done else {
            let _ = fs::remove_dir_all(&unfinished);
            return done;
        };
        fs::rename(&unfinished, dir).map_err(StoreError::at(dir))?;
        directory::sync(dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        Ok(done)
    }

    /// Copies keys, catalogue and segments; gives the number of segments.
    fn copy(&self, source: &Path, manifest: &Manifest, catalogue: &Path, to: &Path) -> Result<u64, StoreError> {
        let copy = |from: &Path, to: &Path| {
            let mut file = fs::File::open(from).map_err(StoreError::at(from))?;
            directory::write(to, |out| std::io::copy(&mut file, out).map(drop))
        };
        let keys = source.join("keys");
        directory::make(&to.join("keys"))?;
        for entry in fs::read_dir(&keys).map_err(StoreError::at(&keys))? {
            let path = entry.map_err(StoreError::at(&keys))?.path();
            copy(&path, &to.join("keys").join(path.file_name().unwrap_or_default()))?;
        }
        copy(catalogue, &to.join("catalogue.redb"))?;
        let mut segments = 0;
        for &(realm, number) in &manifest.segments {
            let from = segment_path(&source.join("segments"), realm, number);
            if !from.exists() {
                continue; // what is derived can be made again
            }
            let into = segment_path(&to.join("segments"), realm, number);
            directory::make(into.parent().unwrap_or(to))?;
            copy(&from, &into)?;
            segments += 1;
        }
        Ok(segments)
    }
}

impl Store {
    /// Gives the store a name of its own; erases every encounter and drops every realm whose key was destroyed though the
    /// catalogue still lists it, which a restored one does for whoever was forgotten since. Reads every entry once.
    fn strike_forgotten(&self) -> Result<(u64, u64), StoreError> {
        self.catalogue.write(|transaction| {
            let mut batch = Batch::begin(transaction, &self.keys)?;
            let (mut struck, mut dropped, mut realms) = (0, 0, Vec::new());
            batch.table(REALMS).each(&[], |key, _| {
                realms.push(realm_in(key));
                Ok(())
            })?;
            for realm in realms {
                if self.keys.is_destroyed(Leaf::Realm(realm.get())).map_err(StoreError::from)? {
                    batch.drop_realm(realm, "restored from a backup: dropped since")?;
                    dropped += 1;
                } else {
                    struck += self.strike(&mut batch, realm)?;
                }
            }
            let lineage = Key::random().map_err(StoreError::from)?;
            batch.table(META).put(LINEAGE.as_bytes(), &lineage.bytes().to_vec())?;
            batch.finish()?;
            Ok((struck, dropped))
        })
    }

    fn strike(&self, batch: &mut Batch<'_>, realm: RealmNumber) -> Result<u64, Fault> {
        let mut done = Vec::new();
        batch.table(TASKS).each_of(realm, |key, _| {
            let task = TaskNumber::new(number_in(key));
            if self.keys.is_destroyed(Leaf::Task(realm.get(), task.get()))? {
                done.push(task);
            }
            Ok(())
        })?;
        for task in done {
            batch.remove_task(realm, task)?;
        }
        let mut gone = BTreeSet::new();
        batch.table(RECORDS).each_of(realm, |key, _| {
            let record = record_in(key);
            if self.keys.is_destroyed(Leaf::Record(realm.get(), record.get()))? {
                gone.insert(record);
            }
            Ok(())
        })?;
        if gone.is_empty() {
            return Ok(0);
        }
        for &record in &gone {
            batch.table(RECORDS).remove(&record_key(realm, record))?;
            batch.table(IDENTITIES).remove(&record_key(realm, record))?;
            batch.table(ERASED).put(&record_key(realm, record), &())?;
        }
        // Whose they were is sealed under their keys: the index is searched for what points at them.
        let mut names = Vec::new();
        let encounters = &*batch.table(ENCOUNTERS);
        encounters.each_of(realm, |key, value| {
            if gone.contains(&RecordNumber::new(encounters.open::<u64>(key, value)?)) {
                names.push(encounter_in(key).map_err(|detail| ENCOUNTERS.damaged(key, detail))?);
            }
            Ok(())
        })?;
        for name in &names {
            batch.table(ENCOUNTERS).remove(&encounter_key(realm, name))?;
            batch.strike_from_cases(realm, name)?;
        }
        batch.recount(realm, gone.len() as u64)?;
        for record in &gone {
            batch.audit(crate::Act::Erase, realm, record.get(), "restored from a backup: erased since")?;
        }
        Ok(gone.len() as u64)
    }
}
