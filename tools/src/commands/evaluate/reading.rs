//! What does a reader of findings see? A page of them: what was asked first, the curves, the tables, how it was counted.

use khop_evaluate::VerificationMeasures;
use khop_evaluate::chart::{Chart, ChartAxis, Line};
use khop_evaluate::report::Rates;

use super::figures::{grouped, interval, percent};
use super::findings::{Findings, Measured, Set};
use super::page::{Cell, Page};

impl Findings {
    /// One page of HTML that needs nothing else.
    pub fn to_html(&self) -> String {
        let what = match self.rates {
            Rates::Verification => "verification",
            Rates::Identification => "identification",
        };
        let lead = match self.is_resampled() {
            true => format!(
                "{} samples of {} subjects, {} failed to enrol. Measures of ISO/IEC 19795-1.",
                grouped(self.samples as u64),
                grouped(self.subjects as u64),
                grouped(self.failures_to_enrol as u64)
            ),
            false => "Scores alone: whose they are is not known. Measures of ISO/IEC 19795-1.".into(),
        };
        let mut page = Page::new(&format!("{}: {what}", self.comparator), &lead);
        if let Some(all) = self.sets.first() {
            page.figures(&first_of_all(all));
        }
        if self.missing > 0 {
            page.note(&format!("{} comparisons had no score and count as asked.", grouped(self.missing as u64)));
        }
        page.heading("Trade-off of errors");
        page.drawing(&self.to_svg());
        page.note(
            "Left of the dashed vertical line fewer than thirty false positives stand behind a rate; the slanted line is \
             where both errors are equal.",
        );
        if !self.misses.is_empty() {
            page.heading("Rank of the mate");
            page.drawing(&self.cmc().to_svg());
        }
        if let Some(histogram) = &self.histogram {
            page.heading("Scores");
            page.drawing(&histogram.chart("Similarities of all comparisons", self.scale_title()).to_svg());
        }
        page.heading("Thresholds");
        for set in &self.sets {
            set.show(self, &mut page);
        }
        if !self.subgroups.is_empty() {
            page.heading("Groups");
        }
        for subgroups in &self.subgroups {
            let (title, titles, rows) = subgroups.rows();
            let row = |[name, negative, positive]: [String; 3]| {
                vec![Cell::Text(name), Cell::Number(negative), Cell::Number(positive)]
            };
            let titles = titles.each_ref().map(String::as_str);
            page.table(&title, &titles, &rows.into_iter().map(row).collect::<Vec<_>>());
        }
        if let Some(growth) = &self.growth {
            growth.show(&mut page);
        }
        page.heading("How it was counted");
        if !self.is_resampled() {
            page.note(
                "In brackets 95 % intervals (Clopper and Pearson), as if comparisons were independent. Those of one subject \
                 are not, so the intervals are narrower than they should be.",
            );
            return page.finish();
        }
        page.note(&format!(
            "In brackets 95 % intervals: {} resamples of the subjects (seed {}), within each data set, drawn with \
             replacement, each pair of subjects weighing as often as both were drawn; without an error they reach 3/n at \
             least. Binomial intervals (Clopper and Pearson) take comparisons to be independent, which those of one subject \
             are not, and are narrower than they should be.",
            self.resampling.resamples, self.resampling.seed
        ));
        page.note(
            "A similarity at or above a threshold is a match. An error rate at a false positive rate is the lowest whose \
             threshold keeps that rate at or below what was asked.",
        );
        page.finish()
    }

    fn scale_title(&self) -> &'static str {
        if self.scale.is_some() { "Place among all scores of the file" } else { "Similarity" }
    }

    fn cmc(&self) -> Chart {
        let point = |(rank, miss): (usize, &khop_vocabulary::Fnir)| ((rank + 1) as f64, 100.0 * (1.0 - miss.value()));
        let points: Vec<(f64, f64)> = self.misses.iter().enumerate().map(point).collect();
        let lowest = points.iter().map(|point| point.1).fold(100.0, f64::min);
        Chart {
            title: "Mates found up to a rank".into(),
            across: ChartAxis::even("Rank", 1.0, self.misses.len() as f64),
            up: ChartAxis::even("Mated searches, %", lowest.min(99.0), 100.0),
            lines: vec![Line::new("mates found", points)],
        }
    }
}

