//! Do rates differ between groups of people? Errors of each group at one threshold for all.

use std::fmt::Write;

use khop_evaluate::report::Rates;
use khop_evaluate::{Comparisons, Counted, Identification, Interval, Resampling};
use serde_json::{Value, json};

use super::grouping::Grouping;

/// Where the threshold stands.
#[derive(Debug, Clone, Copy)]
pub struct Operating {
    pub rates: Rates,
    /// The FMR or FPIR that was asked of all together.
    pub asked: f64,
    pub threshold: f32,
    /// As the report shows it.
    pub shown: f64,
}

/// The groups by one column.
pub struct Subgroups {
    column: String,
    at: Operating,
    groups: Vec<Subgroup>,
}

struct Subgroup {
    value: String,
    /// FNMR or FNIR; `None` without a mated trial.
    false_negatives: Option<Counted>,
    /// FMR or FPIR; `None` without a non-mated trial.
    false_positives: Option<Counted>,
}

impl Subgroups {
    /// Of comparisons; `groups` has the group of each mated and each non-mated one.
    pub fn of_comparisons(
        grouping: &Grouping,
        all: &Comparisons,
        groups: &[Vec<u32>; 2],
        at: Operating,
        resampling: &Resampling,
    ) -> Vec<Self> {
        let subjects = all.subjects();
        Self::each(grouping, at, |column, value| {
            let within = |list: usize, comparisons: &[khop_evaluate::Comparison]| {
                let of = groups[list].iter().map(|&group| grouping.value(group, column) == value);
                comparisons.iter().zip(of).filter(|(_, is_of)| *is_of).map(|(c, _)| *c).collect::<Vec<_>>()
            };
            let mated = within(0, all.mated());
            let trials: Vec<(u32, bool)> = mated.iter().map(|c| (c.probe, c.similarity < at.threshold)).collect();
            let non_mated = within(1, all.non_mated());
            Subgroup {
                value: value.to_owned(),
                false_negatives: Counted::of_samples(subjects, &trials, resampling),
                false_positives: Counted::of_pairs(subjects, &non_mated, at.threshold, resampling),
            }
        })
    }

    /// Of searches; `group` tells that of a probe.
    pub fn of_searches(
        grouping: &Grouping,
        all: &Identification,
        group: impl Fn(u32) -> u32,
        rank: Option<u32>,
        at: Operating,
        resampling: &Resampling,
    ) -> Vec<Self> {
        Self::each(grouping, at, |column, value| {
            let is_wanted = |probe: u32| grouping.value(group(probe), column) == value;
            Subgroup {
                value: value.to_owned(),
                false_negatives: all.false_negatives(rank, at.threshold, is_wanted, resampling),
                false_positives: all.false_positives(at.threshold, is_wanted, resampling),
            }
        })
    }

    fn each(grouping: &Grouping, at: Operating, measure: impl Fn(usize, &str) -> Subgroup) -> Vec<Self> {
        let of_column = |(index, by): (usize, &super::grouping::By)| Self {
            column: by.column.clone(),
            at,
            groups: grouping.values(index).into_iter().map(|value| measure(index, value)).collect(),
        };
        grouping.columns().iter().enumerate().map(of_column).collect()
    }

    pub fn to_json(&self) -> Value {
        let (positive, negative) = self.at.rates.names();
        let counted = |counted: &Option<Counted>| {
            counted.map(|c| {
                json!({"errors": c.errors, "trials": c.trials, "rate": c.rate(), "ci95": interval(c.ci95),
                       "binomial95": interval(c.binomial95)})
            })
        };
        let group = |group: &Subgroup| {
            let mut object = json!({"value": group.value});
            object[negative] = json!(counted(&group.false_negatives));
            object[positive] = json!(counted(&group.false_positives));
            object
        };
        json!({
            "column": self.column, positive: self.at.asked, "threshold": self.at.shown,
            "groups": self.groups.iter().map(group).collect::<Vec<_>>(),
        })
    }

    /// Column titles and a row for every group, for tables of any kind.
    pub fn rows(&self) -> (String, [String; 3], Vec<[String; 3]>) {
        let (positive, negative) = self.at.rates.names();
        let [positive, negative] = [positive, negative].map(str::to_uppercase);
        let title = format!(
            "By {}, at {}, the threshold of {positive} {:e} of all together",
            self.column, self.at.shown, self.at.asked
        );
        let shown = |counted: &Option<Counted>| match counted {
            None => "no trial".to_owned(),
            Some(c) => {
                let [rate, low, high] = [c.rate(), c.ci95.low, c.ci95.high].map(|r| r * 100.0);
                let decimals = if c.errors > 0 && rate < 1.0 { 4 } else { 2 };
                let of = format!("{} of {}", c.errors, c.trials);
                match c.errors {
                    0 => format!("no error in {}: below {high:.decimals$}", c.trials),
                    1..10 => format!("{rate:.decimals$} [{low:.decimals$}–{high:.decimals$}]  {of} (few: indicative)"),
                    _ => format!("{rate:.decimals$} [{low:.decimals$}–{high:.decimals$}]  {of}"),
                }
            }
        };
        let row = |g: &Subgroup| [g.value.clone(), shown(&g.false_negatives), shown(&g.false_positives)];
        let header = [self.column.clone(), format!("{negative} %"), format!("{positive} %")];
        (title, header, self.groups.iter().map(row).collect())
    }

    pub fn print(&self, text: &mut String) {
        let (title, header, rows) = self.rows();
        let _ = writeln!(text, "\n{title}");
        let all = || std::iter::once(&header).chain(&rows);
        let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [first, second] = [width(0), width(1)];
        all().for_each(|[value, negative, positive]| {
            let _ = writeln!(text, "  {value:<first$}  {negative:<second$}  {positive}");
        });
    }
}

/// Both ends, for scripts.
pub fn interval(ci: Interval) -> Value {
    json!([ci.low, ci.high])
}
