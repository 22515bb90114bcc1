//! What was found, and how is it shown? One JSON object, a table, curves.

use std::fmt::Write;

use khop_evaluate::report::{DetCurve, Rates, cmc_csv, det_csv};
use khop_evaluate::{
    Comparisons, DetPlot, FnirAtFpir, FnmrAtFmr, Identification, Interval, RankMiss, Resampling, SearchesError,
    Verification, VerificationMeasures,
};
use khop_vocabulary::{Fmr, Fnir, Fpir};
use ndarray::Array2;
use serde_json::{Value, json};

use super::joint::Scale;
use super::samples::{Dataset, Samples};
use super::trials::{Effort, searches};
use crate::failure::Failure;

/// The findings of one evaluation.
pub struct Findings {
    comparator: String,
    subjects: usize,
    samples: usize,
    failures_to_enrol: usize,
    resampling: Resampling,
    effort: Effort,
    /// What thresholds are in the scores of a file; similarities themselves where Khop compared.
    scale: Option<Scale>,
    rates: Rates,
    /// All data sets pooled, then each, when there are several.
    sets: Vec<Set>,
    curves: Vec<DetCurve>,
    misses: Vec<Fnir>,
}

/// What was measured on one data set, or on all.
struct Set {
    name: String,
    mated: u64,
    non_mated: u64,
    measured: Measured,
}

enum Measured {
    Verification(VerificationMeasures),
    Identification { references: u64, fnir_at_fpir: Vec<FnirAtFpir>, rank1_miss: RankMiss },
}

const ALL: &str = "all data sets";

impl Findings {
    pub fn new(comparator: &str, samples: &Samples, failures_to_enrol: usize, resampling: Resampling) -> Self {
        Self {
            comparator: comparator.to_owned(),
            subjects: samples.subjects.count(),
            samples: samples.names.len(),
            failures_to_enrol,
            resampling,
            effort: Effort::default(),
            scale: None,
            rates: Rates::Verification,
            sets: Vec::new(),
            curves: Vec::new(),
            misses: Vec::new(),
        }
    }

    /// Similarities are places in this scale, and thresholds are shown as its scores.
    pub fn on_scale(self, scale: Scale) -> Self {
        Self { scale: Some(scale), ..self }
    }

