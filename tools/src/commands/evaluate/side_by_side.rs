//! How do engines stand beside each other? Their rates on the same comparisons, and how far each is from the first.

use std::fmt::Write;

use khop_evaluate::report::{DetCurve, Rates};
use khop_evaluate::{
    Comparison, Comparisons, DetPlot, Difference, Interval, Paired, PairedMeasures, Resampling, Verification,
};
use khop_vocabulary::Fmr;
use serde_json::{Value, json};

use super::joint::Joint;
use super::page::{Cell, Page};
use super::scale::Scale;
use crate::failure::Failure;

/// What was found.
pub struct SideBySide {
    engines: Vec<Standing>,
    subjects: usize,
    resampling: Resampling,
    /// All comparisons, then each data set's, where asked for.
    parts: Vec<Part>,
    curves: Vec<DetCurve>,
}

/// An engine apart from its rates.
struct Standing {
    name: String,
    scale: Scale,
    missing: usize,
}

/// One set of comparisons and what every engine made of it.
struct Part {
    name: String,
    mated: u64,
    non_mated: u64,
    measured: Vec<Fmr>,
    /// Rates of which not one non-mated comparison would be left.
    unmeasured: Vec<Fmr>,
    found: PairedMeasures,
}

/// One engine's value of one rate.
struct Line {
    rate: f64,
    ci95: Interval,
    errors: Option<u64>,
    false_matches: Option<u64>,
    threshold: f32,
    /// From the first engine; `None` of the first.
    difference: Option<Difference>,
}

const ALL: &str = "all";
/// FNMR of a part of the comparisons is asked for at this FMR.
const OF_PARTS: f64 = 1e-2;

impl SideBySide {
    pub fn measure(joint: Joint, fmrs: &[Fmr], by_dataset: bool, resampling: Resampling) -> Result<Self, Failure> {
        let Joint { subjects, datasets, engines, .. } = joint;
        let mut parts = Vec::new();
        let (standings, comparisons): (Vec<Standing>, Vec<Comparisons>) = engines
            .into_iter()
            .map(|e| (Standing { name: e.name, scale: e.scale, missing: e.missing }, e.comparisons))
            .unzip();
        let within = |dataset: usize| -> Option<Vec<Verification>> {
            let is_within = |c: &Comparison| subjects.strata()[subjects.of(c.probe) as usize] as usize == dataset;
            let of = |list: &[Comparison]| list.iter().copied().filter(is_within).collect();
            let part = |c: &Comparisons| Comparisons::new(subjects.clone(), of(c.mated()), of(c.non_mated())).ok();
            comparisons.iter().map(|c| part(c).map(Verification::new)).collect()
        };
        let of_sets: Vec<_> = match by_dataset && datasets.len() > 1 {
            // A data set without a pair of one kind has no rates of its own.
            true => (0..datasets.len()).filter_map(|set| Some((datasets[set].clone(), within(set)?))).collect(),
            false => Vec::new(),
        };
        let all = Paired::new(comparisons.into_iter().map(Verification::new).collect())?;
        let curve = |(engine, v): (&Standing, &Verification)| DetCurve {
            name: engine.name.clone(),
            points: v.det(),
            non_mated: v.non_mated(),
        };
        let curves = standings.iter().zip(all.verifications()).map(curve).collect();
        parts.push(Part::measure(ALL.to_owned(), &all, fmrs, &resampling));
        let of_parts: Vec<Fmr> = fmrs.iter().copied().filter(|fmr| fmr.value() == OF_PARTS).collect();
        for (name, verifications) in of_sets {
            parts.push(Part::measure(name, &Paired::new(verifications)?, &of_parts, &resampling));
        }
        Ok(Self { engines: standings, subjects: subjects.count(), resampling, parts, curves })
    }

    pub fn to_json(&self) -> Value {
        let mut parts = self.parts.iter().map(|part| part.to_json(&self.engines));
        let mut object = parts.next().unwrap_or_else(|| json!({}));
        object["measure"] = json!("compare");
        object["subjects"] = json!(self.subjects);
        object["bootstrap"] = json!({"resamples": self.resampling.resamples, "seed": self.resampling.seed});
        object["datasets"] = parts.collect();
        object
    }