/// What is read first.
fn first_of_all(all: &Set) -> Vec<(String, String)> {
    match &all.measured {
        Measured::Verification { found: VerificationMeasures { eer, fnmr_at_fmr }, .. } => {
            let mut figures = vec![(percent(eer.rate), format!("equal error rate {}", interval(eer.rate, eer.ci95)))];
            for line in fnmr_at_fmr {
                let meaning =
                    format!("FNMR at FMR {:e} {}", line.asked.value(), interval(line.fnmr.value(), line.ci95));
                figures.push((percent(line.fnmr.value()), meaning));
            }
            figures.truncate(4);
            figures
        }
        Measured::Identification { fnir_at_fpir, rank1_miss, .. } => {
            let missed = format!("missed at rank 1 {}", interval(rank1_miss.rate(), rank1_miss.ci95));
            let mut figures = vec![(percent(rank1_miss.rate()), missed)];
            for line in fnir_at_fpir {
                if let Some(measured) = &line.measured {
                    let meaning = format!(
                        "FNIR at FPIR {:e} {}",
                        line.asked.value(),
                        interval(measured.fnir.value(), measured.ci95)
                    );
                    figures.push((percent(measured.fnir.value()), meaning));
                }
            }
            figures.truncate(4);
            figures
        }
    }
}

impl Set {
    /// A table of what was measured at which threshold.
    fn show(&self, findings: &Findings, page: &mut Page) {
        match &self.measured {
            Measured::Verification { found: VerificationMeasures { eer, fnmr_at_fmr }, unmeasured } => {
                let caption = format!(
                    "{}: {} mated and {} non-mated comparisons",
                    self.name,
                    grouped(self.mated),
                    grouped(self.non_mated)
                );
                let mut rows = vec![vec![
                    Cell::Text("equal error rate".into()),
                    Cell::Number(format!("{} {}", percent(eer.rate), interval(eer.rate, eer.ci95))),
                    Cell::Number(String::new()),
                    Cell::Number(findings.threshold(eer.threshold).to_string()),
                    Cell::Text(String::new()),
                ]];
                rows.extend(fnmr_at_fmr.iter().map(|line| {
                    let few = if line.false_matches < 30 { "few false matches: indicative" } else { "" };
                    vec![
                        Cell::Text(format!("FNMR at FMR {:e}", line.asked.value())),
                        Cell::Number(format!(
                            "{} {}",
                            percent(line.fnmr.value()),
                            interval(line.fnmr.value(), line.ci95)
                        )),
                        Cell::Number(format!("{} + {}", grouped(line.errors), grouped(line.false_matches))),
                        Cell::Number(findings.threshold(line.threshold).to_string()),
                        Cell::Text(few.into()),
                    ]
                }));
                rows.extend(unmeasured.iter().map(|fmr| not_measured(&format!("FNMR at FMR {:e}", fmr.value()))));
                let titles = ["measure", "rate and interval", "false non-matches + matches", "threshold", ""];
                page.table(&caption, &titles, &rows);
            }
            Measured::Identification { references, mate_absent, fnir_at_fpir, rank1_miss } => {
                let caption = format!(
                    "{}: {} mated and {} non-mated searches of a gallery of {}; of the non-mated, {} had no mate in it",
                    self.name,
                    grouped(self.mated),
                    grouped(self.non_mated),
                    grouped(*references),
                    grouped(*mate_absent)
                );
                let mut rows = vec![vec![
                    Cell::Text("missed at rank 1".into()),
                    Cell::Number(format!(
                        "{} {}",
                        percent(rank1_miss.rate()),
                        interval(rank1_miss.rate(), rank1_miss.ci95)
                    )),
                    Cell::Number(grouped(rank1_miss.errors)),
                    Cell::Number(String::new()),
                    Cell::Text(String::new()),
                ]];
                rows.extend(fnir_at_fpir.iter().map(|line| {
                    let name = format!("FNIR at FPIR {:e}", line.asked.value());
                    let Some(measured) = &line.measured else { return not_measured(&name) };
                    vec![
                        Cell::Text(name),
                        Cell::Number(format!(
                            "{} {}",
                            percent(measured.fnir.value()),
                            interval(measured.fnir.value(), measured.ci95)
                        )),
                        Cell::Number(format!("{} + {}", grouped(measured.errors), grouped(measured.false_positives))),
                        Cell::Number(findings.threshold(measured.threshold).to_string()),
                        Cell::Text(format!("selectivity {:.3}", measured.selectivity)),
                    ]
                }));
                let titles = ["measure", "rate and interval", "misses + false positives", "threshold", ""];
                page.table(&caption, &titles, &rows);
            }
        }
    }
}

fn not_measured(name: &str) -> Vec<Cell> {
    let none = || Cell::Number(String::new());
    let why = "not measured: too few false positives";
    vec![Cell::Text(name.into()), none(), none(), none(), Cell::Text(why.into())]
}
