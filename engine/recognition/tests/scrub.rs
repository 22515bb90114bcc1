//! Is damage that nobody asks for found, told and mended, while the engine serves?

mod people;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use khop::{DuplicateCheck, Engine, Outcome, Realm, RealmId, Search};
use people::{encounter, population, samples};

const PEOPLE: u64 = 150;

fn open(dir: &Path, mapped: bool) -> (Engine, Realm) {
    let engine = Engine::builder(dir).threads(2).seal_rows(64).encrypted_volume(mapped).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    (engine, realm)
}

fn segment_files(dir: &Path) -> Vec<PathBuf> {
    let realms = std::fs::read_dir(dir.join("segments")).unwrap().map(|realm| realm.unwrap().path());
    let files = realms.flat_map(|realm| std::fs::read_dir(realm).unwrap().map(|file| file.unwrap().path()));
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files
}

/// Flips a bit in the middle of a file, in place, as a disk does.
fn flip(path: &Path, at: impl FnOnce(u64) -> u64) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let (at, mut byte) = (at(file.metadata().unwrap().len()), [0]);
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_damaged_file_is_found_and_made_again() {
    for (mapped, where_) in [(false, 3), (false, 9), (true, 3), (true, 9)] {
        let (dir, people) = (tempfile::tempdir().unwrap(), population());
        let (engine, realm) = open(dir.path(), mapped);
        for person in 0..PEOPLE {
            realm.enrol(encounter(&people, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
        }
        wait_until(|| segment_files(dir.path()).len() == 2);
        wait_until(|| engine.realms()[0].tail_rows < 64);
        assert_eq!(engine.last_scrub(), None);
        let sound = engine.scrub(&|_| true).unwrap().unwrap();
        assert_eq!((sound.damaged, sound.segments, sound.first), (0, 2, None));
        let before = segment_files(dir.path());
        let bytes: u64 = before.iter().map(|path| path.metadata().unwrap().len()).sum();
        assert!(sound.bytes > bytes * 9 / 10, "{} of {bytes} bytes of files and the catalogue", sound.bytes);

        flip(&before[0], |length| length * where_ / 10);
        let found = engine.scrub(&|_| true).unwrap().unwrap();
        assert_eq!(found.damaged, 1, "mapped {mapped}, at {where_}/10");
        assert!(found.first.unwrap().contains("segment"));
        let last = engine.last_scrub().unwrap();
        assert!(last.damaged == 1 && last.ended_unix_s > 1_700_000_000);
        wait_until(|| !segment_files(dir.path()).contains(&before[0]));
        wait_until(|| engine.scrub(&|_| true).unwrap().unwrap().damaged == 0);
        drop((realm, engine));
        let (engine, realm) = open(dir.path(), mapped);
        assert_eq!(engine.last_scrub().unwrap().damaged, 0, "known also after a restart");
        for person in [0, 40, 149] {
            let found = realm.identify(&samples(&people, person, 1), &Search::default()).unwrap();
            assert_eq!(found.decision.outcome(), Outcome::Hit);
        }
        assert!(engine.verify_store().unwrap().is_sound());
    }
}

#[test]
fn a_pass_that_is_stopped_is_none() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (engine, realm) = open(dir.path(), false);
    realm.enrol(encounter(&people, 1, 0, "S"), DuplicateCheck::Skip).unwrap();
    assert_eq!(engine.scrub(&|_| false).unwrap(), None);
    assert_eq!(engine.last_scrub(), None);
}
