//! Which prints must always be scored alike? Made-up ones, good and bad, as minutiae records.

use khop_evaluate::synth::{FingerOptions, Population, PopulationOptions};
use khop_vocabulary::{FingerPosition, FingerSample, Minutia, MinutiaKind, Resolution};

/// Every golden finger: its name and its sample. Two names that differ in the last letter are one finger.
pub fn golden_fingers() -> Vec<(&'static str, FingerSample)> {
    let population = Population::new(2026, PopulationOptions::default());
    let hard = FingerOptions { difficulty: 1.8, ..FingerOptions::default() };
    let hard = Population::new(2027, PopulationOptions { finger: hard, ..PopulationOptions::default() });
    let print = |of: &Population, person, position, encounter| {
        of.person(person).finger(position, encounter).expect("a finger of these seeds that shows minutiae")
    };
    let loop_a = print(&population, 1, FingerPosition::RightIndex, 0);
    let loop_b = print(&population, 1, FingerPosition::RightIndex, 1);
    let plain = |sample: &FingerSample| {
        let minutia = |m: &Minutia| Minutia { kind: MinutiaKind::Other, quality: None, ..*m };
        FingerSample { quality: None, minutiae: sample.minutiae.iter().map(minutia).collect(), ..sample.clone() }
    };
    let only = |sample: &FingerSample, keep: &dyn Fn(&Minutia) -> bool| FingerSample {
        minutiae: sample.minutiae.iter().copied().filter(keep).collect(),
        ..sample.clone()
    };
    let first = |sample: &FingerSample, count: usize| FingerSample {
        minutiae: sample.minutiae[..count].to_vec(),
        ..sample.clone()
    };
    let mut crowd = loop_b.clone();
    for (person, position) in (10..40).flat_map(|person| [1, 2, 3, 7].map(|code| (person, code))) {
        let position = FingerPosition::from_code(position).expect("one of ten");
        crowd.minutiae.extend(population.person(person).finger(position, 0).into_iter().flat_map(|f| f.minutiae));
    }
    vec![
        ("index-a", loop_a.clone()),
        ("index-b", loop_b.clone()),
        ("thumb-a", print(&population, 2, FingerPosition::LeftThumb, 0)),
        ("thumb-b", print(&population, 2, FingerPosition::LeftThumb, 1)),
        ("hard-a", print(&hard, 3, FingerPosition::RightMiddle, 0)),
        ("hard-b", print(&hard, 3, FingerPosition::RightMiddle, 1)),
        ("stranger-a", print(&population, 4, FingerPosition::RightIndex, 0)),
        ("partial-b", only(&loop_b, &|m| m.x_px < 190 && m.y_px < 300)),
        ("untold-b", plain(&loop_b)),
        ("turned-b", turned(&loop_b)),
        ("fine-b", at_1000_dpi(&loop_b)),
        ("two-minutiae", first(&loop_a, 2)),
        ("one-minutia", first(&loop_a, 1)),
        ("no-minutia", first(&loop_a, 0)),
        ("crowd-255", first(&crowd, 255)),
    ]
}

/// Upside down.
fn turned(sample: &FingerSample) -> FingerSample {
    let minutia = |m: &Minutia| Minutia {
        x_px: sample.width_px - 1 - m.x_px,
        y_px: sample.height_px - 1 - m.y_px,
        angle_deg: (m.angle_deg + 180.0) % 360.0,
        ..*m
    };
    FingerSample { minutiae: sample.minutiae.iter().map(minutia).collect(), ..sample.clone() }
}

/// Twice as many pixels, and a header that says so.
fn at_1000_dpi(sample: &FingerSample) -> FingerSample {
    let minutia = |m: &Minutia| Minutia { x_px: 2 * m.x_px, y_px: 2 * m.y_px, ..*m };
    FingerSample {
        width_px: 2 * sample.width_px,
        height_px: 2 * sample.height_px,
        resolution: Resolution { x_px_per_cm: 394, y_px_per_cm: 394 },
        minutiae: sample.minutiae.iter().map(minutia).collect(),
        ..sample.clone()
    }
}
