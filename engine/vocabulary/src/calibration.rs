//! What does a similarity mean? A monotone table from a comparator's similarity to score and likelihood ratio.

use crate::{Llr, Score};

/// One line of a calibration table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    /// The comparator's own similarity.
    pub similarity: f32,
    /// −10·log10(FMR) at a threshold there.
    pub score: f32,
    /// ln likelihood ratio there, nats.
    pub llr: f32,
}

/// Where a table comes from: what was compared, by which command, how much of it was measured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// Free text lines, written by the calibrating command.
    pub lines: Vec<String>,
}

/// Monotone, piecewise-linear map from similarity to [`Score`] and [`Llr`].
///
/// Between knots linear, below the first constant, above the last continued along the last segment for the score
/// (the FMR tail is close to a straight line in log scale) and constant for the LLR, which may claim only what
/// was measured. Immutable; a look-up is a binary search.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    name: String,
    knots: Vec<Knot>,
    provenance: Provenance,
}

/// Why a text is not a calibration table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// The first line is not `khop-calibration 1 NAME`.
    #[error("calibration line 1: expected \"khop-calibration 1 NAME\"")]
    Header,
    /// A line that is not three finite numbers.
    #[error("calibration line {0}: expected three finite numbers: similarity score llr")]
    Line(usize),
    /// Too few knots, or a column that falls.
    #[error("calibration: expected at least two knots with rising similarity and no falling score or llr")]
    NotMonotone,
}

impl Calibration {
    /// Checks that there are at least two knots, similarity rises strictly and neither score nor LLR falls.
    ///
    /// # Errors
    /// [`CalibrationError::NotMonotone`], also for numbers that are not finite.
    pub fn new(name: impl Into<String>, knots: Vec<Knot>, provenance: Provenance) -> Result<Self, CalibrationError> {
        let finite = |k: &Knot| k.similarity.is_finite() && k.score.is_finite() && k.llr.is_finite();
        let rising = |w: &[Knot]| w[0].similarity < w[1].similarity && w[0].score <= w[1].score && w[0].llr <= w[1].llr;
        if knots.len() < 2 || !knots.iter().all(finite) || !knots.windows(2).all(rising) {
            return Err(CalibrationError::NotMonotone);
        }
        Ok(Self { name: name.into(), knots, provenance })
    }

    /// Reads the text form written by [`Calibration::to_text`]. Lines that start with `#` are provenance.
    ///
    /// # Errors
    /// [`CalibrationError`] names the line.
    pub fn from_text(text: &str) -> Result<Self, CalibrationError> {
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or("", |(_, line)| line);
        let name = header.strip_prefix("khop-calibration 1 ").ok_or(CalibrationError::Header)?.trim().to_owned();
        let (mut knots, mut provenance) = (Vec::new(), Provenance::default());
        for (index, line) in lines {
            if let Some(note) = line.strip_prefix('#') {
                provenance.lines.push(note.trim().to_owned());
            } else if !line.trim().is_empty() {
                let numbers: Vec<f32> = line.split_whitespace().map_while(|w| w.parse().ok()).collect();
                let &[similarity, score, llr] = &numbers[..] else {
                    return Err(CalibrationError::Line(index + 1));
                };
                knots.push(Knot { similarity, score, llr });
            }
        }
        Self::new(name, knots, provenance)
    }

    /// The text form: a header, provenance lines behind `#`, one knot a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("khop-calibration 1 {}\n", self.name);
        for line in &self.provenance.lines {
            text.push_str(&format!("# {line}\n"));
        }
        for k in &self.knots {
            text.push_str(&format!("{} {} {}\n", k.similarity, k.score, k.llr));
        }
        text
    }

    /// What it calibrates: a comparator's version or a model id.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The knots, by rising similarity.
    #[must_use]
    pub fn knots(&self) -> &[Knot] {
        &self.knots
    }

    /// The score at this similarity.
    #[must_use]
    pub fn score(&self, similarity: f32) -> Score {
        let last = self.knots.len() - 1;
        let (a, b) = (self.knots[last - 1], self.knots[last]);
        if similarity > b.similarity {
            let slope = (b.score - a.score) / (b.similarity - a.similarity);
            return Score::new(b.score + slope * (similarity - b.similarity));
        }
        Score::new(self.interpolate(similarity, |k| k.score))
    }

    /// The log likelihood ratio at this similarity, within what the table holds.
    #[must_use]
    pub fn llr(&self, similarity: f32) -> Llr {
        Llr::new(self.interpolate(similarity, |k| k.llr))
    }

    /// The lowest similarity whose score reaches `score`, the tail included; `NEG_INFINITY` when every one does.
    #[must_use]
    pub fn similarity_at_score(&self, score: Score) -> f32 {
        let wanted = score.value();
        let last = self.knots.len() - 1;
        let upper = self.knots.iter().position(|k| k.score >= wanted).unwrap_or(last);
        if upper == 0 {
            return f32::NEG_INFINITY;
        }
        let (a, b) = (self.knots[upper - 1], self.knots[upper]);
        let slope = (b.score - a.score) / (b.similarity - a.similarity);
        if slope > 0.0 { a.similarity + (wanted - a.score) / slope } else { f32::INFINITY }
    }

    fn interpolate(&self, similarity: f32, column: fn(&Knot) -> f32) -> f32 {
        let upper = self.knots.partition_point(|k| k.similarity < similarity);
        match (upper.checked_sub(1).map(|i| &self.knots[i]), self.knots.get(upper)) {
            (Some(a), Some(b)) => {
                let part = (similarity - a.similarity) / (b.similarity - a.similarity);
                column(a) + part * (column(b) - column(a))
            }
            (Some(end), None) | (None, Some(end)) => column(end),
            (None, None) => unreachable!("a calibration has at least two knots"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> Calibration {
        let knot = |similarity, score, llr| Knot { similarity, score, llr };
        let provenance = Provenance { lines: vec!["by hand".into()] };
        Calibration::new("t", vec![knot(0.0, 0.0, -3.0), knot(1.0, 10.0, 0.0), knot(2.0, 30.0, 6.0)], provenance)
            .unwrap()
    }

    #[test]
    fn text_round_trips() {
        let table = table();
        assert_eq!(Calibration::from_text(&table.to_text()).unwrap(), table);
        assert_eq!(Calibration::from_text("nonsense"), Err(CalibrationError::Header));
        let bad = "khop-calibration 1 x\n0 0 0\n1 two 3\n";
        assert_eq!(Calibration::from_text(bad), Err(CalibrationError::Line(3)));
        let falling = "khop-calibration 1 x\n0 5 0\n1 4 3\n";
        assert_eq!(Calibration::from_text(falling), Err(CalibrationError::NotMonotone));
    }

    #[test]
    fn ends_and_middle() {
        let table = table();
        assert_eq!(table.score(0.5), Score::new(5.0));
        assert_eq!(table.llr(-9.0), Llr::new(-3.0));
        assert_eq!(table.llr(9.0), Llr::new(6.0)); // claims only what was measured
        assert_eq!(table.score(3.0), Score::new(50.0)); // the tail goes on
        assert_eq!(table.similarity_at_score(Score::new(20.0)), 1.5);
        assert_eq!(table.similarity_at_score(Score::new(50.0)), 3.0);
        assert_eq!(table.similarity_at_score(Score::ZERO), f32::NEG_INFINITY);
    }

    proptest! {
        #[test]
        fn monotone(a in -5f32..5.0, b in -5f32..5.0) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            let table = table();
            prop_assert!(table.score(low) <= table.score(high));
            prop_assert!(table.llr(low) <= table.llr(high));
        }
    }
}
