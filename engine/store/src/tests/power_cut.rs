//! Is everything that was acknowledged there after the power fails, at any moment, on a disk that does what disks do?
//!
//! The catalogue lies on a simulated disk that keeps every write, and when it was told to make writes durable. From
//! that, the disk is made as it may be after a cut at any step: everything up to the last sync, and of the writes after
//! it some, in any order, down to single sectors. Each such disk is opened as the store opens it, and must hold exactly
//! what it held after some commit that began before the cut, and none that was acknowledged may be missing.
//!
//! `KHOP_RIG_CUTS=200000 cargo test -p khop-store power_cut -- --nocapture` is the long form; a test run makes a few
//! thousand cuts. Controls: a disk that forgets to sync, and a store that acknowledges too early, must be found out.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use khop_keys::{Keyring, RootSource};
use khop_vocabulary::{Encounter, EncounterKey, RealmId, Sample, SampleFormat};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use redb::{Database, ReadableDatabase, StorageBackend};

use crate::catalogue::{begin_write, builder};
use crate::change::Change;
use crate::codec::HeadRow;
use crate::commit::Batch;
use crate::entries::Entries;
use crate::table::{ALL, HEAD};
use crate::{NewCase, RealmNumber, RecordNumber};

/// What a disk can lose or keep apart from the rest.
const SECTOR: usize = 512;

#[derive(Debug, Clone)]
enum Step {
    Write {
        at: u64,
        bytes: Vec<u8>,
    },
    Length(u64),
    Sync,
    /// The commit of this number begins.
    Begun(usize),
    /// It was acknowledged.
    Acknowledged(usize),
}

/// A disk that remembers every step.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, Vec<Step>)>>);

impl Disk {
    fn of(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new((image, Vec::new()))))
    }

    fn with<T>(&self, run: impl FnOnce(&mut Vec<u8>, &mut Vec<Step>) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (image, steps) = &mut *state;
        run(image, steps)
    }

    fn note(&self, step: Step) {
        self.with(|_, steps| steps.push(step));
    }
}

impl Step {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let (at, end) = (*at as usize, *at as usize + bytes.len());
                image.resize(image.len().max(end), 0);
                image[at..end].copy_from_slice(bytes);
            }
            Self::Length(length) => image.resize(*length as usize, 0),
            _ => {}
        }
    }

    /// The same write, sector by sector; what is no write stays whole.
    fn sectors(&self) -> Vec<Self> {
        let Self::Write { at, bytes } = self else { return vec![self.clone()] };
        let (mut at, mut rest, mut sectors) = (*at, &bytes[..], Vec::new());
        while !rest.is_empty() {
            let (sector, behind) = rest.split_at(rest.len().min(SECTOR - at as usize % SECTOR));
            sectors.push(Self::Write { at, bytes: sector.to_vec() });
            (at, rest) = (at + sector.len() as u64, behind);
        }
        sectors
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|image, _| image.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|image, _| {
            let there = image.get(offset as usize..offset as usize + out.len());
            there.map(|bytes| out.copy_from_slice(bytes)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.with(|image, steps| {
            let step = Step::Length(length);
            step.apply(image);
            steps.push(step);
        });
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|image, steps| {
            let step = Step::Write { at: offset, bytes: data.to_vec() };
            step.apply(image);
            steps.push(step);
        });
        Ok(())
    }
}

