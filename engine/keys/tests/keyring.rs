//! Does a keyring give the same keys again, lose none by a crash, and give none that was destroyed?

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use khop_keys::{Branch, Key, KeyError, Keyring, Leaf, RootKey, RootSource};

const ERASED: Leaf = Leaf::Record(0, 5);
const KEPT: [Leaf; 5] = [Leaf::Store, Leaf::Realm(0), Leaf::Record(0, 4), Leaf::Record(0, 6), Leaf::Segment(1, 1)];

fn open(dir: &Path) -> Result<Keyring, KeyError> {
    Keyring::open(dir, &RootSource::Beside, false)
}

fn made() -> (tempfile::TempDir, Vec<Key>) {
    let dir = tempfile::tempdir().unwrap();
    let keyring = Keyring::open(dir.path(), &RootSource::Beside, true).unwrap();
    let kept = kept(&keyring);
    (dir, kept)
}

fn kept(keyring: &Keyring) -> Vec<Key> {
    KEPT.iter().map(|&leaf| keyring.key(leaf).unwrap().unwrap()).collect()
}

fn erase(keyring: &Keyring) -> khop_keys::Destroyed {
    keyring.destroy([ERASED.branch().unwrap()]).unwrap()
}

/// A directory's files and their bytes.
type Files = BTreeMap<String, Vec<u8>>;

fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

fn write(files: &Files) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    dir
}

