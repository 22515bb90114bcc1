//! Is everything that was acknowledged there after `kill -9`, once, and nothing by halves?
//!
//! `KHOP_RIG_KILLS=1000 cargo test -p khop-store --test crash -- --nocapture` is the long form; a test run kills ten times.

mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use khop_store::{Applied, Change, RecordNumber, Store};
use people::{REALM, create, draft, encounter, enrol, erase, id};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CHILD: &str = "KHOP_STORE_CRASH_CHILD";

/// The child: enrols, erases, forgets and writes segments until it is killed, saying first what it tries and then what
/// was acknowledged. Does nothing unless it was started as a child.
#[test]
fn child_works_until_killed() {
    let Ok(arguments) = std::env::var(CHILD) else { return };
    let (dir, first) = arguments.rsplit_once(' ').unwrap();
    let mut out = std::io::stdout();
    let mut say = |line: String| {
        out.write_all(format!("{line}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };
    say("opening".into());
    let store = Store::open(Path::new(dir)).unwrap();
    say("open".into());
    let first: u64 = first.parse().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(first);
    let mut next = first;
    loop {
        let many = random.random_range(1..=5);
        let numbers: Vec<u64> = (next..next + many).collect();
        next += many;
        say(format!("try-enrol {numbers:?}"));
        let changes: Vec<Change> = numbers.iter().map(|&number| enrol(number)).collect();
        let applied = store.commit(&changes).unwrap();
        assert!(applied.iter().all(|one| matches!(one, Applied::Enrolled { .. } | Applied::Exists { .. })));
        say(format!("enrolled {numbers:?}"));
        if random.random_range(0..3) == 0 {
            let victim = random.random_range(0..next);
            if let Some(record) = store.find_encounter(REALM, &id(victim)).unwrap() {
                say(format!("try-erase [{victim}]"));
                assert_eq!(store.commit(&[erase(record)]).unwrap(), [Applied::Erased]);
                say(format!("erased [{victim}]"));
            }
        }
        if random.random_range(0..5) == 0 {
            store.forget().unwrap();
        }
        if random.random_range(0..4) == 0 {
            let records = store.records_from(REALM, RecordNumber::new(0), usize::MAX).unwrap();
            let (segment, _) = store.write_segment(REALM, &draft(records.iter().map(|(n, _)| *n).collect())).unwrap();
            let remove = store.segments(REALM).unwrap().iter().map(|segment| segment.number).collect();
            let change = Change::SetSegments { realm: REALM, add: vec![segment], remove };
            assert_eq!(store.commit(&[change]).unwrap(), [Applied::Done]);
        }
    }
}

/// What the child said about one encounter.
#[derive(Default, Clone, Copy)]
struct Said {
    enrolled: bool,
    try_erase: bool,
    erased: bool,
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    Store::open(&path).unwrap().commit(&[create()]).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let (mut said, mut next) = (BTreeMap::<u64, Said>::new(), 0);
    let kills: usize = std::env::var("KHOP_RIG_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(10);
    let mut while_opening = 0;
    for cycle in 0..kills {
        // Start again at numbers whose enrolment was tried and perhaps not acknowledged: they must not double.
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_works_until_killed", "--nocapture"])
            .env(CHILD, format!("{} {next}", path.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("opening") {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "the child said nothing");
        }
        let reader = std::thread::spawn(move || out.lines().map_while(Result::ok).collect::<Vec<String>>());
        // Every third is killed while it opens what the one before left.
        let us = if cycle % 3 == 0 { random.random_range(0..6_000) } else { random.random_range(20_000..500_000) };
        std::thread::sleep(Duration::from_micros(us));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = reader.join().unwrap();
        while_opening += usize::from(!lines.iter().any(|line| line == "open"));
        for line in lines {
            let Some((verb, numbers)) = line.strip_suffix(']').and_then(|line| line.split_once(" [")) else { continue };
            for number in numbers.split(", ").map(|number| number.parse::<u64>().unwrap()) {
                let said = said.entry(number).or_default();
                match verb {
                    "enrolled" => said.enrolled = true,
                    "try-erase" => said.try_erase = true,
                    "erased" => said.erased = true,
                    _ => {}
                }
            }
        }
        let store = Store::open(&path).unwrap();
        let report = store.verify().unwrap();
        assert!(report.is_sound(), "cycle {cycle}: {:?}", report.problems);
        let records = store.records_from(REALM, RecordNumber::new(0), usize::MAX).unwrap();
        let present: BTreeSet<u64> = records.iter().map(|(_, e)| e.id.as_str()[1..].parse().unwrap()).collect();
        assert_eq!(present.len(), records.len(), "cycle {cycle}: an encounter is there twice");
        for (record, stored) in &records {
            assert_eq!(*stored, encounter(stored.id.as_str()[1..].parse().unwrap()), "cycle {cycle}, {record}");
        }
        for (number, said) in &said {
            let there = present.contains(number);
            assert!(there || !said.enrolled || said.try_erase, "cycle {cycle}: {number} is lost");
            assert!(!there || !said.erased, "cycle {cycle}: {number} came back");
        }
        assert!(present.iter().all(|number| said.contains_key(number)), "cycle {cycle}: nobody tried that");
        // Encounters erased for good are not enrolled again, so that "came back" stays a meaningful check.
        next = said.iter().filter(|(_, said)| said.enrolled).map(|(number, _)| number + 1).max().unwrap_or(0);
    }
    let enrolled = said.values().filter(|said| said.enrolled).count();
    println!("{kills} kills, {while_opening} of them while opening; {enrolled} enrolments acknowledged");
    assert!(enrolled > 20, "only {enrolled} were enrolled: the test saw nothing");
}