    /// `dataset,engine,rate,value,low,high,errors,trials,difference,difference_low,difference_high`, a line a rate;
    /// `rate` is `eer` or the FMR at which `value` is the FNMR.
    pub fn to_csv(&self) -> Result<String, Failure> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header = vec!["dataset", "engine", "rate", "value", "low", "high", "errors", "trials"];
        header.extend(["difference", "difference_low", "difference_high"]);
        writer.write_record(header)?;
        for part in &self.parts {
            for (index, engine) in self.engines.iter().enumerate() {
                for (rate, line) in part.lines(index) {
                    let mut record = vec![part.name.clone(), engine.name.clone()];
                    record.push(rate.map_or("eer".to_owned(), |fmr| format!("{:e}", fmr.value())));
                    record.extend([line.rate, line.ci95.low, line.ci95.high].map(|v| v.to_string()));
                    record.push(line.errors.map_or(String::new(), |errors| errors.to_string()));
                    record.push(part.mated.to_string());
                    let numbers = line.difference.map(|d| [d.rate, d.ci95.low, d.ci95.high]);
                    record.extend((0..3).map(|i| numbers.map_or(String::new(), |n| n[i].to_string())));
                    writer.write_record(&record)?;
                }
            }
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }

    pub fn to_svg(&self) -> String {
        let title = format!("{} engines, {} subjects", self.engines.len(), self.subjects);
        DetPlot { title, rates: Rates::Verification, curves: self.curves.clone() }.to_svg()
    }

    /// One page of HTML that needs nothing else.
    pub fn to_html(&self) -> String {
        let names: Vec<&str> = self.engines.iter().map(|engine| engine.name.as_str()).collect();
        let (first, subjects) = (names.first().copied().unwrap_or_default(), self.subjects);
        let lead = format!("The same comparisons of {subjects} subjects by every engine. Measures of ISO/IEC 19795-1.");
        let mut page = Page::new(&names.join(" and "), &lead);
        page.heading("Trade-off of errors");
        page.drawing(&self.to_svg());
        page.heading("Rates");
        for engine in self.engines.iter().filter(|engine| engine.missing > 0) {
            page.note(&format!("{}: {} comparisons without a score, counted as asked.", engine.name, engine.missing));
        }
        for part in &self.parts {
            let rows = self.engines.iter().enumerate().flat_map(|(index, engine)| {
                part.lines(index).into_iter().map(move |(rate, line)| line.cells(&engine.name, rate))
            });
            let mut rows: Vec<(usize, Vec<Cell>)> = rows.enumerate().collect();
            // Engine under engine, rate by rate.
            let rates = 1 + part.measured.len();
            rows.sort_by_key(|(place, _)| place % rates);
            let rows: Vec<Vec<Cell>> = rows.into_iter().map(|(_, cells)| cells).collect();
            let caption = format!("{}: {} mated and {} non-mated comparisons", part.name, part.mated, part.non_mated);
            let difference = format!("difference from {first}");
            page.table(&caption, &["measure", "engine", "rate, %", "errors", &difference, ""], &rows);
            for fmr in &part.unmeasured {
                let rate = fmr.value();
                page.note(&format!("FNMR at FMR {rate:e}: not measured, so many non-mated comparisons are too few."));
            }
        }
        page.heading("How it was counted");
        page.note(&format!(
            "In brackets 95 % intervals: {} resamples of the subjects (seed {}), the same for all engines, each one's \
             threshold found anew. A difference whose interval leaves out 0 is called settled.",
            self.resampling.resamples, self.resampling.seed
        ));
        page.finish()
    }

