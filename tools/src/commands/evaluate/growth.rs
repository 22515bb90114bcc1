//! How do FNIR and the time of a search grow with the gallery? The same probes, searched for in parts of it.
//!
//! A gallery of N is cut into as many parts of N/2, N/4, … as there are, eight at most; every probe is searched for in each
//! part. So few references are measured with as many searches as all of them.

use std::fmt::Write;

use khop_evaluate::chart::{Chart, ChartAxis, Line, Tick};
use khop_evaluate::{Counted, FnirAtFpir, Identification, Quantile, Resampling, Search, Subjects};
use serde_json::{Value, json};

use super::figures::{grouped, interval as shown, percent};
use super::page::{Cell, Page};
use super::samples::Samples;
use super::searched::SearchFile;
use super::searching::{Searching, fnir_json};
use super::subgroups::interval;
use super::trials::{Comparing, search_parts};
use crate::commands::bench::growth::time;
use crate::failure::Failure;

/// Parts of a gallery that are searched at most.
const PARTS: usize = 8;
/// The fewest references a part has, unless other sizes are asked for.
const FEWEST: usize = 200;

/// What was measured at each size, ascending.
pub struct Growth {
    threads: usize,
    sizes: Vec<AtSize>,
}

struct AtSize {
    references: usize,
    mated: u64,
    non_mated: u64,
    fnir_at_fpir: Vec<FnirAtFpir>,
    rank1_miss: Counted,
    /// Seconds of a search; `None` where every probe failed to enrol.
    median: Option<Quantile>,
    p99: Option<Quantile>,
}

impl Growth {
    /// Measures with a comparator at these sizes, or at the whole gallery, its half, its quarter and so on where none is
    /// given. Expects galleries in random order.
    ///
    /// # Errors
    /// A size that no gallery has, or at which nothing can be measured.
    pub fn of_comparing<C: Comparing>(
        samples: &Samples,
        comparing: &C,
        asked: &[usize],
        searching: &Searching,
        resampling: &Resampling,
    ) -> Result<Self, Failure> {
        let largest = samples.datasets.iter().map(|dataset| dataset.gallery.len()).max().unwrap_or(0);
        let search = |size: usize| search_parts(samples, comparing, size, PARTS);
        Self::measure((largest, search), &samples.subjects, asked, searching, resampling)
    }

    /// The same of the searches of a score file, whose time nobody knows.
    ///
    /// # Errors
    /// As of [`Growth::of_comparing`], and where the file holds candidate lists.
    pub fn of_file(
        file: &SearchFile,
        asked: &[usize],
        searching: &Searching,
        resampling: &Resampling,
    ) -> Result<Self, Failure> {
        let largest = file.answers.iter().map(|answers| answers.subjects.len()).max().unwrap_or(0);
        let search =
            |size: usize| (file.answers.iter().flat_map(|answers| answers.in_parts(size, PARTS)).collect(), Vec::new());
        Self::measure((largest, search), &file.samples.subjects, asked, searching, resampling)
    }

    fn measure(
        (largest, search): (usize, impl Fn(usize) -> (Vec<Search>, Vec<f64>)),
        subjects: &Subjects,
        asked: &[usize],
        searching: &Searching,
        resampling: &Resampling,
    ) -> Result<Self, Failure> {
        if let Some(wrong) = asked.iter().find(|size| !(2..=largest).contains(size)) {
            return Err(Failure::new(format!("--growth: expected sizes from 2 to {largest}, got {wrong}")));
        }
        let halves = (0..).map(|halvings| largest >> halvings).take_while(|&size| size >= FEWEST.min(largest.max(1)));
        let mut sizes = if asked.is_empty() { halves.collect() } else { asked.to_vec() };
        sizes.sort_unstable();
        sizes.dedup();
        let at = |references: usize| {
            let (mut searches, mut seconds) = search(references);
            if searching.mate_absent_only {
                searches.iter_mut().filter(|search| search.mate.is_some()).for_each(|search| search.strangers.clear());
            }
            let all = Identification::new(subjects.clone(), references as u64, &searches)
                .map_err(|cause| Failure::new(format!("--growth: galleries of {references}: {cause}")))?;
            Ok(AtSize {
                references,
                mated: all.mated(),
                non_mated: all.non_mated(),
                fnir_at_fpir: all.measure(&searching.fpirs, searching.rank, resampling),
                rank1_miss: all.rank1_miss(resampling),
                median: Quantile::of(&mut seconds, 0.5),
                p99: Quantile::of(&mut seconds, 0.99),
            })
        };
        let sizes = sizes.into_iter().map(at).collect::<Result<_, Failure>>()?;
        Ok(Self { threads: rayon::current_num_threads(), sizes })
    }

