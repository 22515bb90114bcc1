//! What was found, and how is it shown? One JSON object, a table, curves.

use std::collections::HashMap;
use std::fmt::Write;

use khop_evaluate::report::{DetCurve, Rates, cmc_csv, det_csv};
use khop_evaluate::{
    Comparisons, Counted, DetPlot, FnirAtFpir, FnmrAtFmr, Histogram, Identification, Interval, Resampling, Search,
    SearchesError, Streamed, Verification, VerificationMeasures,
};
use khop_vocabulary::{Fmr, Fnir};
use serde_json::{Value, json};

use super::grouping::Grouping;
use super::growth::Growth;
use super::samples::Samples;
use super::scale::Scale;
use super::searched::Searched;
use super::searching::{Searching, fnir_json};
use super::subgroups::{Operating, Subgroups, interval};
use super::trials::Effort;
use crate::failure::Failure;

/// The findings of one evaluation.
pub struct Findings {
    pub(super) comparator: String,
    pub(super) subjects: usize,
    pub(super) samples: usize,
    pub(super) failures_to_enrol: usize,
    pub(super) resampling: Resampling,
    pub(super) effort: Effort,
    /// Comparisons without a score in the file.
    pub(super) missing: usize,
    /// What thresholds are in the scores of a file; similarities themselves where Khop compared.
    pub(super) scale: Option<Scale>,
    pub(super) rates: Rates,
    /// All data sets pooled, then each, when there are several.
    pub(super) sets: Vec<Set>,
    pub(super) curves: Vec<DetCurve>,
    pub(super) misses: Vec<Fnir>,
    /// Of the similarities of all pairs.
    pub(super) histogram: Option<Histogram>,
    /// By each column asked for.
    pub(super) subgroups: Vec<Subgroups>,
    /// Over the size of the gallery, where asked for.
    pub(super) growth: Option<Growth>,
}

/// What was measured on one data set, or on all.
pub(super) struct Set {
    pub(super) name: String,
    pub(super) mated: u64,
    pub(super) non_mated: u64,
    pub(super) measured: Measured,
}

