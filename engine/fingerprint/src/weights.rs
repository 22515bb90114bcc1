//! How much does each term count? The weights of the comparator, one small file.

use std::sync::LazyLock;

use crate::terms::Terms;

/// A constant and a weight for every term: their weighed sum is a similarity.
///
/// Fitted by `khop calibrate fingerprint` as a logistic regression, so that the sum is the natural logarithm of the odds
/// that two prints are of one finger, moved so that hardly any lies below zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// What is added to the sum.
    pub constant: f32,
    /// In the order of [`Terms::NAMES`], for one unit of each.
    pub terms: [f32; Terms::COUNT],
    /// Where they come from, line by line.
    pub provenance: Vec<String>,
}

/// Why a text does not hold weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// Another file, or another version.
    #[error("comparator weights: expected the first line `{HEADER}`")]
    Header,
    /// A line that is none of the expected ones.
    #[error("comparator weights: expected the line `{expected} NUMBER`, got {got:?}")]
    Line {
        /// The name of the weight that should stand there.
        expected: &'static str,
        /// What stands there.
        got: String,
    },
    /// Lines behind the last weight.
    #[error("comparator weights: expected nothing behind the last weight, got {0:?}")]
    Rest(String),
}

const HEADER: &str = "khop-comparator 1";
const CONSTANT: &str = "constant";

impl Weights {
    /// Those that [`calibration`](crate::calibration) was fitted with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Weights> = LazyLock::new(|| {
            Weights::from_text(include_str!("../models/comparator.txt")).expect("tested: the weights are well formed")
        });
        &BUILT_IN
    }

    /// The weighed sum, 0 where it would be less; finite for finite terms.
    #[must_use]
    pub fn similarity(&self, terms: &Terms) -> f32 {
        let weighed = self.terms.iter().zip(terms.values()).map(|(weight, value)| weight * value);
        (self.constant + weighed.sum::<f32>()).max(0.0)
    }

    /// Reads what [`Weights::to_text`] wrote.
    ///
    /// # Errors
    /// [`WeightsError`] names the line.
    pub fn from_text(text: &str) -> Result<Self, WeightsError> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(WeightsError::Header);
        }
        let (comments, lines): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('#'));
        let mut lines = lines.into_iter();
        let mut weight = |expected: &'static str| {
            let line = lines.next().unwrap_or_default();
            let number = line.strip_prefix(expected).and_then(|rest| rest.trim().parse::<f32>().ok());
            let number = number.filter(|number| number.is_finite());
            number.ok_or_else(|| WeightsError::Line { expected, got: line.to_owned() })
        };
        let constant = weight(CONSTANT)?;
        let mut terms = [0.0; Terms::COUNT];
        for (term, name) in terms.iter_mut().zip(Terms::NAMES) {
            *term = weight(name)?;
        }
        if let Some(rest) = lines.next() {
            return Err(WeightsError::Rest(rest.to_owned()));
        }
        let provenance = comments.iter().map(|line| line.trim_start_matches(['#', ' ']).to_owned()).collect();
        Ok(Self { constant, terms, provenance })
    }

    /// A line a weight, behind where they come from.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        self.provenance.iter().for_each(|line| text.push_str(&format!("# {line}\n")));
        text.push_str(&format!("{CONSTANT} {}\n", self.constant));
        for (name, weight) in Terms::NAMES.iter().zip(self.terms) {
            text.push_str(&format!("{name} {weight}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_weights_are_well_formed_and_speak_the_right_way() {
        let weights = Weights::built_in();
        assert!(weights.terms.iter().zip(Terms::SIGNS).all(|(weight, sign)| weight * sign >= 0.0), "{weights:?}");
        assert_eq!(&Weights::from_text(&weights.to_text()).unwrap(), weights);
    }

    #[test]
    fn the_sum_is_never_negative() {
        let mut weights = Weights::built_in().clone();
        weights.constant = -1e6;
        assert_eq!(weights.similarity(&Terms::default()), 0.0);
    }

    #[test]
    fn other_texts_are_refused_by_line() {
        let text = Weights::built_in().to_text();
        assert_eq!(Weights::from_text("khop-comparator 2\n"), Err(WeightsError::Header));
        let wrong = text.replace("paired ", "bared ");
        assert!(matches!(Weights::from_text(&wrong), Err(WeightsError::Line { expected: "paired", .. })));
        assert!(matches!(Weights::from_text(&format!("{text}x\n")), Err(WeightsError::Rest(_))));
        assert!(Weights::from_text(&text.replace("constant ", "constant NaN #")).is_err());
    }
}
