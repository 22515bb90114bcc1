//! Which random numbers decide what? One ChaCha8 stream for each trait of each person, keyed by what it decides.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream decides. Two topics never share numbers, so a change to one leaves the others as they were.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Topic {
    Attributes = 1,
    Hand = 2,
    Flow = 3,
    Minutiae = 4,
    Capture = 5,
    Impression = 6,
    LookAlikes = 7,
    FaceGroup = 8,
    FacePerson = 9,
    FaceImage = 10,
    Kin = 11,
    TwinFlow = 12,
}

/// A stream of random numbers, reachable in O(1) from its key.
pub(super) struct Draws {
    rng: ChaCha8Rng,
    spare: Option<f64>,
}

impl Draws {
    /// The stream of `topic` (and `part` of it, such as a finger) for `person` at `occasion`.
    pub fn of(seed: u64, topic: Topic, part: u8, person: u64, occasion: u64) -> Self {
        let mut key = [0; 32];
        let words = [seed, u64::from_le_bytes([topic as u8, part, 0, 0, 0, 0, 0, 0]), person, occasion];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self { rng: ChaCha8Rng::from_seed(key), spare: None }
    }

    /// Uniform in 0 ≤ x < 1.
    pub fn uniform(&mut self) -> f64 {
        self.rng.random()
    }

    /// Uniform in `low` ≤ x < `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// True with this probability; never at 0 or below, always at 1 or above.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Uniform among 0 ≤ n < `count`.
    pub fn below(&mut self, count: u64) -> u64 {
        self.rng.random_range(0..count.max(1))
    }

    /// Standard normal (Box–Muller).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Log-normal with median 1 and this standard deviation of the logarithm.
    pub fn log_normal(&mut self, sigma: f64) -> f64 {
        (sigma * self.normal()).exp()
    }

    /// Poisson with this mean (Knuth; for means up to some tens).
    pub fn poisson(&mut self, mean: f64) -> usize {
        let limit = (-mean.min(100.0)).exp();
        let (mut count, mut product) = (0, self.uniform());
        while product > limit {
            count += 1;
            product *= self.uniform();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_key_counts() {
        let first = |seed, topic, part, person, occasion| Draws::of(seed, topic, part, person, occasion).uniform();
        let base = first(1, Topic::Flow, 2, 3, 4);
        assert_eq!(base, first(1, Topic::Flow, 2, 3, 4));
        for other in [
            first(2, Topic::Flow, 2, 3, 4),
            first(1, Topic::Hand, 2, 3, 4),
            first(1, Topic::Flow, 3, 3, 4),
            first(1, Topic::Flow, 2, 4, 4),
            first(1, Topic::Flow, 2, 3, 5),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn moments_are_right() {
        let mut draws = Draws::of(1, Topic::Flow, 0, 0, 0);
        let normals: Vec<f64> = (0..20_000).map(|_| draws.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 20_000.0;
        let variance = normals.iter().map(|z| z * z).sum::<f64>() / 20_000.0 - mean * mean;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
        let poisson = (0..20_000).map(|_| draws.poisson(3.5)).sum::<usize>() as f64 / 20_000.0;
        assert!((poisson - 3.5).abs() < 0.06, "{poisson}");
    }
}
