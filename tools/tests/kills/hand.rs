//! Who asks, and what were they told? One client at a time works on encounters of its own, and forgets nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::client::{Answer, Client};
use crate::request::{Change, Form, Name, Request};

/// One client, over all the services it lives through.
pub struct Hand {
    number: u64,
    /// How many numbers were used.
    used: u64,
    random: ChaCha8Rng,
    /// What each encounter may be: one thing, or two where a change was asked for and not answered.
    pub may_be: BTreeMap<Name, Vec<Option<Form>>>,
    /// Encounters that are there for certain.
    live: Vec<Name>,
    /// Encounters that something was asked of since the last look at them.
    pub touched: Vec<Name>,
    /// What was asked and not answered.
    pub pending: Option<Request>,
    /// Where that is, if it was asked for without names and is there all the same.
    pub found: Option<Name>,
    /// What was asked under a name and done, and what was told.
    pub told: Vec<(Request, Answer)>,
    pub tally: Tally,
    pub violations: Vec<String>,
}

/// What one client saw. Enrolled, updated and erased is what an answer said is done.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub enrolled: u64,
    pub updated: u64,
    pub erased: u64,
    /// Of all these, asked for twice at the same time.
    pub raced: u64,
    /// After a kill: what had not been answered, and what had.
    pub asked_again: u64,
    /// Not answered, because the service was killed.
    pub cut_off: u64,
}

impl Hand {
    pub fn new(number: u64, seed: u64) -> Self {
        Self {
            number,
            used: 0,
            random: ChaCha8Rng::seed_from_u64(seed ^ (number << 32)),
            may_be: BTreeMap::new(),
            live: Vec::new(),
            touched: Vec::new(),
            pending: None,
            found: None,
            told: Vec::new(),
            tally: Tally::default(),
            violations: Vec::new(),
        }
    }

    /// Asks for one change after the other until the service is gone, or `at_most` were asked for.
    pub fn work(&mut self, address: &str, token: &str, at_most: usize, is_killed: &AtomicBool) {
        let (Ok(mut client), Ok(mut second)) = (Client::new(address, token), Client::new(address, token)) else {
            return self.gone(is_killed);
        };
        for _ in 0..at_most {
            let request = self.next();
            self.touched.extend(request.name(None));
            self.pending = Some(request.clone());
            // What has a name is now and then asked for twice at once.
            let is_raced = request.key.is_some() && self.random.random_range(0..4) == 0;
            let mut answers = if is_raced {
                let both = std::thread::scope(|scope| {
                    let other = scope.spawn(|| request.ask(&mut second));
                    [request.ask(&mut client), other.join().unwrap()]
                });
                both.into_iter().filter_map(Result::ok).collect()
            } else {
                Vec::from_iter(request.ask(&mut client))
            };
            let all = 1 + usize::from(is_raced);
            let are_all_answered = answers.len() == all;
            answers.retain(|answer| !answer.is_not_known());
            self.tally.raced += u64::from(answers.len() == 2);
            if answers.windows(2).any(|pair| pair[0] != pair[1]) {
                self.violations.push(format!("{request:?} was told two things: {answers:?}"));
            }
            if let Some(answer) = answers.first() {
                self.answered(&request, answer);
            }
            if !are_all_answered {
                return self.gone(is_killed);
            }
            if answers.is_empty() {
                return; // not in time: it stays unknown until it is looked for
            }
        }
    }

    /// A service may go only when it was killed.
    fn gone(&mut self, is_killed: &AtomicBool) {
        if !is_killed.load(Ordering::SeqCst) {
            self.violations.push("a request was not answered though nobody killed the service".to_owned());
        }
    }

    /// What the answer to a request says of its encounter.
    pub fn answered(&mut self, request: &Request, answer: &Answer) {
        if !answer.is_done() {
            self.violations.push(format!("{:?} was answered with {} {}", request.change, answer.status, answer.body));
            return;
        }
        self.pending = None;
        let Some(name) = request.name(Some(answer)) else {
            self.violations.push(format!("{:?} was answered without names: {}", request.change, answer.body));
            return;
        };
        match &request.change {
            Change::Update(..) => self.tally.updated += 1,
            Change::Erase(_) | Change::EraseKeyless(_) => self.tally.erased += 1,
            _ => self.tally.enrolled += 1,
        }
        self.touched.push(name.clone());
        self.settle(name, request.outcome());
        if request.key.is_some() {
            self.told.push((request.clone(), answer.clone()));
        }
    }

    /// An encounter is this, and nothing else.
    pub fn settle(&mut self, name: Name, is: Option<Form>) {
        let was_live = self.may_be.insert(name.clone(), vec![is]).is_some_and(|was| was.len() == 1 && was[0].is_some());
        match is {
            Some(_) if !was_live => self.live.push(name),
            None if was_live => self.live.retain(|live| *live != name),
            _ => (),
        }
    }

    /// What was asked and not answered may have been done. The encounter is not worked on until that is known.
    pub fn doubt(&mut self) {
        let Some(request) = &self.pending else { return };
        self.tally.cut_off += 1;
        let Some(name) = request.name(None) else { return };
        self.live.retain(|live| *live != name);
        let may_be = self.may_be.entry(name).or_insert_with(|| vec![None]);
        may_be.push(request.outcome());
    }

    /// The next change. More is enrolled than erased, but not by much, so that the store stays small.
    fn next(&mut self) -> Request {
        self.used += 1;
        let form = Form(self.used * 16 + self.number);
        let new = (format!("p{}-{}", self.number, self.used / 3), format!("e{}", self.used));
        let some = |random: &mut ChaCha8Rng, live: &[Name]| {
            Some(live.len()).filter(|&many| many > 0).map(|many| live[random.random_range(0..many)].clone())
        };
        let change = match (self.random.random_range(0..20), some(&mut self.random, &self.live)) {
            (0..5, Some(name)) => Change::Update(name, form),
            (5..9, Some(name)) => Change::Erase(name),
            (9..12, Some(name)) => Change::EraseKeyless(name),
            (12..15, _) => Change::CreateNameless(form),
            (15..18, _) => Change::Create(new, form),
            (_, _) => Change::Enrol(new, form, self.random.random()),
        };
        let is_named = match change {
            Change::EraseKeyless(_) => false,
            Change::CreateNameless(_) => true,
            _ => self.random.random_range(0..3) > 0,
        };
        Request { change, key: is_named.then(|| format!("k{}-{}", self.number, self.used)) }
    }

    /// Some of what was done under a name, the latest among them.
    pub fn some_told(&mut self, many: usize) -> Vec<(Request, Answer)> {
        let Some(last) = self.told.len().checked_sub(1) else { return Vec::new() };
        let indices = (0..many).map(|i| if i == 0 { last } else { self.random.random_range(0..=last) });
        indices.map(|index| self.told[index].clone()).collect()
    }

    /// Some of the encounters that were ever asked for.
    pub fn some_names(&mut self, many: usize) -> Vec<Name> {
        let all = self.may_be.len();
        let indices = (0..many.min(all)).map(|_| self.random.random_range(0..all));
        indices.map(|index| self.may_be.keys().nth(index).unwrap().clone()).collect()
    }
}
