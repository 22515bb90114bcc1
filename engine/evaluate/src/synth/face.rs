//! What does a face look like to an embedding model? A unit vector near its person's own direction.
//!
//! Between people: groups of several sizes whose members look alike, so that the non-mated tail is heavier than a
//! Gaussian's. Twins and siblings have a part of their direction in common. Within a person: noise whose power is log-normal from person to person and from image to image.

use super::draws::{Draws, Topic};
use super::kin::Kin;
use super::options::FaceOptions;

/// Standard deviation of every axis: variance halves every `half_life` of the axes, mean square 1.
pub(super) fn spectrum(options: &FaceOptions) -> Vec<f32> {
    let variance = |axis: usize| 0.5f64.powf(axis as f64 / (options.half_life * options.dim as f64));
    let total: f64 = (0..options.dim).map(variance).sum();
    (0..options.dim).map(|axis| (variance(axis) * options.dim as f64 / total).sqrt() as f32).collect()
}

/// Adds a random vector of expected squared length `power`.
fn add(vector: &mut [f32], spectrum: &[f32], power: f64, draws: &mut Draws) {
    let scale = (power / vector.len() as f64).sqrt();
    for (v, s) in vector.iter_mut().zip(spectrum) {
        *v += s * (scale * draws.normal()) as f32;
    }
}

fn normalise(vector: &mut [f32]) {
    let norm = vector.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt() as f32;
    vector.iter_mut().for_each(|v| *v /= norm);
}

/// Whose direction is drawn.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Whose {
    Person = 0,
    Twins = 1,
    Family = 2,
}

/// A direction near those of its groups, and the noise of its images relative to others'.
fn direction(seed: u64, whose: Whose, number: u64, spectrum: &[f32], options: &FaceOptions) -> (Vec<f32>, f64) {
    let mut vector = vec![0.0; options.dim];
    let mut kin = Draws::of(seed, Topic::LookAlikes, whose as u8, number, 0);
    let mut own = 1.0;
    for (level, &(groups, share)) in options.look_alikes.iter().enumerate() {
        let group = kin.below(groups);
        add(&mut vector, spectrum, share, &mut Draws::of(seed, Topic::FaceGroup, level as u8, group, 0));
        own -= share;
    }
    let mut draws = Draws::of(seed, Topic::FacePerson, whose as u8, number, 0);
    let noise = draws.log_normal(options.noise_by_person);
    add(&mut vector, spectrum, own.max(0.0), &mut draws);
    normalise(&mut vector);
    (vector, noise)
}

/// The image of a person at `encounter`: their direction, of which a part is that of their twins and of their family.
pub(super) fn image(
    seed: u64,
    person: u64,
    kin: Kin,
    encounter: u32,
    spectrum: &[f32],
    options: &FaceOptions,
) -> Vec<f32> {
    let (mut vector, noise) = direction(seed, Whose::Person, person, spectrum, options);
    let twins = kin.twins.map(|first| (Whose::Twins, first, options.twins));
    let family = kin.family.map(|first| (Whose::Family, first, options.siblings));
    for (whose, first, share) in twins.into_iter().chain(family) {
        let (common, _) = direction(seed, whose, first, spectrum, options);
        let [of_common, of_own] = [share, 1.0 - share].map(|share| share.max(0.0).sqrt() as f32);
        vector.iter_mut().zip(&common).for_each(|(own, common)| *own = of_own * *own + of_common * common);
        normalise(&mut vector);
    }
    let mut draws = Draws::of(seed, Topic::FaceImage, 0, person, u64::from(encounter));
    let noise = options.noise * noise * draws.log_normal(options.noise_by_image);
    add(&mut vector, spectrum, noise, &mut draws);
    normalise(&mut vector);
    vector
}
