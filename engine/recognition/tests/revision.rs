//! Does an encounter change in one step, and a person become another's, with nobody lost on the way?

mod people;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use khop::{
    Claim, DuplicateCheck, Encounter, Engine, Error, ErrorKind, GalleryId, Outcome, Realm, RealmId, Search, SubjectId,
};
use people::{encounter, key, population, samples};

fn open(dir: &Path) -> (Engine, Realm) {
    let engine = Engine::builder(dir).threads(2).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    (engine, realm)
}

fn subject(text: &str) -> SubjectId {
    SubjectId::new(text).unwrap()
}

/// Who comes first for this person's probe, if anybody is more than clear.
fn found(realm: &Realm, person: u64) -> Option<String> {
    let found = realm.identify(&samples(&population(), person, 2), &Search::default()).unwrap();
    (found.decision.outcome() > Outcome::Clear).then(|| found.candidates[0].key().to_string())
}

#[test]
fn an_encounter_changes_in_one_step() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (engine, realm) = open(dir.path());
    for person in 0..4 {
        realm.enrol(encounter(&people, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
    }
    // Other samples: another person's. The check says so, and the case names the encounter.
    let of_three = |old: Encounter| Ok::<_, Error>(Encounter { samples: samples(&people, 3, 1), ..old });
    let revised = realm.revise(&key("S0", 0), DuplicateCheck::Search, of_three).unwrap();
    assert_eq!(revised.identification.unwrap().decision.outcome(), Outcome::Hit);
    assert_eq!((found(&realm, 0), found(&realm, 1)), (None, Some("S1/S1-0".into())));
    let case = realm.cases().unwrap().remove(0);
    assert_eq!((&case.encounter, &case.candidates[0].0), (&key("S0", 0), &key("S3", 0)));
    // Another gallery, the same samples: the case goes on.
    let vip = GalleryId::named("VIP").unwrap();
    let listed = |old: Encounter| Ok::<_, Error>(Encounter { galleries: [vip.clone()].into(), ..old });
    realm.revise(&key("S3", 0), DuplicateCheck::Skip, listed).unwrap();
    let in_vip = Search { gallery: vip.clone(), ..Search::default() };
    let searched = realm.identify(&samples(&people, 3, 2), &in_vip).unwrap();
    assert_eq!((searched.searched, searched.decision.outcome()), (1, Outcome::Hit));
    assert_eq!(realm.cases().unwrap(), [case]);
    // To another subject, with a check: it is no duplicate of what it was.
    let moved = |old: Encounter| Ok::<_, Error>(Encounter { subject: subject("S8"), ..old });
    let revised = realm.revise(&key("S2", 0), DuplicateCheck::Search, moved).unwrap();
    assert_eq!((revised.identification.unwrap().decision.outcome(), revised.case), (Outcome::Clear, None));
    let back = |old: Encounter| Ok::<_, Error>(Encounter { subject: subject("S2"), ..old });
    let of_s8 = khop::EncounterKey { subject: subject("S8"), ..key("S2", 0) };
    realm.revise(&of_s8, DuplicateCheck::Skip, back).unwrap();
    // Nobody, another's name, and what a change itself refuses: everything stays.
    let same = |old: Encounter| Ok::<_, Error>(old);
    assert_eq!(
        realm.revise(&key("S9", 0), DuplicateCheck::Skip, same).unwrap_err().kind(),
        ErrorKind::UnknownEncounter
    );
    let taken =
        |old: Encounter| Ok::<_, Error>(Encounter { subject: subject("S2"), id: key("S2", 0).encounter, ..old });
    assert_eq!(
        realm.revise(&key("S1", 0), DuplicateCheck::Skip, taken).unwrap_err().kind(),
        ErrorKind::EncounterExists
    );
    let none = |old: Encounter| Ok::<_, Error>(Encounter { samples: Vec::new(), ..old });
    assert_eq!(realm.revise(&key("S1", 0), DuplicateCheck::Skip, none).unwrap_err().kind(), ErrorKind::BadInput);
    assert_eq!(found(&realm, 1), Some("S1/S1-0".into()));
    assert_eq!(engine.realms()[0].encounters, 4);
    drop((realm, engine));
    let (_engine, realm) = open(dir.path());
    assert_eq!((found(&realm, 0), found(&realm, 1)), (None, Some("S1/S1-0".into())));
    assert_eq!(realm.read(&key("S3", 0)).unwrap().galleries, [vip].into());
}

#[test]
fn the_inactive_are_kept_and_found_by_nobody() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (engine, realm) = open(dir.path());
    for person in 0..3 {
        realm.enrol(encounter(&people, person, 0, &format!("S{person}")), DuplicateCheck::Skip).unwrap();
    }
    let status = |is_active: bool| move |old: Encounter| Ok::<_, Error>(Encounter { is_active, ..old });
    realm.revise(&key("S1", 0), DuplicateCheck::Skip, status(false)).unwrap();
    let gone = |realm: &Realm| {
        assert_eq!(found(realm, 1), None);
        let claimed = realm.verify(&Claim::of(subject("S1")), &samples(&people, 1, 2));
        assert_eq!(claimed.unwrap_err().kind(), ErrorKind::NotComparable);
        assert_eq!(realm.read(&key("S1", 0)).unwrap().samples, samples(&people, 1, 0));
    };
    gone(&realm);
    drop((realm, engine));
    let (engine, realm) = open(dir.path());
    gone(&realm);
    engine.rebuild(realm.id()).unwrap();
    gone(&realm);
    let pairs = realm.deduplicate(&Search::default(), &|_, _| ()).unwrap();
    assert!(pairs.is_empty(), "{pairs:?}");
    // Nothing to compare may be kept, but not be active.
    let empty = Encounter { samples: Vec::new(), is_active: false, ..encounter(&people, 5, 0, "S5") };
    realm.enrol(empty, DuplicateCheck::Skip).unwrap();
    let active = realm.revise(&key("S5", 0), DuplicateCheck::Skip, status(true));
    assert_eq!(active.unwrap_err().kind(), ErrorKind::BadInput);
    realm.revise(&key("S1", 0), DuplicateCheck::Skip, status(true)).unwrap();
    assert_eq!(found(&realm, 1), Some("S1/S1-0".into()));
}