#[test]
fn the_same_keys_are_given_again_and_files_are_private() {
    let (dir, keys) = made();
    assert_eq!(kept(&open(dir.path()).unwrap()), keys);
    assert_eq!(files(dir.path()).keys().collect::<Vec<_>>(), ["1.epoch", "1.keyring", "root"]);
    for name in files(dir.path()).keys() {
        assert_eq!(fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let other = made().1;
    assert!(keys.iter().zip(&other).all(|(a, b)| a != b));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(open(empty.path()), Err(KeyError::Missing { .. })));
    assert!(files(empty.path()).is_empty());
}

#[test]
fn a_destroyed_key_is_gone_for_good_and_the_others_stay() {
    let (dir, keys) = made();
    let before = files(dir.path());
    let keyring = open(dir.path()).unwrap();
    let erased = keyring.key(ERASED).unwrap().unwrap();
    let done = erase(&keyring);
    assert_eq!((done.branches, done.epoch, done.nodes), (1, 2, 80));
    for keyring in [keyring, open(dir.path()).unwrap()] {
        assert_eq!((keyring.key(ERASED).unwrap(), keyring.epoch()), (None, 2));
        assert_eq!(kept(&keyring), keys);
    }
    let after = files(dir.path());
    assert_eq!(after.keys().collect::<Vec<_>>(), ["2.epoch", "2.keyring", "root"]);

    // Whoever copied the tree and the root key before, but not the epoch's secret, has nothing.
    let mut copied = before.clone();
    copied.remove("1.epoch");
    assert!(matches!(open(write(&copied).path()), Err(KeyError::Missing { .. })));
    for (epoch, secret) in [("1.epoch", &after["2.epoch"]), ("1.epoch", &vec![0; 120])] {
        let mut copied = copied.clone();
        copied.insert(epoch.into(), secret.clone());
        assert!(matches!(open(write(&copied).path()), Err(KeyError::Damaged { .. })));
    }
    // The control: with that secret the key would be there.
    assert_eq!(open(write(&before).path()).unwrap().key(ERASED).unwrap(), Some(erased));
}

/// Keys are remembered nodes above leaves: after a destruction they must not lead back.
#[test]
fn what_is_remembered_does_not_outlive_a_destruction() {
    let (dir, _) = made();
    let keyring = open(dir.path()).unwrap();
    let near: Vec<Leaf> = (0..20).map(|number| Leaf::Record(0, number)).collect();
    let before: Vec<_> = near.iter().map(|&leaf| keyring.key(leaf).unwrap().unwrap()).collect();
    erase(&keyring);
    for _ in 0..2 {
        for (&leaf, before) in near.iter().zip(&before) {
            assert_eq!(keyring.key(leaf).unwrap(), (leaf != ERASED).then(|| before.clone()));
            assert_eq!(keyring.is_destroyed(leaf).unwrap(), leaf == ERASED);
        }
    }
    let far = Leaf::Record(0, 1 << 20); // remembered apart from the damaged neighbourhood
    assert_eq!(keyring.key(far).unwrap(), keyring.key(far).unwrap());
}

#[test]
fn a_realm_goes_as_a_whole_and_repeating_changes_nothing() {
    let (dir, keys) = made();
    let keyring = open(dir.path()).unwrap();
    let done = keyring.destroy([Branch::of_realm(1), Leaf::Record(1, 9).branch().unwrap()]).unwrap();
    assert_eq!((done.branches, done.nodes), (1, 32));
    assert_eq!(keyring.destroy([Branch::of_realm(1)]).unwrap().branches, 0);
    assert!(keyring.key(Leaf::Realm(1)).unwrap().is_none() && keyring.key(Leaf::Segment(1, 1)).unwrap().is_none());
    assert_eq!(keyring.key(KEPT[1]).unwrap().as_ref(), Some(&keys[1]));
    assert_eq!(open(dir.path()).unwrap().epoch(), 3);
}

/// Between any two steps of an epoch's end the machine may stop.
#[test]
fn a_crash_at_any_step_leaves_one_epoch_and_no_old_secret() {
    let (dir, keys) = made();
    let before = files(dir.path());
    erase(&open(dir.path()).unwrap());
    let after = files(dir.path());
    let (secret, tree) = (&after["2.epoch"], &after["2.keyring"]);
    type Written<'a> = &'a [(&'a str, &'a [u8])];
    let steps: [(Written<'_>, bool); 9] = [
        (&[], false),
        (&[("2.new", &secret[..50])], false),
        (&[("2.new", secret)], false),
        (&[("2.epoch", secret)], false),
        (&[("2.epoch", secret), ("2.new", &tree[..100])], false),
        (&[("2.epoch", secret), ("2.keyring", tree)], true),
        (&[("2.epoch", secret), ("2.keyring", tree), ("1.epoch", &[0; 120])], true),
        (&[("2.epoch", secret), ("2.keyring", tree), ("1.epoch", &[])], true),
        (&[("2.epoch", secret), ("2.keyring", tree), ("1.keyring", &[0; 10])], true),
    ];
    for (step, (written, is_over)) in steps.into_iter().enumerate() {
        let mut there = before.clone();
        there.extend(written.iter().map(|&(name, bytes)| (name.to_owned(), bytes.to_vec())));
        let dir = write(&there);
        let keyring = open(dir.path()).unwrap();
        assert_eq!(kept(&keyring), keys, "step {step}");
        assert_eq!(keyring.key(ERASED).unwrap().is_none(), is_over, "step {step}");
        let epoch = if is_over { 2 } else { 1 };
        let names = [format!("{epoch}.epoch"), format!("{epoch}.keyring"), "root".into()];
        assert_eq!(files(dir.path()).into_keys().collect::<Vec<_>>(), names, "step {step}");
        assert_eq!(erase(&keyring).epoch, epoch + 1);
        assert_eq!(kept(&open(dir.path()).unwrap()), keys);
    }
}

#[test]
fn what_is_damaged_missing_or_of_another_root_is_named_and_nothing_is_made() {
    let (dir, _) = made();
    let good = files(dir.path());
    for name in ["1.epoch", "1.keyring"] {
        for bit in 0..good[name].len() * 8 {
            let mut bad = good.clone();
            bad.get_mut(name).unwrap()[bit / 8] ^= 1 << (bit % 8);
            let dir = write(&bad);
            let error = open(dir.path()).unwrap_err();
            assert!(
                matches!(error, KeyError::Damaged { .. } | KeyError::OtherRoot { .. }),
                "{name} bit {bit}: {error}"
            );
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(files(dir.path()), bad);
        }
        for cut in [0, 20, 47, 48, 70, good[name].len() - 1] {
            let mut bad = good.clone();
            bad.get_mut(name).unwrap().truncate(cut);
            assert!(matches!(open(write(&bad).path()), Err(KeyError::Damaged { .. })), "{name} cut at {cut}");
        }
    }
    for name in ["root", "1.epoch"] {
        let mut bad = good.clone();
        bad.remove(name);
        let dir = write(&bad);
        // Also when a new keyring may be made: one whose key is lost is not a new one.
        let error = Keyring::open(dir.path(), &RootSource::Beside, true).unwrap_err();
        assert!(matches!(&error, KeyError::Missing { path } if path.ends_with(name)), "{error}");
        assert_eq!(files(dir.path()), bad);
    }
    let other = dir.path().join("other-root");
    RootKey::random().unwrap().write_new(&other).unwrap();
    let error = Keyring::open(dir.path(), &RootSource::File(other.clone()), false).unwrap_err();
    assert!(matches!(&error, KeyError::OtherRoot { .. }) && error.to_string().contains("other-root"), "{error}");
}

#[test]
fn the_root_key_can_be_kept_elsewhere() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = elsewhere.path().join("root");
    RootKey::random().unwrap().write_new(&path).unwrap();
    let source = RootSource::File(path.clone());
    let keys = kept(&Keyring::open(dir.path(), &source, true).unwrap());
    assert_eq!(files(dir.path()).len(), 2);
    assert_eq!(kept(&Keyring::open(dir.path(), &source, false).unwrap()), keys);
    let command = RootSource::Command(format!("cat '{}'", path.display()));
    assert_eq!(kept(&Keyring::open(dir.path(), &command, false).unwrap()), keys);
    assert!(matches!(open(dir.path()), Err(KeyError::Missing { .. })));
}

#[test]
fn nothing_prints_a_key() {
    let (dir, _) = made();
    let keyring = open(dir.path()).unwrap();
    let printed = format!("{keyring:?} {:?}", keyring.key(ERASED).unwrap());
    assert!(printed.ends_with("epoch 1) Some(Key)"), "{printed}");
}
