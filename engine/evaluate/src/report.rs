//! What was found, as text other programs read? CSV of curves.

use std::fmt::Write;

use khop_vocabulary::Fnir;

use crate::DetPoint;

/// A named trade-off, as drawn and as listed.
#[derive(Debug, Clone, PartialEq)]
pub struct DetCurve {
    /// Shown in the legend and in the first column.
    pub name: String,
    /// By rising false-positive rate.
    pub points: Vec<DetPoint>,
    /// Non-mated trials behind it.
    pub non_mated: u64,
}

/// Names of the two rates of a trade-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rates {
    /// FMR and FNMR.
    Verification,
    /// FPIR and FNIR.
    Identification,
}

impl Rates {
    /// Column names, false positives first.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Verification => ("fmr", "fnmr"),
            Self::Identification => ("fpir", "fnir"),
        }
    }

    /// Axis titles, false positives first.
    #[must_use]
    pub fn titles(self) -> (&'static str, &'static str) {
        match self {
            Self::Verification => ("False match rate (FMR)", "False non-match rate (FNMR)"),
            Self::Identification => {
                ("False positive identification rate (FPIR)", "False negative identification rate (FNIR)")
            }
        }
    }
}

/// `curve,threshold,fmr,fnmr` (or `fpir,fnir`), one line a point.
#[must_use]
pub fn det_csv(rates: Rates, curves: &[DetCurve]) -> String {
    let (x, y) = rates.names();
    let mut text = format!("curve,threshold,{x},{y}\n");
    for curve in curves {
        let name = quoted(&curve.name);
        for p in &curve.points {
            let _ = writeln!(text, "{name},{},{},{}", p.threshold, p.false_positive, p.false_negative);
        }
    }
    text
}

/// `rank,miss,hit`: the cumulative match characteristic, from the misses at rank 1, 2, …
#[must_use]
pub fn cmc_csv(misses: &[Fnir]) -> String {
    let mut text = String::from("rank,miss,hit\n");
    for (rank, miss) in (1..).zip(misses) {
        let _ = writeln!(text, "{rank},{},{}", miss.value(), 1.0 - miss.value());
    }
    text
}

/// As CSV wants it: quoted when it holds a comma, a quote or a line break.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_listed() {
        let point = DetPoint { threshold: 0.25, false_positive: 0.001, false_negative: 0.5 };
        let curve = DetCurve { name: "all, \"good\"".into(), points: vec![point], non_mated: 1000 };
        assert_eq!(
            det_csv(Rates::Verification, std::slice::from_ref(&curve)),
            "curve,threshold,fmr,fnmr\n\"all, \"\"good\"\"\",0.25,0.001,0.5\n"
        );
        assert!(det_csv(Rates::Identification, &[curve]).starts_with("curve,threshold,fpir,fnir\n"));
        let misses = [0.25, 0.0].map(|m| Fnir::new(m).unwrap());
        assert_eq!(cmc_csv(&misses), "rank,miss,hit\n1,0.25,0.75\n2,0,1\n");
    }
}