    /// `threshold` turns one into what is shown.
    pub fn to_json(&self, threshold: impl Fn(f32) -> f64) -> Value {
        let ms = |quantile: &Option<Quantile>| {
            quantile.map(|q| json!({"ms": 1e3 * q.value, "ci95": q.ci95.map(|seconds| 1e3 * seconds)}))
        };
        let size = |at: &AtSize| {
            json!({
                "references": at.references, "mated": at.mated, "non_mated": at.non_mated,
                "fnir_at_fpir": at.fnir_at_fpir.iter().map(|line| fnir_json(line, &threshold)).collect::<Vec<_>>(),
                "rank1_miss": at.rank1_miss.rate(), "rank1_errors": at.rank1_miss.errors,
                "rank1_ci95": interval(at.rank1_miss.ci95), "search_median": ms(&at.median), "search_p99": ms(&at.p99),
            })
        };
        json!({"threads": self.threads, "sizes": self.sizes.iter().map(size).collect::<Vec<_>>()})
    }

    /// One line a figure: `references,measure,value,low,high,errors,trials`; rates from 0 to 1, times in milliseconds.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("references,measure,value,low,high,errors,trials\n");
        for at in &self.sizes {
            let AtSize { references, mated, rank1_miss, .. } = at;
            let mut rate = |name: &str, value: f64, ci: khop_evaluate::Interval, errors: u64| {
                let _ = writeln!(text, "{references},{name},{value},{},{},{errors},{mated}", ci.low, ci.high);
            };
            rate("rank-1 miss", rank1_miss.rate(), rank1_miss.ci95, rank1_miss.errors);
            for line in &at.fnir_at_fpir {
                if let Some(found) = &line.measured {
                    let name = format!("FNIR at FPIR {:e}", line.asked.value());
                    rate(&name, found.fnir.value(), found.ci95, found.errors);
                }
            }
            for (name, quantile) in [("search median ms", at.median), ("search p99 ms", at.p99)] {
                if let Some(Quantile { value, ci95: [low, high] }) = quantile {
                    let _ = writeln!(text, "{references},{name},{},{},{},,", 1e3 * value, 1e3 * low, 1e3 * high);
                }
            }
        }
        text
    }

    /// A table: titles and a row for every size.
    fn rates(&self) -> Vec<Vec<String>> {
        let mut titles = ["references", "missed at rank 1"].map(str::to_owned).to_vec();
        let fpirs = self.sizes.first().map_or(&[][..], |at| &at.fnir_at_fpir);
        titles.extend(fpirs.iter().map(|line| format!("FNIR at FPIR {:e}", line.asked.value())));
        let rate = |rate: f64, ci| format!("{} {}", percent(rate), shown(rate, ci));
        let row = |at: &AtSize| {
            let mut row = vec![grouped(at.references as u64), rate(at.rank1_miss.rate(), at.rank1_miss.ci95)];
            row.extend(at.fnir_at_fpir.iter().map(|line| match &line.measured {
                None => "not measured".to_owned(),
                Some(found) => rate(found.fnir.value(), found.ci95),
            }));
            row
        };
        std::iter::once(titles).chain(self.sizes.iter().map(row)).collect()
    }

    /// A table of how much was searched, and how fast.
    fn times(&self) -> Vec<Vec<String>> {
        let mut titles = vec!["references", "mated searches", "non-mated searches"];
        if self.is_timed() {
            titles.extend(["median, ms", "99th percentile, ms"]);
        }
        let ms = |quantile: &Option<Quantile>| match quantile {
            None => String::new(),
            Some(Quantile { value, ci95: [low, high] }) => {
                format!("{} [{}–{}]", digits(1e3 * value), digits(1e3 * low), digits(1e3 * high))
            }
        };
        let row = |at: &AtSize| {
            let mut row = [at.references as u64, at.mated, at.non_mated].map(grouped).to_vec();
            if self.is_timed() {
                row.extend([ms(&at.median), ms(&at.p99)]);
            }
            row
        };
        std::iter::once(titles.into_iter().map(str::to_owned).collect()).chain(self.sizes.iter().map(row)).collect()
    }

    /// Whether anybody knows how long a search takes.
    fn is_timed(&self) -> bool {
        self.sizes.iter().any(|at| at.median.is_some())
    }

    pub fn print(&self, text: &mut String) {
        let timed =
            if self.is_timed() { format!("; times while {} threads search", self.threads) } else { String::new() };
        let _ = writeln!(text, "\nOver the size of the gallery{timed}");
        for table in [self.rates(), self.times()] {
            let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
            for row in &table {
                let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:>0$}", width(column)));
                let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
            }
        }
    }

    /// Two drawings and two tables.
    pub fn show(&self, page: &mut Page) {
        page.heading("Size of the gallery");
        let table = |caption: &str, rows: Vec<Vec<String>>, page: &mut Page| {
            let mut rows = rows.into_iter();
            let titles = rows.next().unwrap_or_default();
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let rows: Vec<Vec<Cell>> = rows.map(|row| row.into_iter().map(Cell::Number).collect()).collect();
            page.table(caption, &titles, &rows);
        };
        let is_drawn = self.sizes.len() > 1;
        if is_drawn {
            page.drawing(&self.fnir_chart().to_svg());
        }
        table("Mated searches that miss, with 95 % intervals", self.rates(), page);
        if is_drawn && self.is_timed() {
            page.drawing(&self.time_chart().to_svg());
        }
        table(
            if self.is_timed() { "Searches, and the time of one with 95 % intervals" } else { "Searches" },
            self.times(),
            page,
        );
        page.note(&format!(
            "The gallery was cut into parts of each size, {PARTS} at most, drawn at random, and every probe searched for in \
             each; of an FPIR the threshold is found anew at every size. Intervals are from resampled subjects."
        ));
        if self.is_timed() {
            page.note(&format!(
                "Times are of one search on one thread, comparing with every reference, while {} search at once; their \
                 intervals those of order statistics.",
                self.threads
            ));
        }
    }

    fn across(&self) -> ChartAxis {
        let tick = |at: &AtSize| Tick { at: (at.references as f64).log10(), label: grouped(at.references as u64) };
        ChartAxis { title: "References in the gallery".into(), ticks: self.sizes.iter().map(tick).collect() }
    }

    fn fnir_chart(&self) -> Chart {
        // No error has no place on a logarithmic axis: it is drawn at its end.
        let log = |rate: f64| rate.max(1e-9).log10();
        let line = |name: String, of: &dyn Fn(&AtSize) -> Option<(f64, khop_evaluate::Interval)>| {
            let mut line = Line::new(name, Vec::new());
            for at in &self.sizes {
                let across = (at.references as f64).log10();
                let found = of(at);
                line.points.push((across, found.map_or(f64::NAN, |(rate, _)| log(rate))));
                line.intervals.extend(found.map(|(_, ci)| (across, [log(ci.low), log(ci.high)])));
            }
            line
        };
        let mut lines = vec![line("missed at rank 1".into(), &|at| Some((at.rank1_miss.rate(), at.rank1_miss.ci95)))];
        let fpirs = self.sizes.first().map_or(&[][..], |at| &at.fnir_at_fpir);
        for (place, asked) in fpirs.iter().enumerate() {
            let fnir = line(format!("FNIR at FPIR {:e}", asked.asked.value()), &|at| {
                at.fnir_at_fpir[place].measured.map(|found| (found.fnir.value(), found.ci95))
            });
            lines.extend((!fnir.intervals.is_empty()).then_some(fnir));
        }
        let mated = self.sizes.iter().map(|at| at.mated).max().unwrap_or(1);
        let of_lines = lines.iter().flat_map(|line| line.intervals.iter().flat_map(|(_, ends)| *ends));
        let (low, high) = ends(of_lines.map(|end| end.max(log(1.0 / mated as f64))));
        Chart {
            title: "Misses over the size of the gallery".into(),
            across: self.across(),
            up: ChartAxis::decades("Mated searches that miss", low, high, share),
            lines,
        }
    }

    fn time_chart(&self) -> Chart {
        let line = |name: &str, of: fn(&AtSize) -> Option<Quantile>| {
            let mut line = Line::new(name, Vec::new());
            for at in &self.sizes {
                let (across, ms) = ((at.references as f64).log10(), |seconds: f64| (1e3 * seconds).log10());
                let Some(Quantile { value, ci95 }) = of(at) else { continue };
                line.points.push((across, ms(value)));
                line.intervals.push((across, ci95.map(ms)));
            }
            line
        };
        let lines = vec![line("median", |at| at.median), line("99th percentile", |at| at.p99)];
        let (low, high) = ends(lines.iter().flat_map(|line| line.intervals.iter().flat_map(|(_, ends)| *ends)));
        Chart {
            title: "Time of a search over the size of the gallery".into(),
            across: self.across(),
            up: ChartAxis::decades("Time of one search", low, high, time),
            lines,
        }
    }
}

