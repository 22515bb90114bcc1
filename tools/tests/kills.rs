//! Is everything that the service acknowledged there after `kill -9`, as it was last, once, and nothing by halves?
//!
//! `KHOP_RIG_SERVICE_KILLS=1000 cargo test -p khop-tools --test kills -- --nocapture` is the long form; a test run kills
//! eight times.

#[path = "kills/client.rs"]
mod client;
#[path = "kills/hand.rs"]
mod hand;
#[path = "kills/oracle.rs"]
mod oracle;
#[path = "kills/process.rs"]
mod process;
#[path = "kills/request.rs"]
mod request;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::Client;
use hand::{Hand, Tally};
use process::{Process, Serving, khop};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use request::{Change, Form, Request};
use tempfile::TempDir;

/// Clients that ask at once.
const HANDS: u64 = 4;
/// Everything is read after so many kills; else what was touched, and some of the rest.
const READ_ALL_EVERY: usize = 50;

/// A data directory, its token, and who asks.
struct Rig {
    dir: TempDir,
    token: String,
    hands: Vec<Hand>,
}

impl Rig {
    /// A directory that was served once.
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let token = Process::start(&dir.path().join("data"), &[]).serving().token.expect("the first start's token");
        Self { dir, token, hands: (0..HANDS).map(|number| Hand::new(number, seed)).collect() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self, with_backup: bool) -> Process {
        let backups = self.path("backups");
        let arguments = ["--backup-to", backups.to_str().unwrap()];
        Process::start(&self.path("data"), if with_backup { &arguments } else { &[] })
    }

    fn client(&self, serving: &Serving) -> Client {
        Client::new(&serving.address, &self.token).unwrap()
    }

    /// What is wrong with a service that was started again.
    fn look(&mut self, serving: &Serving, all: bool) -> Vec<String> {
        let mut client = self.client(serving);
        oracle::look(&mut self.hands, &mut client, all);
        self.violations()
    }

    fn violations(&mut self) -> Vec<String> {
        self.hands.iter_mut().flat_map(|hand| hand.violations.drain(..)).collect()
    }

    /// Everybody asks until the service is killed after a while.
    fn work(&mut self, serving: &mut Serving, while_us: u64) {
        let is_killed = AtomicBool::new(false);
        let (address, token, is_killed) = (&serving.address, &self.token, &is_killed);
        std::thread::scope(|scope| {
            for hand in &mut self.hands {
                scope.spawn(move || hand.work(address, token, usize::MAX, is_killed));
            }
            std::thread::sleep(Duration::from_micros(while_us));
            is_killed.store(true, Ordering::SeqCst);
            serving.process.kill();
        });
    }

    fn tally(&self) -> Tally {
        self.hands.iter().map(|hand| hand.tally).fold(Tally::default(), |sum, tally| Tally {
            enrolled: sum.enrolled + tally.enrolled,
            updated: sum.updated + tally.updated,
            erased: sum.erased + tally.erased,
            raced: sum.raced + tally.raced,
            asked_again: sum.asked_again + tally.asked_again,
            cut_off: sum.cut_off + tally.cut_off,
        })
    }
}

/// The store's own look at itself, in a process of its own.
fn verify(data: &Path) {
    let (is_sound, told) = khop(&["store", "verify", data.to_str().unwrap()]);
    assert!(is_sound, "{told}");
}