/// What is in a catalogue, as one hash over every table, key and value.
fn contents(database: &Database) -> Option<[u8; 32]> {
    let (transaction, mut hash) = (database.begin_read().ok()?, blake3::Hasher::new());
    for table in ALL {
        hash.update(table.name.as_bytes());
        for pair in transaction.open_table(table.definition()).ok()?.range::<&[u8]>(..).ok()? {
            let (key, value) = pair.ok()?;
            for bytes in [key.value(), value.value()] {
                hash.update(&(bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
        }
    }
    Some(*hash.finalize().as_bytes())
}

/// How a store may be wrong, to see that it is found out.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// The disk says that it made writes durable, and did not.
    ForgetsSync,
    /// A commit is acknowledged before it is made.
    AcknowledgesEarly,
}

/// A catalogue's life: its disk before, every step, and its contents after each commit, the first before any.
struct Life {
    before: Vec<u8>,
    steps: Vec<Step>,
    contents: Vec<[u8; 32]>,
}

/// Commits of every kind, as the store makes them.
fn live(commits: usize, seed: u64, fault: Fault) -> Life {
    let directory = tempfile::tempdir().unwrap();
    let keys = Keyring::open(directory.path(), &RootSource::Beside, true).unwrap();
    let disk = Disk::default();
    let database = builder(false).create_with_backend(disk.clone()).unwrap();
    let commit = |run: &dyn Fn(&redb::WriteTransaction)| {
        let transaction = begin_write(&database).ok().unwrap();
        run(&transaction);
        transaction.commit().unwrap();
    };
    commit(&|transaction| {
        for table in ALL {
            transaction.open_table(table.definition()).unwrap();
        }
        let mut head = Entries::new(HEAD, transaction.open_table(HEAD.definition()).unwrap(), &keys);
        head.put(&[], &HeadRow { format: crate::FORMAT, ..HeadRow::default() }).ok().unwrap();
    });
    let (before, mut states) = (disk.with(|image, _| image.clone()), vec![contents(&database).unwrap()]);
    disk.with(|_, steps| steps.clear());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for number in 0..commits {
        let changes = changes(number, &mut random);
        disk.note(Step::Begun(number));
        if fault == Fault::AcknowledgesEarly {
            disk.note(Step::Acknowledged(number));
        }
        commit(&|transaction| {
            let mut batch = Batch::begin(transaction, &keys).ok().unwrap();
            changes.iter().for_each(|change| _ = batch.apply(change).ok().unwrap());
            batch.finish().ok().unwrap();
        });
        disk.note(Step::Acknowledged(number));
        states.push(contents(&database).unwrap());
    }
    let mut steps = disk.with(|_, steps| std::mem::take(steps));
    if fault == Fault::ForgetsSync {
        steps.retain(|step| !matches!(step, Step::Sync));
    }
    Life { before, steps, contents: states }
}

const REALM: RealmNumber = RealmNumber::new(0);

fn changes(number: usize, random: &mut ChaCha8Rng) -> Vec<Change> {
    let note = String::new;
    if number == 0 {
        return vec![Change::CreateRealm { id: RealmId::new("r").unwrap(), expires_at_unix_s: None, note: note() }];
    }
    let enrol = |at: usize, random: &mut ChaCha8Rng| {
        let encounter = encounter(&format!("e{number}-{at}"), random.random_range(100..6000));
        let candidates = vec![(EncounterKey::new("s", "e1-0").unwrap(), 40.0)];
        let case = random.random_bool(0.2).then_some(NewCase { candidates, outcome: 1 });
        Change::Enrol { realm: REALM, encounter, replaces: None, case, note: note() }
    };
    match random.random_range(0..8) {
        0 => vec![Change::Erase { realm: REALM, record: RecordNumber::new(random.random_range(0..40)), note: note() }],
        1 => vec![Change::PutMeta { key: "k".into(), value: Some(vec![1; random.random_range(0..9000)]) }],
        _ => (0..random.random_range(1..4)).map(|at| enrol(at, random)).collect(),
    }
}

fn encounter(id: &str, bytes: usize) -> Encounter {
    let sample = Sample { format: SampleFormat::Minutiae, position: None, quality: None, bytes: vec![3; bytes] };
    Encounter::new(EncounterKey::new("s", id).unwrap(), vec![sample])
}

/// What came of so many cuts.
#[derive(Debug, Default, PartialEq)]
struct Verdict {
    cuts: usize,
    /// Acknowledged commits that were not there.
    lost: usize,
    /// Disks that held what was there after no commit.
    phantom: usize,
    /// Disks that could not be opened.
    unreadable: usize,
}

/// Cuts the power `cuts` times, at steps spread evenly over a life, and looks.
fn cut(life: &Life, cuts: usize, seed: u64) -> Verdict {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut verdict = Verdict { cuts, ..Verdict::default() };
    let mut moments: Vec<usize> = (0..cuts).map(|cut| cut * life.steps.len() / cuts).collect();
    moments.sort_unstable();
    // The disk as it surely is, and what may have reached it since.
    let (mut durable, mut pending, mut done) = (life.before.clone(), Vec::<Step>::new(), 0);
    let (mut begun, mut acknowledged) = (0, 0);
    for moment in moments {
        for step in &life.steps[done..moment] {
            match step {
                Step::Sync => pending.drain(..).for_each(|step| step.apply(&mut durable)),
                Step::Begun(number) => begun = number + 1,
                Step::Acknowledged(number) => acknowledged = number + 1,
                write => pending.extend(write.sectors()),
            }
        }
        done = moment;
        let disk = Disk::of(torn(&durable, &pending, &mut random));
        let opened =
            std::panic::catch_unwind(|| builder(false).create_with_backend(disk).ok().and_then(|db| contents(&db)));
        let Some(found) = opened.ok().flatten() else {
            verdict.unreadable += 1;
            continue;
        };
        match life.contents.iter().position(|state| *state == found) {
            Some(state) if state > begun => verdict.phantom += 1,
            Some(state) if state < acknowledged => verdict.lost += 1,
            Some(_) => {}
            None => verdict.phantom += 1,
        }
    }
    verdict
}

/// A disk after a cut: none, all or some of the sectors that were under way, in any order.
fn torn(durable: &[u8], pending: &[Step], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut image = durable.to_vec();
    let share = [0.0, 1.0, 0.5, 0.9, 0.1][random.random_range(0..5)];
    let in_order = random.random_bool(0.5);
    let mut kept: Vec<&Step> = pending.iter().filter(|_| random.random_bool(share)).collect();
    if in_order {
        // A disk that writes in order and is cut in the middle.
        kept = pending.iter().take((pending.len() as f64 * share) as usize).collect();
    } else {
        for at in (1..kept.len()).rev() {
            kept.swap(at, random.random_range(0..=at));
        }
    }
    kept.into_iter().for_each(|step| step.apply(&mut image));
    image
}

/// How many cuts this run makes.
fn asked(usual: usize) -> usize {
    std::env::var("KHOP_RIG_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    // Many lives rather than one long one: every cut opens a catalogue, and small ones open faster.
    let (mut total, mut steps, each) = (Verdict::default(), 0, 1500);
    for seed in 0..asked(3000).div_ceil(each) as u64 {
        let life = live(60, seed, Fault::None);
        let Verdict { cuts, lost, phantom, unreadable } = cut(&life, each, seed);
        total.cuts += cuts;
        total.lost += lost;
        total.phantom += phantom;
        total.unreadable += unreadable;
        steps += life.steps.len();
    }
    println!("{total:?} among {steps} steps");
    assert_eq!(total, Verdict { cuts: total.cuts, ..Verdict::default() });
}

#[test]
fn a_disk_that_forgets_to_sync_is_found_out() {
    let verdict = cut(&live(30, 1, Fault::ForgetsSync), 300, 1);
    assert!(verdict.lost > 10, "{verdict:?}: a rig that sees nothing");
}

#[test]
fn a_store_that_acknowledges_too_early_is_found_out() {
    let verdict = cut(&live(30, 2, Fault::AcknowledgesEarly), 600, 2);
    assert!(verdict.lost > 10, "{verdict:?}: a rig that sees nothing");
}
