//! Is what the service says what it had said? Everything acknowledged is there as it was last, nothing else is, and once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::hand::Hand;
use crate::request::{Change, Form, GALLERIES, Name, Request};

/// Encounters of each hand that are read on each look, besides those that something was asked of.
const READ: usize = 5;
/// Of each hand, requests that are asked again on each look.
const ASKED_AGAIN: usize = 3;
/// Lines of a page of a gallery.
const PAGE: usize = 10_000;
/// How often is asked again what the service was too busy for.
const PATIENCE: usize = 20;

/// Looks at a service that was started again; what is wrong is in the hands' violations afterwards. Reads every encounter
/// that is there if `all`.
pub fn look(hands: &mut [Hand], client: &mut Client, all: bool) {
    let listed = list(client, "ALL", &mut hands[0].violations);
    find_nameless(hands, client, &listed);
    for hand in hands.iter_mut() {
        hand.doubt();
    }
    nobody_else_is_there(hands, &listed);
    for hand in hands.iter_mut() {
        read(hand, client, &listed, all);
    }
    galleries_are_right(hands, client);
    searches_see_everybody(hands, client, listed.len());
    for hand in hands.iter_mut() {
        ask_again(hand, client);
    }
    let after = list(client, "ALL", &mut hands[0].violations);
    nobody_else_is_there(hands, &after);
    for hand in hands.iter_mut() {
        for (name, may_be) in &hand.may_be {
            if may_be.len() != 1 || may_be[0].is_some() != after.contains(name) {
                hand.violations.push(format!("{name:?} may be {may_be:?}, and is there: {}", after.contains(name)));
            }
        }
    }
}

/// Asks until it is answered.
fn ask(client: &mut Client, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    patiently(|| client.ask(method, path, None, &body).expect("the service is not killed while it is looked at"))
}

fn patiently(mut ask: impl FnMut() -> Answer) -> Answer {
    let mut answer = ask();
    for _ in 0..PATIENCE {
        if !answer.is_not_known() {
            break;
        }
        answer = ask();
    }
    answer
}

/// Who is in a gallery.
fn list(client: &mut Client, gallery: &str, violations: &mut Vec<String>) -> BTreeSet<Name> {
    let mut listed = BTreeSet::new();
    for page in 0.. {
        let path = format!("/v1/galleries/{gallery}?transactionId=T&limit={PAGE}&offset={}", page * PAGE);
        let answer = ask(client, "GET", &path, &Value::Null);
        if answer.status == 404 && gallery != "ALL" {
            break; // a gallery without anybody is not there
        }
        let names: Vec<Value> = serde_json::from_str(&answer.body).unwrap_or_default();
        if answer.status != 200 {
            violations.push(format!("gallery {gallery}: {} {}", answer.status, answer.body));
        }
        for name in &names {
            let text = |field: &str| name[field].as_str().unwrap_or_default().to_owned();
            if !listed.insert((text("personId"), text("encounterId"))) {
                violations.push(format!("{name} is in {gallery} twice"));
            }
        }
        if names.len() < PAGE {
            break;
        }
    }
    listed
}

/// What is there under names that nobody was told must be what was asked for without names and not answered.
fn find_nameless(hands: &mut [Hand], client: &mut Client, listed: &BTreeSet<Name>) {
    let known: BTreeSet<&Name> = hands.iter().flat_map(|hand| hand.may_be.keys()).collect();
    let asked: BTreeSet<Name> = hands.iter().filter_map(|hand| hand.pending.as_ref()?.name(None)).collect();
    let unknown: Vec<Name> =
        listed.iter().filter(|name| !known.contains(name) && !asked.contains(name)).cloned().collect();
    for name in unknown {
        let found = read_one(client, &name);
        let is_asked = |hand: &&mut Hand| {
            let pending = hand.pending.as_ref().map(|request| &request.change);
            matches!((pending, &found), (Some(Change::CreateNameless(form)), Some(read)) if form.is(read))
        };
        // It is asked for again later, and must get this name.
        match hands.iter_mut().find(is_asked) {
            Some(hand) if hand.found.is_none() => hand.found = Some(name),
            Some(hand) => hand.violations.push(format!("{name:?} is there twice")),
            None => hands[0].violations.push(format!("nobody asked for {name:?}")),
        }
    }
}

fn nobody_else_is_there(hands: &mut [Hand], listed: &BTreeSet<Name>) {
    let known: BTreeSet<&Name> = hands.iter().flat_map(|hand| hand.may_be.keys().chain(&hand.found)).collect();
    let others: Vec<&Name> = listed.iter().filter(|name| !known.contains(name)).collect();
    if !others.is_empty() {
        hands[0].violations.push(format!("nobody asked for {others:?}"));
    }
}

