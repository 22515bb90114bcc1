//! How does a probe meet the coarse planes? Turned as the rows are, and quantised once for each kind of plane.

use khop_kernels::SignTable;

use crate::rotation::{Draws, Rotation};

/// Largest step of a probe's number against sign bits: four of them, offset, stay below [`SignTable::MOST`].
const SIGN_STEPS: i32 = 15;
/// Added to each look-up of four signs, so that none is negative.
const SIGN_OFFSET: i32 = 4 * SIGN_STEPS;
/// Seed of the rounding of probes, independent of the rotation's.
const ROUNDING_SEED: u64 = 0x726f_756e_6469_6e67;
/// What single-precision turning and factors can be off by, with room.
pub(crate) const ROUNDING: f32 = 2e-5;

/// A probe as the coarse planes need it. About 6 µs and 4 KiB for 512 numbers.
pub(crate) struct Screen {
    signs: SignProbe,
    nibbles: NibbleProbe,
}

impl Screen {
    /// Of a vector of length one.
    pub(crate) fn of(unit: &[f32]) -> Self {
        let turned = Rotation::new(unit.len()).turn(unit);
        Self { signs: SignProbe::of(&turned), nibbles: NibbleProbe::of(&turned) }
    }

    pub(crate) fn signs(&self) -> &SignProbe {
        &self.signs
    }

    pub(crate) fn nibbles(&self) -> &NibbleProbe {
        &self.nibbles
    }
}

/// A probe against sign bits: its numbers as whole steps of −15 to 15, rounded up or down by chance so that each is
/// right on average, and what every half byte of signs adds.
pub(crate) struct SignProbe {
    table: Box<[u8]>,
    width: usize,
    /// ⟨ō, q⟩ a step of the sum.
    per_step: f32,
    /// Variance that rounding adds to ⟨ō, q⟩, at most: each number's error lies in an interval of one step.
    rounding_variance: f32,
}

impl SignProbe {
    fn of(turned: &[f32]) -> Self {
        let largest = turned.iter().fold(f32::MIN_POSITIVE, |largest, v| largest.max(v.abs()));
        let step = f64::from(largest) / f64::from(SIGN_STEPS);
        let mut draws = Draws::new(ROUNDING_SEED);
        let round = |&value: &f32| {
            let steps = (f64::from(value) / step + draws.unit()).floor() as i32;
            steps.clamp(-SIGN_STEPS, SIGN_STEPS)
        };
        let steps: Vec<i32> = turned.iter().map(round).collect();
        let entry = |four: &[i32], half: usize| {
            let signed = |(bit, &step): (usize, &i32)| if half >> bit & 1 == 1 { step } else { -step };
            (four.iter().enumerate().map(signed).sum::<i32>() + SIGN_OFFSET) as u8
        };
        let table = steps.chunks(4).flat_map(|four| (0..16).map(move |half| entry(four, half))).collect();
        Self {
            table,
            width: turned.len(),
            per_step: (step / (turned.len() as f64).sqrt()) as f32,
            rounding_variance: (step * step / 4.0) as f32,
        }
    }

    pub(crate) fn table(&self) -> SignTable<'_> {
        SignTable::new(&self.table).expect("entries of 0 to 120 for whole bytes")
    }

    /// ⟨ō, q⟩ of a row whose table entries add up to `sum`.
    pub(crate) fn product(&self, sum: u32) -> f32 {
        (sum as i32 - self.offset() as i32) as f32 * self.per_step
    }

    /// By how much a row's ⟨ō, q⟩ may fall short of a·⟨o, q⟩ at `z` standard errors, ⟨o, q⟩ being `cosine` or more.
    pub(crate) fn radius(&self, agreement: f32, cosine: f32, z: f32) -> f32 {
        let aside = (1.0 - agreement * agreement).max(0.0) * (1.0 - cosine * cosine).max(0.0);
        let signs = aside / (self.width as f32 - 2.0);
        z * (signs + self.rounding_variance).sqrt() + ROUNDING
    }

    /// The least sum with which a row of this agreement can reach the threshold, `threshold` above 0. Rises with the
    /// agreement.
    pub(crate) fn least_sum(&self, threshold: f32, agreement: f32, z: f32) -> i64 {
        let product = threshold * agreement - self.radius(agreement, threshold, z);
        (product / self.per_step).floor() as i64 + self.offset()
    }

    fn offset(&self) -> i64 {
        i64::from(SIGN_STEPS) * self.width as i64
    }
}

/// A probe against half-byte codes: signed bytes, both halves, and what rounding took away.
pub(crate) struct NibbleProbe {
    low: Box<[i8]>,
    high: Box<[i8]>,
    scale: f32,
    error: f32,
}

impl NibbleProbe {
    fn of(turned: &[f32]) -> Self {
        let largest = turned.iter().fold(f32::MIN_POSITIVE, |largest, v| largest.max(v.abs()));
        let scale = largest / 127.0;
        let codes: Vec<i8> = turned.iter().map(|&v| (v / scale).round().clamp(-127.0, 127.0) as i8).collect();
        let errors = turned.iter().zip(&codes).map(|(&v, &c)| f64::from(v) - f64::from(c) * f64::from(scale));
        let error = errors.map(|e| e * e).sum::<f64>().sqrt() as f32;
        let (low, high) = codes.split_at(codes.len() / 2);
        Self { low: low.into(), high: high.into(), scale, error }
    }

    pub(crate) fn low(&self) -> &[i8] {
        &self.low
    }

    pub(crate) fn high(&self) -> &[i8] {
        &self.high
    }

    /// ⟨ō, q⟩ as the quantised probe has it.
    pub(crate) fn product(&self, dot: i32, inverse_norm: f32) -> f32 {
        dot as f32 * (inverse_norm * self.scale)
    }

    /// By how much [`NibbleProbe::product`] can be wrong: by Cauchy–Schwarz the norm of what rounding took away.
    pub(crate) fn slack(&self) -> f32 {
        self.error + ROUNDING
    }
}