    /// The threshold with as few digits as the score file has, so that the two compare equal.
    fn threshold(&self, threshold: f32) -> f64 {
        match &self.scale {
            Some(scale) => scale.score(threshold).unwrap_or(f64::INFINITY),
            None => threshold.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// Measures the pairs: pooled, and each data set alone when there are several.
    pub fn verification(&mut self, samples: &Samples, all: Comparisons, effort: Effort) -> Result<(), Failure> {
        self.effort = effort;
        let mut parts = Vec::new();
        if samples.datasets.len() > 1 {
            for dataset in &samples.datasets {
                let within = |list: &[khop_evaluate::Comparison]| {
                    list.iter().copied().filter(|c| dataset.samples.contains(&(c.probe as usize))).collect()
                };
                // A data set without a pair of one kind has no rates of its own.
                let part = Comparisons::new(samples.subjects.clone(), within(all.mated()), within(all.non_mated()));
                parts.extend(part.ok().map(|part| (dataset.name.clone(), part)));
            }
        }
        self.verify(whole(samples), Verification::new(all), true);
        for (name, part) in parts {
            self.verify(name, Verification::new(part), false);
        }
        Ok(())
    }

    fn verify(&mut self, name: String, all: Verification, pooled: bool) {
        // The promised three, further decades while thirty errors are left; of a part only what ten errors carry.
        let n = all.non_mated() as f64;
        let wanted =
            |&(decade, rate): &(i32, f64)| if pooled { decade <= 4 || rate * n >= 30.0 } else { rate * n >= 10.0 };
        let rates = (2..=7).map(|decade| (decade, 10f64.powi(-decade))).filter(wanted);
        let fmrs: Vec<Fmr> = rates.filter_map(|(_, rate)| Fmr::new(rate).ok()).collect();
        let (mated, non_mated) = (all.mated(), all.non_mated());
        self.curves.push(DetCurve { name: name.clone(), points: all.det(), non_mated });
        let measured = Measured::Verification(all.measure(&fmrs, &self.resampling));
        self.sets.push(Set { name, mated, non_mated, measured });
    }

    /// Measures the searches: pooled, and each data set alone when there are several.
    pub fn identification(
        &mut self,
        samples: &Samples,
        similarities: &[Array2<f32>],
        rank: Option<u32>,
        effort: Effort,
    ) -> Result<(), Failure> {
        self.effort = effort;
        self.rates = Rates::Identification;
        let of_set = |(dataset, matrix): (&Dataset, &Array2<f32>)| searches(samples, dataset, matrix);
        let of_sets: Vec<_> = samples.datasets.iter().zip(similarities).map(of_set).collect();
        let references = samples.datasets.iter().map(|d| d.gallery.len() as u64).sum::<u64>();
        let mean = references / samples.datasets.len().max(1) as u64;
        let identification =
            |references, searches: &[_]| Identification::new(samples.subjects.clone(), references, searches);
        let all = identification(mean, &of_sets.concat())?;
        self.misses = all.misses(20);
        self.identify(whole(samples), &all, rank);
        if samples.datasets.len() > 1 {
            for (dataset, searches) in samples.datasets.iter().zip(&of_sets) {
                match identification(dataset.gallery.len() as u64, searches) {
                    Ok(part) => self.identify(dataset.name.clone(), &part, rank),
                    // A data set without a search of one kind has no rates of its own.
                    Err(SearchesError::NoMatedSearch | SearchesError::NoNonMatedSearch) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn identify(&mut self, name: String, all: &Identification, rank: Option<u32>) {
        let fpirs: Vec<Fpir> = [1e-1, 1e-2, 1e-3].into_iter().filter_map(|rate| Fpir::new(rate).ok()).collect();
        let (mated, non_mated) = (all.mated(), all.non_mated());
        self.curves.push(DetCurve { name: name.clone(), points: all.det(), non_mated });
        let measured = Measured::Identification {
            references: all.references(),
            fnir_at_fpir: all.measure(&fpirs, rank, &self.resampling),
            rank1_miss: all.rank1_miss(&self.resampling),
        };
        self.sets.push(Set { name, mated, non_mated, measured });
    }

    pub fn to_json(&self) -> Value {
        let mut sets = self.sets.iter().map(|set| set.to_json(self));
        let mut object = sets.next().unwrap_or_else(|| json!({}));
        object["measure"] = json!(match self.rates {
            Rates::Verification => "verification",
            Rates::Identification => "identification",
        });
        object["comparator"] = json!(self.comparator);
        object["subjects"] = json!(self.subjects);
        object["samples"] = json!(self.samples);
        object["failures_to_enrol"] = json!(self.failures_to_enrol);
        let per_s = (self.effort.comparisons > 0).then(|| self.effort.per_second_and_core().round());
        object["comparisons_per_s_per_core"] = json!(per_s);
        object["bootstrap"] = json!({"resamples": self.resampling.resamples, "seed": self.resampling.seed});
        object["datasets"] = sets.collect();
        if self.rates == Rates::Identification {
            object["miss_by_rank"] = self.misses.iter().map(|m| m.value()).collect();
        }
        object
    }

    /// For people: rates in percent, what they rest on, and what to try next.
    pub fn to_table(&self) -> String {
        let mut text = format!("{}: {} samples of {} subjects", self.comparator, self.samples, self.subjects);
        if self.scale.is_none() {
            let (failed, per_s) = (self.failures_to_enrol, self.effort.per_second_and_core());
            let _ = write!(text, ", {failed} failed to enrol; {per_s:.0} comparisons a second and core");
        }
        text.push('\n');
        for set in &self.sets {
            let _ = write!(text, "\n{}: ", set.name);
            set.print(self, &mut text);
        }
        let _ = writeln!(
            text,
            "\nIn brackets 95 % intervals: {} resamples of the subjects. --svg FILE draws the curve, --json is for scripts.",
            self.resampling.resamples
        );
        text
    }

    pub fn to_csv(&self) -> String {
        let mut curves = self.curves.clone();
        let points = curves.iter_mut().flat_map(|curve| &mut curve.points);
        points.for_each(|point| point.threshold = self.threshold(point.threshold) as f32);
        det_csv(self.rates, &curves)
    }

    pub fn to_cmc_csv(&self) -> String {
        cmc_csv(&self.misses)
    }

    pub fn to_svg(&self) -> String {
        let title = format!("{}, {} subjects", self.comparator, self.subjects);
        DetPlot { title, rates: self.rates, curves: self.curves.clone() }.to_svg()
    }
}

fn whole(samples: &Samples) -> String {
    match &samples.datasets[..] {
        [only] => only.name.clone(),
        _ => ALL.to_owned(),
    }
}

impl Set {
    fn to_json(&self, findings: &Findings) -> Value {
        let mut object = json!({"name": self.name, "mated": self.mated, "non_mated": self.non_mated});
        match &self.measured {
            Measured::Verification(VerificationMeasures { eer, fnmr_at_fmr }) => {
                object["eer"] = json!(eer.rate);
                object["eer_threshold"] = json!(findings.threshold(eer.threshold));
                object["eer_ci95"] = interval(eer.ci95);
                object["fnmr_at_fmr"] = fnmr_at_fmr.iter().map(|l| fnmr_json(l, findings)).collect();
                object["fnir_at_fpir"] = json!([]);
                object["rank1_miss"] = Value::Null;
            }
            Measured::Identification { references, fnir_at_fpir, rank1_miss } => {
                object["references"] = json!(references);
                object["eer"] = Value::Null;
                object["fnmr_at_fmr"] = json!([]);
                object["fnir_at_fpir"] = fnir_at_fpir.iter().map(|l| fnir_json(l, findings)).collect();
                object["rank1_miss"] = json!(rank1_miss.rate.value());
                object["rank1_errors"] = json!(rank1_miss.errors);
                object["rank1_ci95"] = interval(rank1_miss.ci95);
            }
        }
        object
    }

    fn print(&self, findings: &Findings, text: &mut String) {
        match &self.measured {
            Measured::Verification(VerificationMeasures { eer, fnmr_at_fmr }) => {
                let _ = writeln!(text, "{} mated and {} non-mated comparisons", self.mated, self.non_mated);
                let _ = writeln!(text, "{}  at {}", line("EER", eer.rate, eer.ci95), findings.threshold(eer.threshold));
                for l in fnmr_at_fmr {
                    let name = format!("FNMR at FMR {:e}", l.asked.value());
                    let _ = writeln!(
                        text,
                        "{}  {} of {}, at {}, false matches {}{}",
                        line(&name, l.fnmr.value(), l.ci95),
                        l.errors,
                        l.mated,
                        findings.threshold(l.threshold),
                        l.false_matches,
                        if l.false_matches < 30 { " (few: indicative)" } else { "" }
                    );
                }
            }
            Measured::Identification { references, fnir_at_fpir, rank1_miss } => {
                let _ = writeln!(
                    text,
                    "{} mated and {} non-mated searches of {references} references",
                    self.mated, self.non_mated
                );
                let missed = line("Rank-1 miss", rank1_miss.rate.value(), rank1_miss.ci95);
                let _ = writeln!(text, "{missed}  {} of {}", rank1_miss.errors, self.mated);
                for l in fnir_at_fpir {
                    let name = format!("FNIR at FPIR {:e}", l.asked.value());
                    let _ = match &l.measured {
                        None => writeln!(text, "  {name:<18} not measured: fewer than ten false positives expected"),
                        Some(m) => writeln!(
                            text,
                            "{}  {} of {}, at {}, selectivity {:.3}",
                            line(&name, m.fnir.value(), m.ci95),
                            m.errors,
                            self.mated,
                            m.threshold,
                            m.selectivity
                        ),
                    };
                }
            }
        }
    }
}

/// `  name   3.21 % [1.25–5.54]`
fn line(name: &str, rate: f64, ci: Interval) -> String {
    let [rate, low, high] = [rate, ci.low, ci.high].map(|r| r * 100.0);
    let decimals = if rate > 0.0 && rate < 1.0 { 4 } else { 2 };
    format!("  {name:<18} {rate:>8.decimals$} % [{low:.decimals$}–{high:.decimals$}]")
}

fn fnmr_json(l: &FnmrAtFmr, findings: &Findings) -> Value {
    json!({
        "fmr": l.asked.value(), "threshold": findings.threshold(l.threshold), "fnmr": l.fnmr.value(), "errors": l.errors,
        "ci95": interval(l.ci95), "binomial95": interval(l.binomial95), "false_matches": l.false_matches,
    })
}

fn fnir_json(l: &FnirAtFpir, findings: &Findings) -> Value {
    let m = l.measured.as_ref();
    json!({
        "fpir": l.asked.value(), "threshold": m.map(|m| findings.threshold(m.threshold)), "fnir": m.map(|m| m.fnir.value()),
        "errors": m.map(|m| m.errors), "ci95": m.map(|m| interval(m.ci95)),
        "binomial95": m.map(|m| interval(m.binomial95)), "false_positives": m.map(|m| m.false_positives),
        "selectivity": m.map(|m| m.selectivity),
    })
}

fn interval(ci: Interval) -> Value {
    json!([ci.low, ci.high])
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::super::samples::Entry;
    use super::super::trials::{Comparing, Impostors, compare_pairs, compare_with_galleries};
    use super::*;

    /// Sixty subjects in two data sets, six samples each; similarity from 0 to 0.999, mates higher.
    struct Noise(Vec<u32>);

    impl Comparing for Noise {
        type Probe = usize;
        type Scratch = ();

        fn scratch(&self) {}

        fn probe(&self, sample: usize) -> Option<usize> {
            Some(sample)
        }

        fn compare(&self, (): &mut (), &probe: &usize, references: Range<usize>, out: &mut [f32]) {
            for (reference, out) in references.zip(out) {
                let noise = (probe.min(reference) * 7919 + probe.max(reference) * 104_729) % 1000;
                let boost = if self.0[probe] == self.0[reference] { 0.8 } else { 0.0 };
                *out = noise as f32 / 1000.0 + boost;
            }
        }

        fn failures(&self) -> usize {
            0
        }
    }

    fn samples() -> (Samples, Noise) {
        let entry = |i: u32| Entry {
            dataset: if i < 180 { "a".into() } else { "b".into() },
            stratum: if i < 180 { "a".into() } else { "b".into() },
            subject: (i / 6).to_string(),
            number: (i % 6).to_string(),
            name: i.to_string(),
        };
        let samples = Samples::arrange(&(0..360).map(entry).collect::<Vec<_>>()).unwrap().0;
        let noise = Noise((0..360).map(|s| samples.of(s)).collect());
        (samples, noise)
    }

    fn findings(samples: &Samples) -> Findings {
        Findings::new("noise", samples, 0, Resampling { seed: 1, resamples: 50 })
    }

    #[test]
    fn verification_keeps_the_contract() {
        let (samples, noise) = samples();
        let (pairs, effort) = compare_pairs(&samples, &noise, Impostors::All).unwrap();
        let mut findings = findings(&samples);
        findings.verification(&samples, pairs, effort).unwrap();
        let found = findings.to_json();
        assert_eq!((&found["mated"], &found["non_mated"]), (&json!(900), &json!(31_320)));
        assert_eq!((&found["failures_to_enrol"], &found["rank1_miss"]), (&json!(0), &Value::Null));
        let lines = found["fnmr_at_fmr"].as_array().unwrap();
        let asked: Vec<f64> = lines.iter().map(|l| l["fmr"].as_f64().unwrap()).collect();
        assert_eq!(asked, [1e-2, 1e-3, 1e-4]);
        let first = &lines[0];
        assert_eq!(first["fnmr"].as_f64().unwrap(), first["errors"].as_f64().unwrap() / 900.0);
        // The threshold is written as score files write it: 0.99, not 0.9900000095.
        assert!(first["threshold"].to_string().len() <= 5, "{first}");
        assert!(first["ci95"][0].as_f64().unwrap() < first["ci95"][1].as_f64().unwrap());
        assert!((0.0..0.2).contains(&found["eer"].as_f64().unwrap()));
        assert!(found["comparisons_per_s_per_core"].as_f64().unwrap() > 0.0);
        assert_eq!(found["datasets"].as_array().unwrap().len(), 2);
        assert_eq!(found["datasets"][1]["mated"], json!(450));
        assert_eq!(findings.to_svg().matches("class=\"curve c").count(), 6);
        assert!(findings.to_csv().contains("\nall data sets,"));
        assert!(findings.to_table().contains("FNMR at FMR 1e-3") && findings.to_table().contains("few: indicative"));
    }

    #[test]
    fn identification_keeps_the_contract() {
        let (samples, noise) = samples();
        let (matrices, effort) = compare_with_galleries(&samples, &noise).unwrap();
        let mut findings = findings(&samples);
        findings.identification(&samples, &matrices, None, effort).unwrap();
        let found = findings.to_json();
        assert_eq!((&found["mated"], &found["non_mated"]), (&json!(300), &json!(360)));
        assert_eq!((&found["references"], &found["eer"]), (&json!(30), &Value::Null));
        let lines = found["fnir_at_fpir"].as_array().unwrap();
        assert_eq!(lines[0]["fpir"], json!(0.1));
        assert!(lines[0]["fnir"].is_number() && lines[0]["errors"].is_number() && lines[0]["ci95"].is_array());
        assert!(lines[1]["fnir"].is_null() && lines[1]["fpir"] == json!(0.01), "3.6 errors carry no rate");
        assert_eq!(found["rank1_miss"], found["miss_by_rank"][0]);
        assert_eq!(found["miss_by_rank"].as_array().unwrap().len(), 20);
        assert!(findings.to_table().contains("not measured: fewer than ten false"));
        assert!(findings.to_cmc_csv().starts_with("rank,miss,hit\n1,"));
    }
}