fn read_one(client: &mut Client, (person, encounter): &Name) -> Option<Value> {
    let path = format!("/v1/persons/{person}/encounters/{encounter}?transactionId=T");
    let answer = ask(client, "GET", &path, &Value::Null);
    (answer.status == 200).then(|| serde_json::from_str(&answer.body).unwrap())
}

/// Reads what was touched, some of what was not, and whatever is in doubt. From now on it is what it was seen to be.
fn read(hand: &mut Hand, client: &mut Client, listed: &BTreeSet<Name>, all: bool) {
    for (name, may_be) in &hand.may_be {
        let is_listed = listed.contains(name);
        if may_be.iter().all(|form| form.is_some() != is_listed) {
            let what = if is_listed { "came back" } else { "is lost" };
            hand.violations.push(format!("{name:?} {what}"));
        }
    }
    let mut names: BTreeSet<Name> = std::mem::take(&mut hand.touched).into_iter().collect();
    names.extend(hand.some_names(READ));
    names.extend(
        hand.may_be
            .iter()
            .filter(|(_, may_be)| may_be.len() > 1 || all && may_be[0].is_some())
            .map(|(name, _)| name.clone()),
    );
    for name in names {
        let found = read_one(client, &name);
        let is = hand.may_be.get(&name).and_then(|may_be| {
            let fits = |form: &&Option<Form>| match (form, &found) {
                (Some(form), Some(read)) => form.is(read),
                (None, None) => true,
                _ => false,
            };
            may_be.iter().find(fits).copied()
        });
        match is {
            Some(is) => hand.settle(name, is),
            None => {
                let what = if found.is_some() { "in another form than acknowledged" } else { "not there" };
                hand.violations.push(format!("{name:?} is {what}: {:?}", hand.may_be.get(&name)));
            }
        }
    }
}

/// Every gallery has those whose last form is in it.
fn galleries_are_right(hands: &mut [Hand], client: &mut Client) {
    let mut expected = BTreeMap::<String, BTreeSet<Name>>::new();
    for (name, may_be) in hands.iter().flat_map(|hand| &hand.may_be) {
        if let [Some(form)] = may_be[..] {
            expected.entry(form.gallery()).or_default().insert(name.clone());
        }
    }
    for hand in hands.iter() {
        if let (Some(name), Some(Request { change: Change::CreateNameless(form), .. })) = (&hand.found, &hand.pending) {
            expected.entry(form.gallery()).or_default().insert(name.clone());
        }
    }
    for number in 0..GALLERIES {
        let gallery = Form(number).gallery();
        let (expected, listed) =
            (expected.remove(&gallery).unwrap_or_default(), list(client, &gallery, &mut hands[0].violations));
        if expected != listed {
            let wrong: Vec<_> = expected.symmetric_difference(&listed).collect();
            hands[0].violations.push(format!("gallery {gallery} is wrong about {wrong:?}"));
        }
    }
}

/// A search compares with as many as are there, finds who is there, and not who is gone.
fn searches_see_everybody(hands: &mut [Hand], client: &mut Client, there: usize) {
    for hand in hands {
        let Some(name) = hand.some_names(1).pop() else { continue };
        let [is] = hand.may_be[&name][..] else { continue };
        let probe = is.unwrap_or(Form(u64::MAX));
        let body = json!({"samples": [probe.sample()]});
        let answer = ask(client, "POST", "/enrolment/v1/realms/default/identify", &body);
        let told: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if answer.status != 200 || told["searched"] != there {
            hand.violations.push(format!("a search among {there} was told {} {}", answer.status, answer.body));
        }
        let best = &told["candidates"][0];
        let is_found = best["subject_id"] == name.0.as_str() && best["encounter_id"] == name.1.as_str();
        if is.is_some() && !is_found {
            hand.violations.push(format!("{name:?} is not found: {}", answer.body));
        }
    }
}

/// What was not answered is asked again under its name, and is done once; what was done is told again.
fn ask_again(hand: &mut Hand, client: &mut Client) {
    let mut again = |request: &Request| patiently(|| request.ask(client).expect("the service is not killed"));
    let found = hand.found.take();
    if let Some(request) = hand.pending.take().filter(|request| request.key.is_some()) {
        let answer = again(&request);
        if found.is_some() && found != request.name(Some(&answer)) {
            hand.violations.push(format!("{:?} is there as {found:?} and told as {}", request.change, answer.body));
        }
        hand.answered(&request, &answer);
        hand.tally.asked_again += 1;
    }
    for (request, answer) in hand.some_told(ASKED_AGAIN) {
        let told = again(&request);
        hand.tally.asked_again += 1;
        if told != answer {
            hand.violations.push(format!("{:?} was told {answer:?}, and now {told:?}", request.change));
        }
    }
}
