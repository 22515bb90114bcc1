//! Why was it searched this way, and what may have been missed? The plan of the scan, its guarantee, its rows by stage.

use std::fmt;

use khop_index::{Guarantee, Plan, Tally};

/// What a search says about its scan of faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What holds for all parts together.
    pub guarantee: Guarantee,
    /// Rows of face planes by stage, all parts together.
    pub tally: Tally,
    /// How they were scanned, and why so; `None` where no face plane was scanned.
    pub plan: Option<Plan>,
}

impl Default for Explanation {
    /// Of a search that scanned no plane of faces: whoever it looked at was compared.
    fn default() -> Self {
        Self { guarantee: Guarantee::Exhaustive, tally: Tally::default(), plan: None }
    }
}

impl Explanation {
    /// Of a search by this plan, whose parts said this of themselves.
    pub(crate) fn of(plan: Option<Plan>, parts: impl Iterator<Item = (Guarantee, Tally)>) -> Self {
        let none = (Guarantee::Exhaustive, Tally::default());
        let (guarantee, tally) = parts.fold(none, |(g, t), (guarantee, tally)| (g.and(guarantee), t.and(tally)));
        Self { guarantee, tally, plan }
    }

    /// Of two searches together; the first one's plan, where it has one.
    pub(crate) fn and(self, other: Self) -> Self {
        let plan = self.plan.or(other.plan);
        Self { guarantee: self.guarantee.and(other.guarantee), tally: self.tally.and(other.tally), plan }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(plan) = &self.plan else {
            return f.write_str("no face plane was scanned: everybody was compared in full");
        };
        writeln!(f, "{}", self.guarantee)?;
        let Tally { rows, compared, .. } = self.tally;
        writeln!(f, "{rows} faces looked at, {compared} of them in the byte plane")?;
        write!(f, "{plan}")
    }
}
