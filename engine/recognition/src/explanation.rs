//! Why was it searched this way, and what may have been missed? The plan of the scans, their guarantee, rows by stage.

use std::fmt;

use khop_index::{Guarantee, Plan, Tally};

/// What a search says about its scans.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What holds for all parts together.
    pub guarantee: Guarantee,
    /// Rows of face planes by stage, all parts together.
    pub tally: Tally,
    /// How they were scanned, and why so; `None` where no face plane was scanned.
    pub plan: Option<Plan>,
    /// People by stage of the scan of fingers; `None` where no finger codes were scanned.
    pub fingers: Option<FingerTally>,
}

/// How many people each stage of a scan of fingers looked at, all parts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FingerTally {
    /// In scope.
    pub people: u64,
    /// Whose codes were compared byte by byte: all, or those that the signs of the codes did not rule out.
    pub in_bytes: u64,
    /// Who was left then, to be compared by minutiae.
    pub kept: u64,
}

impl FingerTally {
    /// Of two parts together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            people: self.people + other.people,
            in_bytes: self.in_bytes + other.in_bytes,
            kept: self.kept + other.kept,
        }
    }
}

impl Default for Explanation {
    /// Of a search that scanned no plane of faces: whoever it looked at was compared.
    fn default() -> Self {
        Self { guarantee: Guarantee::Exhaustive, tally: Tally::default(), plan: None, fingers: None }
    }
}

impl Explanation {
    /// Of a search by this plan, whose parts said this of themselves.
    pub(crate) fn of(plan: Option<Plan>, parts: impl Iterator<Item = Said>) -> Self {
        let fold = |all: Self, part: Said| {
            let (guarantee, tally) = part.faces.unwrap_or((Guarantee::Exhaustive, Tally::default()));
            let fingers = both(all.fingers, part.fingers);
            Self { guarantee: all.guarantee.and(guarantee), tally: all.tally.and(tally), fingers, plan: all.plan }
        };
        parts.fold(Self { plan, ..Self::default() }, fold)
    }

    /// Of two searches together; the first one's plan, where it has one.
    pub(crate) fn and(self, other: Self) -> Self {
        let plan = self.plan.or(other.plan);
        let fingers = both(self.fingers, other.fingers);
        Self { guarantee: self.guarantee.and(other.guarantee), tally: self.tally.and(other.tally), plan, fingers }
    }
}

/// What the scans of one part say about themselves, each where it was made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said {
    pub(crate) faces: Option<(Guarantee, Tally)>,
    pub(crate) fingers: Option<FingerTally>,
}

fn both(a: Option<FingerTally>, b: Option<FingerTally>) -> Option<FingerTally> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (a, b) => a.or(b),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(FingerTally { people, in_bytes, kept }) = self.fingers {
            writeln!(f, "{people} people by the codes of their fingers, {in_bytes} of them byte by byte, {kept} kept")?;
        }
        let Some(plan) = &self.plan else {
            return f.write_str(match self.fingers {
                None => "nothing was scanned: everybody was compared in full",
                Some(_) => "no face plane was scanned",
            });
        };
        writeln!(f, "{}", self.guarantee)?;
        let Tally { rows, compared, .. } = self.tally;
        writeln!(f, "{rows} faces looked at, {compared} of them in the byte plane")?;
        write!(f, "{plan}")
    }
}
