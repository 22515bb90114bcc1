//! Whom do whole searches by ten fingers lose, and where? Synthetic people enrolled in an engine, and coming back.

use std::time::Instant;

use khop::{
    Claim, DuplicateCheck, Encounter, EncounterKey, Engine, FingerLabels, FingerTally, Outcome, RealmId, Sample,
    SampleFormat, Search, SubjectId,
};
use khop_evaluate::synth::Population;
use khop_vocabulary::FingerSample;
use rayon::prelude::*;

use super::mishap::{Cause, Mishaps};
use crate::commands::bench::figures::Figures;
use crate::commands::bench::planes::bar;
use crate::commands::bench::stopwatch::{Stopwatch, median};
use crate::failure::Failure;

/// People made ready at a time.
const TOGETHER: u64 = 1024;

/// Enrolments that wait for one commit together.
const IN_FLIGHT: usize = 64;

/// One search for somebody who is enrolled.
struct Searched {
    cause: Cause,
    /// Listed, and more than clear.
    is_found: bool,
    /// More than clear when compared alone, at the thresholds of the search.
    is_mate: bool,
    fingers: Option<FingerTally>,
    compared: u64,
    cpu_s: f64,
}

/// Enrols the first `people` by their fingers and searches for every so manieth of them.
pub fn measure(
    population: &Population,
    people: u64,
    probes: u64,
    mishaps: &Mishaps,
    threads: usize,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let engine = Engine::builder(dir.path()).threads(threads).open()?;
    let realm = engine.realm(&RealmId::new(khop::DEFAULT_REALM)?)?;
    let progress = bar(people, "enrolling {wide_bar} {pos}/{len}, {eta} left");
    let start = Instant::now();
    for first in (0..people).step_by(TOGETHER as usize) {
        let encounters: Vec<Encounter> = (first..people.min(first + TOGETHER))
            .into_par_iter()
            .map(|person| encounter(person, &population.person(person).fingers(0)))
            .collect::<Result<_, _>>()?;
        let encounters = std::sync::Mutex::new(encounters);
        let enrol = || -> Result<(), Failure> {
            while let Some(encounter) = encounters.lock().expect("no thread panics").pop() {
                progress.inc(1);
                if !encounter.samples.is_empty() {
                    realm.enrol(encounter, DuplicateCheck::Skip)?;
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..IN_FLIGHT).map(|_| scope.spawn(enrol)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no enrolment panics"))
        })?;
    }
    progress.finish_and_clear();
    figures.measured("enrolled_per_s", people as f64 / start.elapsed().as_secs_f64());
    let progress = bar(probes, "searching {wide_bar} {pos}/{len}, {eta} left");
    let request = Search { labels: FingerLabels::Doubted, ..Search::default() };
    let mut searches = Vec::new();
    for probe in 0..probes {
        let person = probe * (people / probes);
        let (fingers, cause) = mishaps.come_back(population, person);
        let samples = samples(&fingers)?;
        progress.inc(1);
        if samples.is_empty() {
            continue;
        }
        let subject = SubjectId::new(format!("S{person}"))?;
        let found = std::sync::Mutex::new(None);
        let spent = Stopwatch(engine.pool()).time(1, || {
            *found.lock().expect("no search panics") = Some(realm.identify(&samples, &request));
        });
        let found = found.into_inner().expect("no search panics").expect("it was searched")?;
        let thresholds = found.decision.thresholds();
        let listed = found.candidates.iter().find(|candidate| candidate.subject == subject);
        let alone = realm.verify_with(&Claim::of(subject.clone()), &samples, FingerLabels::Doubted)?;
        searches.push(Searched {
            cause,
            is_found: listed.is_some_and(|candidate| thresholds.outcome(candidate) > Outcome::Clear),
            is_mate: alone.score >= thresholds.adjudicate,
            fingers: found.explanation.fingers,
            compared: found.compared,
            cpu_s: spent.cpu_s,
        });
    }
    progress.finish_and_clear();
    report(&searches, people, figures);
    Ok(())
}

fn report(searches: &[Searched], people: u64, figures: &mut Figures) {
    let count = searches.len() as f64;
    figures.add("searched_people", people);
    figures.add("searches", searches.len());
    let mean = |of: &dyn Fn(&Searched) -> f64| searches.iter().map(of).sum::<f64>() / count;
    // The person searched for passes too, where found.
    let strangers = |passed: u64, search: &Searched| passed.saturating_sub(u64::from(search.is_found)) as f64;
    let by_signs = |search: &Searched| strangers(search.fingers.map_or(0, |fingers| fingers.in_bytes), search);
    figures.measured("share_of_strangers_passed_by_signs", mean(&by_signs) / people as f64);
    let by_minutiae = mean(&|search| strangers(search.compared, search)) / people as f64;
    figures.measured("share_of_strangers_compared_by_minutiae", by_minutiae);
    figures.measured("search_cpu_ms", median(searches.iter().map(|search| search.cpu_s * 1e3).collect()));
    for (cause, name) in Cause::ALL {
        let of = || searches.iter().filter(|search| search.cause == cause);
        figures.add(format!("{name}_searches"), of().count());
        figures.add(format!("{name}_mates_by_full_comparison"), of().filter(|search| search.is_mate).count());
        figures.add(format!("{name}_found"), of().filter(|search| search.is_found).count());
        let lost = of().filter(|search| search.is_mate && !search.is_found).count();
        figures.add(format!("{name}_lost_by_scans"), lost);
    }
}

fn encounter(person: u64, fingers: &[FingerSample]) -> Result<Encounter, Failure> {
    let key = EncounterKey::new(format!("S{person}"), format!("S{person}-0"))?;
    Ok(Encounter::new(key, samples(fingers)?))
}

fn samples(fingers: &[FingerSample]) -> Result<Vec<Sample>, Failure> {
    let usable = fingers.iter().filter(|finger| !finger.minutiae.is_empty());
    let sample = |finger: &FingerSample| {
        let bytes = khop_formats::write_iso_2005(std::slice::from_ref(finger))?;
        Ok(Sample { format: SampleFormat::Minutiae, position: None, quality: None, bytes })
    };
    usable.map(sample).collect()
}