    /// For people: rates in percent, a block each.
    pub fn to_tables(&self) -> String {
        let Some(all) = self.parts.first() else { return String::new() };
        let mut text = format!(
            "{} engines on {} mated and {} non-mated comparisons of {} subjects\n",
            self.engines.len(),
            all.mated,
            all.non_mated,
            self.subjects
        );
        for engine in self.engines.iter().filter(|engine| engine.missing > 0) {
            let _ = writeln!(text, "{}: {} comparisons without a score, counted as asked", engine.name, engine.missing);
        }
        let width = self.engines.iter().map(|engine| engine.name.chars().count()).max().unwrap_or(0);
        let rates: Vec<Option<Fmr>> = all.lines(0).into_iter().map(|(rate, _)| rate).collect();
        for (place, rate) in rates.iter().enumerate() {
            let title = rate.map_or("EER".to_owned(), |fmr| format!("FNMR at FMR {:e}", fmr.value()));
            let _ = writeln!(text, "\n{title}, %");
            for (index, engine) in self.engines.iter().enumerate() {
                let line = &all.lines(index)[place].1;
                let _ = writeln!(text, "  {:<width$}  {}", engine.name, line.shown(all.mated));
            }
        }
        for fmr in &all.unmeasured {
            let (rate, trials) = (fmr.value(), all.non_mated);
            let _ = writeln!(text, "\nFNMR at FMR {rate:e}: not measured, {trials} non-mated comparisons are too few");
        }
        if self.parts.len() > 1 {
            self.print_parts(width, &mut text);
        }
        let _ = writeln!(
            text,
            "\nIn brackets 95 % intervals: {} resamples of the subjects, the same for all engines. +/- is the difference\n\
             from {}, with its own interval; * where that leaves out 0.",
            self.resampling.resamples, self.engines[0].name
        );
        text
    }