pub(super) enum Measured {
    Verification {
        found: VerificationMeasures,
        /// Rates of which not one non-mated comparison would be left.
        unmeasured: Vec<Fmr>,
    },
    Identification {
        references: u64,
        /// Non-mated searches that had no mate in the gallery; of the others it was set aside.
        mate_absent: u64,
        fnir_at_fpir: Vec<FnirAtFpir>,
        rank1_miss: Counted,
    },
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
            missing: 0,
            scale: None,
            rates: Rates::Verification,
            sets: Vec::new(),
            curves: Vec::new(),
            misses: Vec::new(),
            histogram: None,
            subgroups: Vec::new(),
            growth: None,
        }
    }

    /// Of scores that were counted and never held: nobody knows whose they are.
    pub fn streamed(name: &str, all: &Streamed, measured: &[Fmr], fmrs: Option<&[Fmr]>) -> Self {
        let (mated, non_mated) = (all.mated(), all.non_mated());
        let (found, unmeasured) = (all.measure(measured), asked(fmrs, non_mated, true).1);
        let measured = Measured::Verification { found, unmeasured };
        Self {
            comparator: name.to_owned(),
            subjects: 0,
            samples: 0,
            failures_to_enrol: 0,
            resampling: Resampling { seed: 0, resamples: 0 },
            effort: Effort::default(),
            missing: 0,
            scale: None,
            rates: Rates::Verification,
            sets: vec![Set { name: "all scores".into(), mated, non_mated, measured }],
            curves: vec![DetCurve { name: "all scores".into(), points: all.det(), non_mated }],
            misses: Vec::new(),
            histogram: None,
            subgroups: Vec::new(),
            growth: None,
        }
    }

    /// Whether subjects were resampled; otherwise intervals are binomial.
    pub(super) fn is_resampled(&self) -> bool {
        self.resampling.resamples > 0
    }

    /// Of a score file: similarities are places in this scale, and thresholds are shown as its scores; so many
    /// comparisons had none.
    pub fn on_scale(self, scale: Scale, missing: usize) -> Self {
        Self { scale: Some(scale), missing, ..self }
    }

    /// Khop made the comparisons itself, with this effort.
    pub fn after(self, effort: Effort) -> Self {
        Self { effort, ..self }
    }

    /// The threshold with as few digits as the score file has, so that the two compare equal.
    pub(super) fn threshold(&self, threshold: f32) -> f64 {
        match &self.scale {
            Some(scale) => scale.score(threshold).unwrap_or(f64::INFINITY),
            None => threshold.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// Measures the pairs: pooled, each data set alone when there are several, and each group, where there are any.
    pub fn verification(
        &mut self,
        samples: &Samples,
        all: Comparisons,
        fmrs: Option<&[Fmr]>,
        groups: Option<(&Grouping, &[Vec<u32>; 2])>,
    ) -> Result<(), Failure> {
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
        let grouped = groups.filter(|(grouping, _)| !grouping.columns().is_empty());
        let grouped = grouped.map(|(grouping, groups)| (grouping, groups, all.clone()));
        self.histogram = Some(Histogram::of(&all));
        self.verify(whole(samples), Verification::new(all), fmrs, true);
        if let Some((grouping, groups, all)) = grouped {
            let at = self.operating().ok_or_else(|| self.no_operating_point())?;
            self.subgroups = Subgroups::of_comparisons(grouping, &all, groups, at, &self.resampling);
        }
        for (name, part) in parts {
            self.verify(name, Verification::new(part), fmrs, false);
        }
        Ok(())
    }

    fn verify(&mut self, name: String, all: Verification, fmrs: Option<&[Fmr]>, pooled: bool) {
        let (measured, unmeasured) = asked(fmrs, all.non_mated(), pooled);
        let (mated, non_mated) = (all.mated(), all.non_mated());
        self.curves.push(DetCurve { name: name.clone(), points: all.det(), non_mated });
        let measured = Measured::Verification { found: all.measure(&measured, &self.resampling), unmeasured };
        self.sets.push(Set { name, mated, non_mated, measured });
    }

    /// Measures the searches: pooled, each data set alone when there are several, and each group, where there are any.
    pub fn identification(
        &mut self,
        samples: &Samples,
        mut of_sets: Vec<Searched>,
        searching: &Searching,
        groups: Option<(&Grouping, &HashMap<u32, u32>)>,
    ) -> Result<(), Failure> {
        self.rates = Rates::Identification;
        if searching.mate_absent_only {
            let mated = of_sets.iter_mut().flat_map(|set| &mut set.searches).filter(|search| search.mate.is_some());
            mated.for_each(|search| search.strangers.clear());
        }
        let references = of_sets.iter().map(|set| set.references).sum::<u64>();
        let mean = references / of_sets.len().max(1) as u64;
        let pooled: Vec<Search> = of_sets.iter().flat_map(|set| set.searches.iter().cloned()).collect();
        let all = Identification::new(samples.subjects.clone(), mean, &pooled)?;
        self.misses = all.misses(20);
        self.identify(whole(samples), &all, &pooled, searching);
        if let Some((grouping, groups)) = groups.filter(|(grouping, _)| !grouping.columns().is_empty()) {
            let at = self.operating().ok_or_else(|| self.no_operating_point())?;
            let group = |probe: u32| groups.get(&probe).copied().unwrap_or_default();
            self.subgroups = Subgroups::of_searches(grouping, &all, group, searching.rank, at, &self.resampling);
        }
        if of_sets.len() > 1 {
            for Searched { name, references, searches } in of_sets {
                match Identification::new(samples.subjects.clone(), references, &searches) {
                    Ok(part) => self.identify(name, &part, &searches, searching),
                    // A data set without a search of one kind has no rates of its own.
                    Err(SearchesError::NoMatedSearch | SearchesError::NoNonMatedSearch) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn identify(&mut self, name: String, all: &Identification, searches: &[Search], searching: &Searching) {
        let (mated, non_mated) = (all.mated(), all.non_mated());
        self.curves.push(DetCurve { name: name.clone(), points: all.det(), non_mated });
        let is_absent = |search: &&Search| search.mate.is_none() && !search.strangers.is_empty();
        let measured = Measured::Identification {
            references: all.references(),
            mate_absent: searches.iter().filter(is_absent).count() as u64,
            fnir_at_fpir: all.measure(&searching.fpirs, searching.rank, &self.resampling),
            rank1_miss: all.rank1_miss(&self.resampling),
        };
        self.sets.push(Set { name, mated, non_mated, measured });
    }

    /// Where groups are compared: at the lowest rate of all together that thirty false positives carry, else at the
    /// highest measured.
    fn operating(&self) -> Option<Operating> {
        let lines: Vec<(f64, f32, u64)> = match &self.sets.first()?.measured {
            Measured::Verification { found, .. } => {
                found.fnmr_at_fmr.iter().map(|l| (l.asked.value(), l.threshold, l.false_matches)).collect()
            }
            Measured::Identification { fnir_at_fpir, .. } => fnir_at_fpir
                .iter()
                .filter_map(|l| l.measured.map(|m| (l.asked.value(), m.threshold, m.false_positives)))
                .collect(),
        };
        let by_rate = |a: &&(f64, f32, u64), b: &&(f64, f32, u64)| a.0.total_cmp(&b.0);
        let carried = lines.iter().filter(|line| line.2 >= 30).min_by(by_rate);
        let &(asked, threshold, _) = carried.or_else(|| lines.iter().max_by(by_rate))?;
        Some(Operating { rates: self.rates, asked, threshold, shown: self.threshold(threshold) })
    }

    fn no_operating_point(&self) -> Failure {
        let option = match self.rates {
            Rates::Verification => "--fmr",
            Rates::Identification => "--fpir",
        };
        Failure::new(format!(
            "--by: no rate asked for can be measured, so groups have no threshold; ask for a higher {option}"
        ))
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
        object["missing"] = json!(self.missing);
        object["by"] = self.subgroups.iter().map(Subgroups::to_json).collect();
        if self.rates == Rates::Identification {
            object["growth"] =
                json!(self.growth.as_ref().map(|growth| growth.to_json(|threshold| self.threshold(threshold))));
            object["miss_by_rank"] = self.misses.iter().map(|m| m.value()).collect();
        }
        object
    }

    /// For people: rates in percent, what they rest on, and what to try next.
    pub fn to_table(&self) -> String {
        let mut text = self.comparator.clone();
        if self.is_resampled() {
            let _ = write!(text, ": {} samples of {} subjects", self.samples, self.subjects);
        }
        if self.scale.is_none() && self.is_resampled() {
            let (failed, per_s) = (self.failures_to_enrol, self.effort.per_second_and_core());
            let _ = write!(text, ", {failed} failed to enrol; {per_s:.0} comparisons a second and core");
        }
        text.push('\n');
        if self.missing > 0 {
            let _ = writeln!(text, "{} comparisons without a score, counted as asked", self.missing);
        }
        for set in &self.sets {
            let _ = write!(text, "\n{}: ", set.name);
            set.print(self, &mut text);
        }
        self.subgroups.iter().for_each(|subgroups| subgroups.print(&mut text));
        self.growth.iter().for_each(|growth| growth.print(&mut text));
        if !self.is_resampled() {
            text.push_str(
                "\nIn brackets 95 % intervals (Clopper-Pearson), as if comparisons were independent: of one subject they are \
                 not.\n",
            );
            return text;
        }
        let _ = writeln!(
            text,
            "\nIn brackets 95 % intervals: {} resamples of the subjects. --report FILE writes a page with the curves, --json is for scripts.",
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

    pub fn to_growth_csv(&self) -> String {
        self.growth.as_ref().map(Growth::to_csv).unwrap_or_default()
    }

    pub fn to_svg(&self) -> String {
        let title = match self.is_resampled() {
            true => format!("{}, {} subjects", self.comparator, self.subjects),
            false => self.comparator.clone(),
        };
        DetPlot { title, rates: self.rates, curves: self.curves.clone() }.to_svg()
    }
}

/// The rates that are measured, and those that so many non-mated comparisons do not carry.
pub(super) fn asked(fmrs: Option<&[Fmr]>, non_mated: u64, pooled: bool) -> (Vec<Fmr>, Vec<Fmr>) {
    // Unless rates are asked for: the promised three, further decades while thirty errors are left; of a part only what
    // ten errors carry.
    let n = non_mated as f64;
    let wanted = |&(decade, rate): &(i32, f64)| if pooled { decade <= 4 || rate * n >= 30.0 } else { rate * n >= 10.0 };
    let decades = || (2..=7).map(|decade| (decade, 10f64.powi(-decade))).filter(wanted);
    let asked = fmrs.map_or_else(|| decades().filter_map(|(_, rate)| Fmr::new(rate).ok()).collect(), <[Fmr]>::to_vec);
    // A rate of less than one comparison could only be kept by none: that is no measurement of it.
    asked.iter().partition(|fmr| fmr.value() * n >= 1.0)
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
            Measured::Verification { found: VerificationMeasures { eer, fnmr_at_fmr }, unmeasured } => {
                object["fmr_not_measured"] = unmeasured.iter().map(|fmr| fmr.value()).collect();
                object["eer"] = json!(eer.rate);
                object["eer_threshold"] = json!(findings.threshold(eer.threshold));
                object["eer_ci95"] = interval(eer.ci95);
                object["fnmr_at_fmr"] = fnmr_at_fmr.iter().map(|l| fnmr_json(l, findings)).collect();
                object["fnir_at_fpir"] = json!([]);
                object["rank1_miss"] = Value::Null;
            }
            Measured::Identification { references, mate_absent, fnir_at_fpir, rank1_miss } => {
                object["references"] = json!(references);
                object["non_mated_with_mate_absent"] = json!(mate_absent);
                object["eer"] = Value::Null;
                object["fnmr_at_fmr"] = json!([]);
                object["fnir_at_fpir"] =
                    fnir_at_fpir.iter().map(|l| fnir_json(l, |threshold| findings.threshold(threshold))).collect();
                object["rank1_miss"] = json!(rank1_miss.rate());
                object["rank1_errors"] = json!(rank1_miss.errors);
                object["rank1_ci95"] = interval(rank1_miss.ci95);
            }
        }
        object
    }

    fn print(&self, findings: &Findings, text: &mut String) {
        match &self.measured {
            Measured::Verification { found: VerificationMeasures { eer, fnmr_at_fmr }, unmeasured } => {
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
                for fmr in unmeasured {
                    let name = format!("FNMR at FMR {:e}", fmr.value());
                    let _ = writeln!(text, "  {name:<18} not measured: less than one false match would be allowed");
                }
            }
            Measured::Identification { references, mate_absent, fnir_at_fpir, rank1_miss } => {
                let _ = writeln!(
                    text,
                    "{} mated and {} non-mated searches of a gallery of {references}; of the non-mated, {mate_absent} had \
                     no mate in it and {} had it set aside",
                    self.mated,
                    self.non_mated,
                    self.non_mated - mate_absent
                );
                let missed = line("Rank-1 miss", rank1_miss.rate(), rank1_miss.ci95);
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
                            findings.threshold(m.threshold),
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

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::super::samples::Entry;
    use super::super::searched::searches;
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
        let mut findings = findings(&samples).after(effort);
        findings.verification(&samples, pairs, None, None).unwrap();
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
        let page = findings.to_html();
        assert!(
            page.contains("900 mated and 31\u{202f}320 non-mated comparisons") && page.matches("<svg").count() == 2
        );
        assert!(page.contains("few false matches: indicative") && page.contains(">FNMR at FMR 1e-3<"));
        assert!(findings.to_table().contains("FNMR at FMR 1e-3") && findings.to_table().contains("few: indicative"));
    }

    #[test]
    fn identification_keeps_the_contract() {
        let (samples, noise) = samples();
        let (matrices, effort) = compare_with_galleries(&samples, &noise).unwrap();
        let mut findings = findings(&samples).after(effort);
        let of_sets = samples.datasets.iter().zip(&matrices).map(|(set, matrix)| searches(&samples, set, matrix));
        let fpirs = [0.1, 0.01].map(|rate| khop_vocabulary::Fpir::new(rate).unwrap()).to_vec();
        let searching = Searching { rank: None, fpirs, mate_absent_only: false };
        findings.identification(&samples, of_sets.collect(), &searching, None).unwrap();
        let found = findings.to_json();
        assert_eq!((&found["mated"], &found["non_mated"]), (&json!(300), &json!(360)));
        assert_eq!((&found["references"], &found["eer"]), (&json!(30), &Value::Null));
        let lines = found["fnir_at_fpir"].as_array().unwrap();
        assert_eq!(lines[0]["fpir"], json!(0.1));
        assert!(lines[0]["fnir"].is_number() && lines[0]["errors"].is_number() && lines[0]["ci95"].is_array());
        assert!(lines[1]["fnir"].is_null() && lines[1]["fpir"] == json!(0.01), "3.6 errors carry no rate");
        assert_eq!(found["rank1_miss"], found["miss_by_rank"][0]);
        assert_eq!(found["miss_by_rank"].as_array().unwrap().len(), 20);
        let page = findings.to_html();
        assert!(page.contains("Mates found up to a rank") && page.contains("not measured: too few false positives"));
        assert!(findings.to_table().contains("not measured: fewer than ten false"));
        assert!(findings.to_cmc_csv().starts_with("rank,miss,hit\n1,"));
    }
}