#[test]
fn two_become_one_person_or_nothing_happens() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (_engine, realm) = open(dir.path());
    let enrol = |person, occasion, name: &str, check| realm.enrol(encounter(&people, person, occasion, name), check);
    enrol(1, 0, "anna", DuplicateCheck::Search).unwrap();
    enrol(2, 0, "chi", DuplicateCheck::Search).unwrap();
    let twice = enrol(1, 1, "belle", DuplicateCheck::Search).unwrap();
    assert!(twice.case.is_some());
    enrol(1, 3, "belle", DuplicateCheck::Skip).unwrap();
    let moved = realm.merge(&subject("belle"), &subject("anna")).unwrap();
    assert_eq!(moved.len(), 2);
    let ids: Vec<String> = realm.encounters_of(&subject("anna")).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["anna-0", "belle-1", "belle-3"]);
    assert_eq!(realm.encounters_of(&subject("belle")).unwrap_err().kind(), ErrorKind::UnknownSubject);
    assert!(realm.cases().unwrap().is_empty(), "what asked whether they are one is answered");
    let candidates = realm.identify(&samples(&people, 1, 2), &Search::default()).unwrap().candidates;
    assert_eq!(candidates.iter().filter(|candidate| candidate.subject.as_str() == "anna").count(), 1);
    // The same id on both sides: neither the one nor the others move.
    for occasion in [0, 7] {
        realm
            .enrol(
                Encounter { subject: subject("dung"), ..encounter(&people, 3, occasion, "chi") },
                DuplicateCheck::Skip,
            )
            .unwrap();
    }
    let merged = realm.merge(&subject("dung"), &subject("chi"));
    assert!(matches!(merged, Err(Error::EncounterExists(there)) if there == key("chi", 0)));
    assert_eq!(realm.encounters_of(&subject("dung")).unwrap().len(), 2);
    assert_eq!(realm.merge(&subject("dung"), &subject("dung")).unwrap_err().kind(), ErrorKind::BadInput);
    assert_eq!(realm.merge(&subject("dung"), &subject("nobody")).unwrap_err().kind(), ErrorKind::UnknownSubject);
    assert_eq!(realm.merge(&subject("nobody"), &subject("dung")).unwrap_err().kind(), ErrorKind::UnknownSubject);
}

/// Moved to and fro while others search: at every moment exactly one of the two names is found.
#[test]
fn no_search_sees_both_or_neither() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (_engine, realm) = open(dir.path());
    realm.enrol(encounter(&people, 1, 0, "S"), DuplicateCheck::Skip).unwrap();
    let (probe, done) = (samples(&people, 1, 2), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let mover = scope.spawn(|| {
            for turn in 0..30 {
                let (from, to) = if turn % 2 == 0 { ("S", "T") } else { ("T", "S") };
                let of = khop::EncounterKey { subject: subject(from), ..key("S", 0) };
                let to = |old: Encounter| Ok::<_, Error>(Encounter { subject: subject(to), ..old });
                realm.revise(&of, DuplicateCheck::Skip, to).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) && !mover.is_finished() {
            let found = realm.identify(&probe, &Search::default()).unwrap();
            assert_eq!(found.searched, 1);
        }
    });
}

#[test]
fn of_changes_at_the_same_time_none_is_lost() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (_engine, realm) = open(dir.path());
    realm.enrol(encounter(&people, 1, 0, "S"), DuplicateCheck::Skip).unwrap();
    let longer = |old: Encounter| Ok::<_, Error>(Encounter { document: [&old.document[..], b"+"].concat(), ..old });
    let done: usize = std::thread::scope(|scope| {
        let change = || (0..10).filter(|_| realm.revise(&key("S", 0), DuplicateCheck::Skip, longer).is_ok()).count();
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(change)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert!(done >= 10, "{done}");
    assert_eq!(realm.read(&key("S", 0)).unwrap().document.len(), done);
}