/// How many kills a run is to have.
fn kills() -> usize {
    std::env::var("KHOP_RIG_SERVICE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

#[test]
fn nothing_the_service_acknowledged_is_lost_by_kill_9() {
    let kills = kills();
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut rig = Rig::new(11);
    let (mut while_opening, mut with_backup, mut opening_us) = (0, 0, 20_000);
    for kill in 0..kills {
        if kill > 0 && kill % 100 == 0 {
            println!("{kill} kills, {} enrolments acknowledged", rig.tally().enrolled);
        }
        let is_backing_up = random.random_range(0..6) == 0;
        with_backup += usize::from(is_backing_up);
        // Three of ten are to fall while it opens what the one before left.
        if random.random_range(0..10) < 3 {
            let us = random.random_range(0..opening_us);
            while_opening += usize::from(rig.start(is_backing_up).kill_after(us));
            continue;
        }
        let started = Instant::now();
        let mut serving = rig.start(is_backing_up).serving();
        opening_us = u64::try_from(started.elapsed().as_micros()).unwrap().max(1000);
        let violations = rig.look(&serving, kill % READ_ALL_EVERY == READ_ALL_EVERY - 1);
        assert!(violations.is_empty(), "before kill {kill}: {violations:#?}");
        rig.work(&mut serving, random.random_range(10_000..400_000));
        let violations = rig.violations();
        assert!(violations.is_empty(), "until kill {kill}: {violations:#?}");
        if random.random_range(0..READ_ALL_EVERY) == 0 {
            verify(&rig.path("data"));
        }
    }
    let serving = rig.start(false).serving();
    let violations = rig.look(&serving, true);
    assert!(violations.is_empty(), "at the end: {violations:#?}");
    drop(serving);
    verify(&rig.path("data"));

    // Backups that were cut off do not stand in the way of one that is not, and it has everything.
    let (data, backups, restored) = (rig.path("data"), rig.path("backups"), rig.path("restored"));
    let [data, backups, restored] = [&data, &backups, &restored].map(|path| path.to_str().unwrap());
    for arguments in [["backup", data, "--to", backups], ["restore", restored, "--from", backups]] {
        let (is_done, told) = khop(&arguments);
        assert!(is_done, "{told}");
    }
    let serving = Process::start(&rig.path("restored"), &["--new-token"]).serving();
    rig.token = serving.token.clone().unwrap();
    let violations = rig.look(&serving, true);
    assert!(violations.is_empty(), "restored: {violations:#?}");

    let Tally { enrolled, updated, erased, raced, asked_again, cut_off } = rig.tally();
    println!(
        "{kills} kills, {while_opening} of them while opening, {with_backup} of services that make a backup; {enrolled} \
         enrolments, {updated} updates and {erased} erasures acknowledged, {raced} asked for twice at once; {cut_off} \
         cut off; {asked_again} asked again"
    );
    assert!(enrolled > 20 && updated > 0 && erased > 0 && cut_off > 0, "the test saw nothing");
}

#[test]
fn a_first_start_that_is_killed_leaves_nothing_in_the_way_of_the_next() {
    let mut random = ChaCha8Rng::seed_from_u64(14);
    let (mut while_opening, mut first_start_us) = (0, 50_000);
    let directories = kills().div_ceil(4);
    for directory in 0..directories {
        let dir = tempfile::tempdir().unwrap();
        // Twice, because the second finds what the first left.
        for _ in 0..2 {
            let us = random.random_range(0..first_start_us);
            while_opening += usize::from(Process::start(dir.path(), &[]).kill_after(us));
        }
        // The token may have been made and never printed.
        let started = Instant::now();
        let first = Process::start(dir.path(), &["--new-token"]).serving();
        first_start_us = u64::try_from(started.elapsed().as_micros()).unwrap().max(1000);
        let token = first.token.clone().unwrap();
        drop(first);
        let second = Process::start(dir.path(), &[]).serving();
        assert_eq!(second.token, None, "directory {directory}");
        let hands = vec![Hand::new(0, directory as u64)];
        let mut rig = Rig { dir, token, hands };
        rig.hands[0].work(&second.address, &rig.token, 3, &AtomicBool::new(false));
        assert_eq!(rig.look(&second, true), Vec::<String>::new(), "directory {directory}");
        drop(second);
        verify(rig.dir.path());
    }
    println!("{} kills of first starts, {while_opening} of them while opening", 2 * directories);
}

/// A service that was asked for a few things, all of them acknowledged.
fn sound(seed: u64) -> (Rig, Serving) {
    let mut rig = Rig::new(seed);
    let serving = rig.start(false).serving();
    for hand in &mut rig.hands {
        hand.work(&serving.address, &rig.token, 10, &AtomicBool::new(false));
    }
    assert_eq!(rig.look(&serving, true), Vec::<String>::new());
    (rig, serving)
}

/// Changes something behind the oracle's back, and expects it to be found out.
fn is_found_out(change: impl FnOnce(request::Name) -> Change, words: &str) {
    let (mut rig, serving) = sound(12);
    let there = |may_be: &Vec<Option<Form>>| may_be.iter().all(Option::is_some);
    let (name, _) = rig.hands.iter().flat_map(|hand| &hand.may_be).find(|(_, may_be)| there(may_be)).unwrap();
    let request = Request { change: change(name.clone()), key: None };
    assert!(request.ask(&mut rig.client(&serving)).unwrap().is_done());
    let violations = rig.look(&serving, true);
    assert!(violations.iter().any(|violation| violation.contains(words)), "{words}: {violations:#?}");
}

#[test]
fn an_encounter_that_is_lost_is_found_out() {
    is_found_out(Change::Erase, "is lost");
}

#[test]
fn an_encounter_in_an_older_form_is_found_out() {
    is_found_out(|name| Change::Update(name, Form(7)), "in another form");
}

#[test]
fn an_encounter_that_nobody_asked_for_is_found_out() {
    is_found_out(|_| Change::CreateNameless(Form(7)), "nobody asked for");
}

#[test]
fn an_encounter_that_is_erased_and_there_is_found_out() {
    let (mut rig, serving) = sound(13);
    let hand = &mut rig.hands[0];
    let (name, _) = hand.may_be.iter().find(|(_, may_be)| may_be[0].is_some()).unwrap();
    let name = name.clone();
    hand.settle(name, None);
    let violations = rig.look(&serving, true);
    assert!(violations.iter().any(|violation| violation.contains("came back")), "{violations:#?}");
}