    fn print_parts(&self, width: usize, text: &mut String) {
        let parts = &self.parts[1..];
        let column = parts.iter().map(|part| part.name.chars().count()).max().unwrap_or(0).max(14);
        let has_fnmr = parts.iter().all(|part| !part.measured.is_empty());
        let title = if has_fnmr { "EER / FNMR at FMR 1e-2, %" } else { "EER, %" };
        let _ = write!(text, "\nBy data set: {title}\n  {:width$}", "");
        parts.iter().for_each(|part| _ = write!(text, "  {:>column$}", part.name));
        text.push('\n');
        for (index, engine) in self.engines.iter().enumerate() {
            let _ = write!(text, "  {:<width$}", engine.name);
            for part in parts {
                let lines = part.lines(index);
                let shown: Vec<String> = lines.iter().map(|(_, line)| format!("{:.2}", line.rate * 100.0)).collect();
                let star = if lines[0].1.difference.is_some_and(|d| d.is_settled()) { "*" } else { " " };
                let _ = write!(text, "  {:>column$}", format!("{}{star}", shown.join(" / ")));
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
    }
}

impl Part {
    fn measure(name: String, paired: &Paired, fmrs: &[Fmr], resampling: &Resampling) -> Self {
        let [mated, non_mated] =
            [Verification::mated, Verification::non_mated].map(|of| of(&paired.verifications()[0]));
        // A rate of less than one comparison could only be kept by none: that is no measurement of it.
        let (measured, unmeasured): (Vec<Fmr>, Vec<Fmr>) =
            fmrs.iter().partition(|fmr| fmr.value() * non_mated as f64 >= 1.0);
        let found = paired.measure(&measured, resampling);
        Self { name, mated, non_mated, measured, unmeasured, found }
    }

    /// The EER, then FNMR at each FMR, of one engine.
    fn lines(&self, engine: usize) -> Vec<(Option<Fmr>, Line)> {
        let (measures, differences) =
            (&self.found.measures[engine], engine.checked_sub(1).map(|other| &self.found.differences[other]));
        let eer = Line {
            rate: measures.eer.rate,
            ci95: measures.eer.ci95,
            errors: None,
            false_matches: None,
            threshold: measures.eer.threshold,
            difference: differences.map(|d| d.eer),
        };
        let of_fmr = |(place, l): (usize, &khop_evaluate::FnmrAtFmr)| {
            let line = Line {
                rate: l.fnmr.value(),
                ci95: l.ci95,
                errors: Some(l.errors),
                false_matches: Some(l.false_matches),
                threshold: l.threshold,
                difference: differences.map(|d| d.fnmr_at_fmr[place]),
            };
            (Some(l.asked), line)
        };
        std::iter::once((None, eer)).chain(measures.fnmr_at_fmr.iter().enumerate().map(of_fmr)).collect()
    }

    fn to_json(&self, engines: &[Standing]) -> Value {
        let one = |(index, engine): (usize, &Standing)| {
            let mut lines = self.lines(index).into_iter().map(|(rate, line)| line.to_json(rate, &engine.scale));
            let eer = lines.next();
            json!({"name": engine.name, "missing": engine.missing, "eer": eer, "fnmr_at_fmr": lines.collect::<Vec<_>>()})
        };
        let unmeasured: Vec<f64> = self.unmeasured.iter().map(|fmr| fmr.value()).collect();
        json!({
            "name": self.name, "mated": self.mated, "non_mated": self.non_mated,
            "engines": engines.iter().enumerate().map(one).collect::<Vec<_>>(), "fmr_not_measured": unmeasured,
        })
    }
}

impl Line {
    fn to_json(&self, fmr: Option<Fmr>, scale: &Scale) -> Value {
        let mut object = json!({
            "rate": self.rate, "ci95": [self.ci95.low, self.ci95.high], "threshold": scale.score(self.threshold),
        });
        if let Some(fmr) = fmr {
            object["fmr"] = json!(fmr.value());
            object["errors"] = json!(self.errors);
            object["false_matches"] = json!(self.false_matches);
        }
        if let Some(d) = self.difference {
            object["difference"] =
                json!({"rate": d.rate, "ci95": [d.ci95.low, d.ci95.high], "settled": d.is_settled()});
        }
        object
    }

    fn cells(&self, engine: &str, fmr: Option<Fmr>) -> Vec<Cell> {
        let [rate, low, high] = [self.rate, self.ci95.low, self.ci95.high].map(|r| r * 100.0);
        let difference = self.difference.map_or(String::new(), |d| {
            let [rate, low, high] = [d.rate, d.ci95.low, d.ci95.high].map(|r| r * 100.0);
            format!("{rate:+.2} [{low:+.2}; {high:+.2}]")
        });
        let mut notes = Vec::new();
        notes.extend(self.difference.filter(Difference::is_settled).map(|_| "settled".to_owned()));
        notes.extend(self.false_matches.filter(|&count| count < 30).map(|n| format!("{n} false matches: indicative")));
        vec![
            Cell::Text(fmr.map_or("EER".into(), |fmr| format!("FNMR at FMR {:e}", fmr.value()))),
            Cell::Text(engine.into()),
            Cell::Number(format!("{rate:.2} [{low:.2}–{high:.2}]")),
            Cell::Number(self.errors.map_or(String::new(), |errors| errors.to_string())),
            Cell::Number(difference),
            Cell::Text(notes.join(", ")),
        ]
    }

    /// ` 5.54 [3.12–8.04]  62 of 1120   +3.13 [+0.98; +5.71] *`
    fn shown(&self, mated: u64) -> String {
        let [rate, low, high] = [self.rate, self.ci95.low, self.ci95.high].map(|r| r * 100.0);
        let interval = format!("[{low:.2}–{high:.2}]");
        let mut text = format!("{rate:>6.2} {interval:<14}");
        if let Some(errors) = self.errors {
            let _ = write!(text, "  {:>14}", format!("{errors} of {mated}"));
        }
        if let Some(d) = self.difference {
            let [rate, low, high] = [d.rate, d.ci95.low, d.ci95.high].map(|r| r * 100.0);
            let star = if d.is_settled() { " *" } else { "" };
            let _ = write!(text, "  {rate:>+6.2} [{low:+.2}; {high:+.2}]{star}");
        }
        if let Some(count) = self.false_matches.filter(|&count| count < 30) {
            let _ = write!(text, "  (false matches: {count}, indicative)");
        }
        text.trim_end().to_owned()
    }
}