/// The lowest and the highest of finite values; of none, those of one decade.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// `0.01 %`
fn share(decade: i32) -> String {
    format!("{} %", 100.0 * 10f64.powi(decade))
}

/// Three digits of a time.
fn digits(ms: f64) -> String {
    let decimals = (2 - ms.max(1e-9).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{ms:.decimals$}")
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use khop_vocabulary::Fpir;

    use super::super::samples::Entry;
    use super::super::searched::searches;
    use super::super::trials::compare_with_galleries;
    use super::*;

    /// Similarities from 0 to 1 by who is compared; of strangers few are high, so that the highest grows with their number.
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
                let noise = ((probe * 7919 + reference * 104_729) % 1009) as f32 / 1009.0;
                *out = if self.0[probe] == self.0[reference] { 0.2 + 0.8 * noise } else { noise.powi(400) };
            }
        }

        fn failures(&self) -> usize {
            0
        }
    }

    fn people(count: u32) -> (Samples, Noise) {
        let entry = |i: u32| Entry {
            dataset: "a".into(),
            stratum: "a".into(),
            subject: (i / 3).to_string(),
            number: (i % 3).to_string(),
            name: i.to_string(),
        };
        let samples = Samples::arrange(&(0..3 * count).map(entry).collect::<Vec<_>>()).unwrap().0;
        let samples = samples.scattered().unwrap().0;
        let noise = Noise((0..samples.names.len()).map(|s| samples.of(s)).collect());
        (samples, noise)
    }

    fn searching() -> Searching {
        let fpirs = [0.1, 0.01, 1e-4].map(|rate| Fpir::new(rate).unwrap()).to_vec();
        Searching { rank: None, fpirs, mate_absent_only: false }
    }

    const RESAMPLING: Resampling = Resampling { seed: 1, resamples: 40 };

    #[test]
    fn every_size_is_measured_with_all_that_is_there() {
        let (samples, noise) = people(850);
        let growth = Growth::of_comparing(&samples, &noise, &[], &searching(), &RESAMPLING).unwrap();
        let found: Vec<(usize, u64, u64)> =
            growth.sizes.iter().map(|at| (at.references, at.mated, at.non_mated)).collect();
        // Of 850 three are left over by four parts of 212: four of their samples, and they are 1,700 mates.
        assert_eq!(found, [(212, 1696, 4 * 2550), (425, 1700, 2 * 2550), (850, 1700, 2550)]);
        let misses: Vec<f64> = growth.sizes.iter().map(|at| at.rank1_miss.rate()).collect();
        assert!(misses[0] > 0.0 && misses.is_sorted() && misses[2] > 1.5 * misses[0], "{misses:?}");

        // At the whole gallery it is what the evaluation says without parts.
        let (matrices, _) = compare_with_galleries(&samples, &noise).unwrap();
        let whole = searches(&samples, &samples.datasets[0], &matrices[0]);
        let whole = Identification::new(samples.subjects.clone(), 850, &whole.searches).unwrap();
        assert_eq!(growth.sizes[2].fnir_at_fpir, whole.measure(&searching().fpirs, None, &RESAMPLING));
        assert_eq!(growth.sizes[2].rank1_miss, whole.rank1_miss(&RESAMPLING));
    }

    #[test]
    fn it_is_told_in_every_form() {
        let (samples, noise) = people(60);
        let growth = Growth::of_comparing(&samples, &noise, &[60, 20, 30, 20], &searching(), &RESAMPLING).unwrap();
        let json = growth.to_json(f64::from);
        assert_eq!(json["sizes"].as_array().unwrap().len(), 3);
        let [first, last] = [0, 2].map(|place| &json["sizes"][place]);
        assert_eq!((&first["references"], &last["references"]), (&json!(20), &json!(60)));
        assert!(first["search_median"]["ms"].as_f64() <= first["search_p99"]["ms"].as_f64(), "{first}");
        assert!(first["fnir_at_fpir"][2]["fnir"].is_null() && first["fnir_at_fpir"][0]["fnir"].is_number(), "{first}");
        let csv = growth.to_csv();
        assert!(csv.contains("\n20,rank-1 miss,") && csv.contains("\n60,search p99 ms,"), "{csv}");
        assert!(csv.lines().all(|line| line.matches(',').count() == 6), "{csv}");
        let mut page = Page::new("t", "l");
        growth.show(&mut page);
        let page = page.finish();
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains("not measured") && !page.contains("NaN"), "{page}");
        let mut text = String::new();
        growth.print(&mut text);
        assert_eq!(text.lines().count(), 10, "{text}");
        let refused = Growth::of_comparing(&samples, &noise, &[61], &searching(), &RESAMPLING).err().unwrap();
        assert_eq!(refused.to_string(), "--growth: expected sizes from 2 to 60, got 61");
        // A gallery that cannot be halved has one size and no curve.
        let whole = Growth::of_comparing(&samples, &noise, &[], &searching(), &RESAMPLING).unwrap();
        assert_eq!(whole.sizes.len(), 1);
        assert_eq!([-4, -1, 0].map(share), ["0.01 %", "10 %", "100 %"]);
    }
}
