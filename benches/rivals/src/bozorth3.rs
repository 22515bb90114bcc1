//! How does BOZORTH3 compare? Two lists of minutiae in, both prepared in every call.

use fprint_bozorth3::{Minutia, match_score};

use crate::prints::{Pair, Prints};

/// NIST's comparator as ported by `fprint-bozorth3`.
pub struct Bozorth3(Vec<Vec<Minutia>>);

impl crate::Comparator for Bozorth3 {
    fn new(prints: &Prints) -> Self {
        let print = |sample: &khop_vocabulary::FingerSample| {
            // Its own coordinates: whole degrees counter-clockwise, y upward.
            let minutia = |m: &khop_vocabulary::Minutia| Minutia {
                x: m.x_px.into(),
                y: i32::from(sample.height_px) - 1 - i32::from(m.y_px),
                theta: m.angle_deg.round() as i32 % 360,
            };
            sample.minutiae.iter().map(minutia).collect()
        };
        Self(prints.samples().iter().map(print).collect())
    }

    fn name(&self) -> &'static str {
        "bozorth3"
    }

    fn compare(&mut self, pairs: &[Pair]) -> f64 {
        pairs.iter().map(|&(p, r)| f64::from(match_score(&self.0[p], &self.0[r]))).sum()
    }
}
