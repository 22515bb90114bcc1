//! Is a change that is asked for twice done once, and told the same both times? And is what was promised kept?

mod people;

use std::path::Path;

use khop::{DuplicateCheck, Engine, Enrolment, Error, GalleryId, Realm, RealmId, Search, SubjectId, TaskId};
use people::{encounter, key, population, samples};

fn open(dir: &Path) -> (Engine, Realm) {
    let engine = Engine::builder(dir).threads(2).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    (engine, realm)
}

/// What is told of an enrolment.
fn words(enrolments: &[Enrolment]) -> Vec<u8> {
    let one = |e: &Enrolment| format!("{}/{} {:?};", e.subject, e.encounter, e.case);
    enrolments.iter().map(one).collect::<String>().into_bytes()
}

#[test]
fn a_change_with_a_receipt_is_done_once() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (engine, realm) = open(dir.path());
    let enrol = |realm: &Realm, name: &str, receipt: &str| {
        realm.with_receipt(receipt, words).enrol(encounter(&people, 1, 0, name), DuplicateCheck::Search)
    };
    assert_eq!(realm.receipt("r1").unwrap(), None);
    enrol(&realm, "anna", "r1").unwrap();
    let belle = enrol(&realm, "belle", "r2").unwrap();
    assert_eq!(realm.receipt("r2").unwrap(), Some(words(std::slice::from_ref(&belle))));
    assert_eq!(belle.case, Some(realm.cases().unwrap()[0].id), "the case it tells of is the one there is");
    // Again, under another name even: nothing is done.
    for name in ["belle", "chi"] {
        let again = realm.with_receipt("r2", words).enrol(encounter(&people, 2, 5, name), DuplicateCheck::Skip);
        assert!(matches!(again, Err(Error::HasReceipt)), "{again:?}");
    }
    assert_eq!(engine.realms()[0].encounters, 2);
    // What fails has none, and may be asked for again.
    let taken = realm.with_receipt("r3", words).enrol(encounter(&people, 1, 0, "anna"), DuplicateCheck::Skip);
    assert!(matches!(taken, Err(Error::EncounterExists(_))));
    assert_eq!(realm.receipt("r3").unwrap(), None);
    let subject = |name: &str| SubjectId::new(name).unwrap();
    realm.with_receipt("r3", words).merge(&subject("belle"), &subject("anna")).unwrap();
    realm.with_receipt("r4", words).erase_encounter(&key("anna", 0)).unwrap();
    assert!(matches!(realm.with_receipt("r4", words).erase_subject(&subject("anna")), Err(Error::HasReceipt)));
    let revised = realm.with_receipt("r5", words);
    let moved = khop::EncounterKey { subject: subject("anna"), ..key("belle", 0) };
    revised.revise(&moved, DuplicateCheck::Skip, Ok::<_, Error>).unwrap();
    drop((revised, realm, engine));
    let (engine, realm) = open(dir.path());
    for receipt in ["r1", "r2", "r3", "r4", "r5"] {
        assert!(realm.receipt(receipt).unwrap().is_some(), "{receipt}");
    }
    engine.create_realm(&RealmId::new("flight").unwrap(), None).unwrap();
    let flight = engine.realm(&RealmId::new("flight").unwrap()).unwrap();
    assert_eq!(flight.receipt("r1").unwrap(), None, "receipts are a realm's own");
}

#[test]
fn of_the_same_change_asked_for_at_once_one_is_done() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (engine, realm) = open(dir.path());
    let done: usize = std::thread::scope(|scope| {
        let ask = |worker: u64| {
            let (realm, people) = (realm.clone(), &people);
            move || {
                let enrol = |turn: u64| {
                    let own = encounter(people, worker, 0, &format!("W{worker}-{turn}"));
                    realm.with_receipt(format!("turn {turn}"), words).enrol(own, DuplicateCheck::Skip)
                };
                (0..20).filter(|turn| enrol(*turn).is_ok()).count()
            }
        };
        let workers: Vec<_> = (0..4).map(|worker| scope.spawn(ask(worker))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!((done, engine.realms()[0].encounters), (20, 20));
}

#[test]
fn tasks_are_kept_while_they_wait() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let (engine, realm) = open(dir.path());
    let [first, second] = [b"1", b"2"].map(|value| realm.add_task(value.to_vec()).unwrap());
    realm.enrol(encounter(&people, 1, 0, "anna"), DuplicateCheck::Search).unwrap();
    assert!(realm.set_task(first, Some(b"done".to_vec())).unwrap() && realm.set_task(second, None).unwrap());
    assert!(!realm.set_task(second, Some(Vec::new())).unwrap() && !realm.set_task(TaskId(77), None).unwrap());
    drop((realm, engine));
    let (_engine, realm) = open(dir.path());
    assert_eq!(realm.tasks().unwrap(), [first]);
    assert_eq!((realm.task(first).unwrap(), realm.task(second).unwrap()), (Some(b"done".to_vec()), None));
}

#[test]
fn a_gallery_is_read_page_by_page() {
    let (dir, people) = (tempfile::tempdir().unwrap(), population());
    let engine = Engine::builder(dir.path()).threads(2).seal_rows(64).open().unwrap();
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM).unwrap()).unwrap();
    let names: Vec<String> = (0..150).map(|person| format!("S{person}")).collect();
    for (person, name) in (0..).zip(&names) {
        realm.enrol(encounter(&people, person, 0, name), DuplicateCheck::Skip).unwrap();
    }
    realm.erase_encounter(&key("S70", 0)).unwrap();
    let read = |gallery: &str, offset, limit| -> Vec<String> {
        let page = realm.members(&GalleryId::new(gallery).unwrap(), offset, limit).unwrap();
        page.into_iter().map(|key| key.subject.to_string()).collect()
    };
    let left: Vec<&String> = names.iter().filter(|name| *name != "S70").collect();
    assert_eq!(read("ALL", 0, 1000).iter().collect::<Vec<_>>(), left);
    let pages: Vec<String> =
        (0..).map(|page| read("ALL", page * 37, 37)).take_while(|p| !p.is_empty()).flatten().collect();
    assert_eq!(pages.iter().collect::<Vec<_>>(), left);
    let even: Vec<&&String> = left.iter().filter(|name| name[1..].parse::<u32>().unwrap().is_multiple_of(2)).collect();
    assert_eq!(read("EVEN", 0, 1000).len(), even.len());
    assert_eq!(read("EVEN", 34, 2), [even[34].as_str(), even[35].as_str()]);
    assert!(read("ALL", 149, 5).is_empty() && read("ODD", 3, 0).is_empty());
    // Only those who meet a condition are listed, and decided about.
    let only = khop::Only::new(|encounter| encounter.subject.as_str() != "S7");
    let search = Search { only: Some(only), ..Search::default() };
    let found = realm.identify(&samples(&people, 7, 1), &search).unwrap();
    assert!(found.candidates.iter().all(|candidate| candidate.subject.as_str() != "S7"));
    assert_eq!(found.decision.outcome(), khop::Outcome::Clear);
}
