//! Does `khop store` tell a sound store from a damaged one, and mend what can be mended?

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use khop::RootSource;
use khop_store::{Change, Opening, RealmNumber, RecordNumber, SegmentDraft, Store};
use khop_vocabulary::RealmId;

fn khop(arguments: &[&str], data: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_khop")).args(arguments).arg(data).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A store with one realm, one empty segment in it, and nobody enrolled.
fn store(data: &Path) {
    let store = Opening { encrypted_volume: true, ..Opening::default() }.open(data).unwrap();
    let id = RealmId::new("default").unwrap();
    store.commit(&[Change::CreateRealm { id, expires_at_unix_s: None, note: String::new() }]).unwrap();
    let draft = SegmentDraft { columns: vec![("c".into(), vec![7; 100])], ..SegmentDraft::default() };
    let realm = RealmNumber::new(0);
    let (segment, _) = store.write_segment(realm, &draft).unwrap();
    store.commit(&[Change::SetSegments { realm, add: vec![segment], remove: vec![] }]).unwrap();
    assert_eq!(store.counts(realm).unwrap().next_record(), RecordNumber::new(0));
}

#[test]
fn a_sound_store_passes_and_a_damaged_one_is_named_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("store");
    store(&data);
    let sound = khop(&["store", "verify", "--json"], &data);
    assert!(sound.status.success(), "{}", text(&sound.stderr));
    let report: serde_json::Value = serde_json::from_slice(&sound.stdout).unwrap();
    assert_eq!((report["sound"].as_bool(), report["segments"].as_u64()), (Some(true), Some(1)));

    let segment = data.join("segments/0/1.khs");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.iter().rposition(|&byte| byte == 7).unwrap();
    bytes[at] = 8;
    fs::write(&segment, bytes).unwrap();
    let damaged = khop(&["store", "verify"], &data);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(text(&damaged.stdout).contains("segment: "), "{}", text(&damaged.stdout));
    let error = text(&damaged.stderr);
    assert!(error.starts_with("khop: ") && error.contains("1.khs") && error.contains("column c"), "{error}");
    assert_eq!(error.lines().count(), 1);

    let rebuilt = khop(&["store", "rebuild"], &data);
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    assert!(text(&rebuilt.stdout).starts_with("default: "), "{}", text(&rebuilt.stdout));
    assert!(khop(&["store", "verify"], &data).status.success());
}

#[test]
fn keys_end_and_a_root_key_can_be_kept_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (data, root) = (dir.path().join("store"), dir.path().join("khop.root"));
    let made = Command::new(env!("CARGO_BIN_EXE_khop")).args(["store", "root-key"]).arg(&root).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let twice = Command::new(env!("CARGO_BIN_EXE_khop")).args(["store", "root-key"]).arg(&root).output().unwrap();
    assert_eq!(twice.status.code(), Some(1));

    let root = root.to_str().unwrap();
    Opening { root: RootSource::File(root.into()), ..Opening::default() }.open(&data).unwrap();
    let refused = khop(&["store", "forget"], &data);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("keys/root"), "{}", text(&refused.stderr));
    for act in ["forget", "compact", "verify"] {
        let output = khop(&["store", act, "--root-key", root], &data);
        assert!(output.status.success(), "{act}: {}", text(&output.stderr));
        let command = format!("cat {root}");
        let output = khop(&["store", act, "--json", "--root-key-command", &command], &data);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(act != "forget" || report["epoch"].as_u64() == Some(3), "{report}");
    }
}

#[test]
fn a_backup_becomes_a_store_again() {
    let dir = tempfile::tempdir().unwrap();
    let (data, target, restored) = (dir.path().join("store"), dir.path().join("backups"), dir.path().join("restored"));
    drop(khop::Engine::builder(&data).open().unwrap());
    let run =
        |arguments: &[&std::ffi::OsStr]| Command::new(env!("CARGO_BIN_EXE_khop")).args(arguments).output().unwrap();
    let made = run(&["backup".as_ref(), data.as_ref(), "--to".as_ref(), target.as_ref()]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stdout).starts_with("backup 1 in "), "{}", text(&made.stdout));
    let again = run(&["restore".as_ref(), restored.as_ref(), "--from".as_ref(), target.as_ref(), "--json".as_ref()]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((report["backup"].as_u64(), report["erased_since"].as_u64()), (Some(1), Some(0)));
    assert!(khop(&["store", "verify"], &restored).status.success());
    // Never over what is there, and from nothing there is nothing to restore.
    let over = run(&["restore".as_ref(), restored.as_ref(), "--from".as_ref(), target.as_ref()]);
    assert_eq!(over.status.code(), Some(1));
    let none = run(&["restore".as_ref(), dir.path().join("x").as_ref(), "--from".as_ref(), data.as_ref()]);
    assert!(text(&none.stderr).contains("MANIFEST"), "{}", text(&none.stderr));
}

#[test]
fn what_is_no_store_is_not_made_one() {
    let dir = tempfile::tempdir().unwrap();
    for act in ["verify", "rebuild", "compact", "forget"] {
        let output = khop(&["store", act], dir.path());
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("no store there"), "{}", text(&output.stderr));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_store_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path());
    let _open = Store::open(dir.path()).unwrap();
    let output = khop(&["store", "verify"], dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("in use by process"), "{}", text(&output.stderr));
}
