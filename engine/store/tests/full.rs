//! What happens when there is no room? A named error, nothing lost, and on it goes as soon as there is room again.

mod people;

use std::fs;
use std::path::Path;
use std::process::Command;

use khop_store::{RecordNumber, Store, StoreError};
use people::{REALM, create, draft, encounter, enrol};

const CHILD: &str = "KHOP_STORE_FULL_CHILD";

/// Enrols until there is no room, and checks that everything acknowledged is there; the number enrolled.
fn fill(store: &Store, mut next: u64) -> u64 {
    loop {
        let changes: Vec<_> = (next..next + 50).map(enrol).collect();
        match store.commit(&changes) {
            Ok(_) => next += 50,
            Err(StoreError::Full { path }) => {
                assert!(path.starts_with(store.dir()), "{}", path.display());
                break;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(next < 1_000_000, "never full");
    }
    check(store, next);
    next
}

fn check(store: &Store, count: u64) {
    let records = store.records_from(REALM, RecordNumber::new(0), usize::MAX).unwrap();
    assert_eq!(records.len() as u64, count);
    assert!(records.iter().zip(0..).all(|((record, stored), n)| record.get() == n && *stored == encounter(n)));
    let report = store.verify().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

/// The child of the file size test. Does nothing unless it was started as one.
#[test]
fn child_fills_its_file() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let store = Store::open(Path::new(&dir)).unwrap();
    store.commit(&[create()]).unwrap();
    let count = fill(&store, 0);
    let records = (0..count.max(200_000)).map(RecordNumber::new).collect();
    let error = store.write_segment(REALM, &draft(records)).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(fs::read_dir(store.dir().join("segments/0")).unwrap().count(), 0);
    assert!(matches!(store.commit(&[enrol(count)]), Err(StoreError::Full { .. }) | Ok(_)));
    println!("filled with {count}");
}

#[test]
fn a_file_size_limit_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 8192; exec "$0" --exact child_fills_its_file --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, &path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let count = text.lines().find_map(|line| line.split_once("filled with ")).expect("the child says").1;
    let store = Store::open(&path).unwrap();
    let records = store.records_from(REALM, RecordNumber::new(0), usize::MAX).unwrap().len() as u64;
    assert!(records >= count.trim().parse().unwrap() && records > 0);
    store.commit(&[enrol(1_000_000)]).unwrap();
}

/// A small filesystem in memory, unmounted at the end.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "none"]).arg(dir.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_heals_without_opening_again() {
    let Some(mount) = Mount::new() else {
        println!("skipped: mounting a small tmpfs needs root");
        return;
    };
    let (path, ballast) = (mount.0.path().join("store"), mount.0.path().join("ballast"));
    fs::write(&ballast, vec![0; 6 << 20]).unwrap();
    let store = Store::open(&path).unwrap();
    store.commit(&[create()]).unwrap();
    let count = fill(&store, 0);
    assert!(matches!(store.commit(&[enrol(count)]), Err(StoreError::Full { .. })));
    let error = store.write_segment(REALM, &draft((0..50_000).map(RecordNumber::new).collect())).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    fs::remove_file(&ballast).unwrap();
    store.commit(&[enrol(count)]).unwrap();
    let more = fill(&store, count + 1);
    assert!(more > count + 50);
    drop(store);
    check(&Store::open(&path).unwrap(), more);
}
