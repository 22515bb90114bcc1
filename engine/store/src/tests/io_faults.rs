//! What if one write or sync fails, whichever? For every one of a life: nothing acknowledged is lost, reads go on, and a full
//! disk heals without opening the store again.

use std::io::ErrorKind;

use khop_vocabulary::RealmId;

use crate::{Change, Store, StoreError};

/// Commits of a life.
const COMMITS: usize = 6;

fn change(number: usize) -> Change {
    let id = RealmId::new(format!("r{number}")).unwrap();
    Change::CreateRealm { id, expires_at_unix_s: None, note: "n".repeat(5000) }
}

fn realms(store: &Store) -> usize {
    store.realms().unwrap().len()
}

/// One life with its n-th write or sync failing. Whether there were so many.
fn live(nth: usize, kind: ErrorKind) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    *store.catalogue.faults.fail_nth.lock().unwrap() = Some((nth, kind));
    let (mut acknowledged, mut failed) = (0, None);
    for number in 0..COMMITS {
        match store.commit(&[change(number)]) {
            Ok(_) => acknowledged += 1,
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    let what = format!("{kind:?} at {nth}");
    let Some(failed) = failed else {
        let left = store.catalogue.faults.fail_nth.lock().unwrap().take();
        assert!(left.is_some() || acknowledged == COMMITS, "{what}: a failure that nobody noticed");
        return left.is_none();
    };
    // Reads go on, with what was acknowledged; of a commit whose second sync failed nobody knows whether it will last.
    let may_last = usize::from(matches!(failed, StoreError::Fenced { .. }));
    assert!(
        (acknowledged..=acknowledged + may_last).contains(&realms(&store)),
        "{what}: {failed}, {} of {acknowledged}",
        realms(&store)
    );
    assert!(store.verify().unwrap().is_sound(), "{what}");
    match &failed {
        StoreError::Full { .. } => {
            // It heals: the same again, with room.
            assert_eq!(kind, ErrorKind::StorageFull, "{what}: {failed}");
            (acknowledged..COMMITS).for_each(|number| drop(store.commit(&[change(number)]).unwrap()));
            acknowledged = COMMITS;
        }
        StoreError::Fenced { .. } => assert!(store.commit(&[change(COMMITS)]).is_err(), "{what}: a fence that opens"),
        error => {
            // Refused before anything was at stake: the same again is done, or refused for good.
            match store.commit(&[change(acknowledged)]) {
                Ok(_) => acknowledged += 1,
                Err(StoreError::Fenced { .. }) => {}
                Err(second) => panic!("{what}: {error}, then {second}"),
            }
        }
    }
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    // What failed may be there: whether it became durable was not known.
    assert!(
        (acknowledged..=acknowledged + 1).contains(&realms(&store)),
        "{what}: {} of {acknowledged}",
        realms(&store)
    );
    assert!(store.verify().unwrap().is_sound(), "{what}");
    let next = realms(&store);
    store.commit(&[change(next)]).unwrap();
    true
}

#[test]
fn no_single_failed_write_or_sync_loses_anything() {
    for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
        let mut nth = 0;
        while live(nth, kind) {
            nth += 1;
        }
        assert!(nth > 4 * COMMITS, "{kind:?}: only {nth} writes and syncs");
    }
}
