//! What did one engine say of which pair? The rows of a score file, in the order of their samples.

use super::grouping::Grouping;
use super::score_file::{Engine, Pair, Row, SampleNames, read};
use crate::failure::Failure;

/// Whether a pair is the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A comparison is.
    Either,
    /// In a search the probe looks for the reference.
    ProbeFirst,
}

/// The rows of a score file, ascending by pair, each pair once.
pub struct Sheet {
    rows: Vec<Row>,
    unit: &'static str,
}

impl Sheet {
    /// Reads a file, its rows in any order. A pair that it lists twice is a failure that names both lines; so is a file
    /// without a row.
    pub fn read(
        engine: &Engine,
        names: &mut SampleNames,
        grouping: &mut Grouping,
        direction: Direction,
    ) -> Result<Self, Failure> {
        let mut rows = Vec::new();
        let unit = read(&engine.path, names, grouping, |mut row| {
            if direction == Direction::Either {
                row.pair = (row.pair.0.min(row.pair.1), row.pair.0.max(row.pair.1));
            }
            rows.push(row);
        })?;
        if rows.is_empty() {
            return Err(Failure::at(&engine.path)("expected at least one row, got the header alone"));
        }
        rows.sort_unstable_by_key(|row| (row.pair, row.number));
        let twice = rows.windows(2).filter(|w| w[0].pair == w[1].pair).min_by_key(|w| w[1].number);
        if let Some([first, second]) = twice {
            let [a, b] = [first.pair.0, first.pair.1].map(|sample| &names.samples[sample as usize].name);
            let (first, second) = (first.number, second.number);
            let what = format!("{a} and {b} are compared on {unit} {first} and again on {unit} {second}");
            return Err(Failure::at(&engine.path)(what));
        }
        Ok(Self { rows, unit })
    }

    /// All rows, ascending by pair.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of a pair.
    pub fn find(&self, pair: Pair) -> Option<&Row> {
        self.rows.binary_search_by_key(&pair, |row| row.pair).ok().map(|place| &self.rows[place])
    }

    /// What the numbers of rows count: lines from 1, or rows from 0.
    pub fn unit(&self) -> &'static str {
        self.unit
    }
}
