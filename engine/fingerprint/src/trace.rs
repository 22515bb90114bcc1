//! Why this similarity? One comparison as it was seen, for people to look at: both fingers, the pairing, the terms.

use khop_vocabulary::MinutiaKind;

use crate::alignment::Alignment;
use crate::constellation::Constellation;
use crate::pairing::Pairing;
use crate::template::Point;
use crate::terms::Terms;

/// What a comparison saw, made by [`Comparator::trace`](crate::Comparator::trace).
///
/// Holds the minutiae of both fingers: treat it as you treat templates. Its `Debug` prints sizes only.
#[derive(Clone, PartialEq)]
pub struct Trace {
    /// What [`Comparator::compare`](crate::Comparator::compare) says, bit for bit.
    pub similarity: f32,
    /// The probe's minutiae as kept in its template, in the probe's own pixels.
    pub probe: Vec<TracedMinutia>,
    /// The reference's minutiae, in the reference's own pixels.
    pub reference: Vec<TracedMinutia>,
    /// The probe's minutiae in the order of `probe` as they lie on the reference, in the reference's pixels; empty
    /// where nothing aligned the two.
    pub laid_on: Vec<TracedMinutia>,
    /// Indices into `probe` and `reference` of minutiae taken for the same, each in at most one pair; best fit first.
    pub pairs: Vec<(usize, usize)>,
    /// What the similarity is made of; empty where nothing aligned the two.
    pub terms: Vec<Term>,
}

/// A minutia at 500 dpi: x and y from the upper left corner of its finger's minutiae, y downward.
#[derive(Clone, Copy, PartialEq)]
pub struct TracedMinutia {
    /// Column, pixels.
    pub x_px: f32,
    /// Row, pixels, downward.
    pub y_px: f32,
    /// Degrees counter-clockwise from +x as one looks at the finger, 0 to 360; in steps of 360/256.
    pub angle_deg: f32,
    /// Ending or bifurcation.
    pub kind: MinutiaKind,
}

/// One of the quantities that a similarity is weighed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// One word.
    pub name: &'static str,
    /// In the unit that `meaning` says.
    pub value: f32,
    /// What is counted or measured.
    pub meaning: &'static str,
}

impl Trace {
    /// Two fingers of which no two edges resemble each other.
    pub(crate) fn apart(probe: &Constellation, reference: &Constellation) -> Self {
        Self {
            similarity: 0.0,
            probe: probe.points.iter().map(TracedMinutia::of).collect(),
            reference: reference.points.iter().map(TracedMinutia::of).collect(),
            laid_on: Vec::new(),
            pairs: Vec::new(),
            terms: Vec::new(),
        }
    }

    /// Takes over an alignment with its pairs and terms.
    pub(crate) fn align(
        &mut self,
        similarity: f32,
        terms: &Terms,
        alignment: &Alignment,
        pairing: &Pairing,
        probe: &Constellation,
    ) {
        let moved = |(point, &(x_px, y_px)): (&Point, &(f32, f32))| {
            let direction = point.direction.wrapping_sub(alignment.turn);
            TracedMinutia { x_px, y_px, ..TracedMinutia::of(&Point { direction, ..*point }) }
        };
        self.similarity = similarity;
        self.laid_on = probe.points.iter().zip(&alignment.moved).map(moved).collect();
        self.pairs = pairing.pairs.iter().map(|p| (usize::from(p.probe), usize::from(p.reference))).collect();
        let named = Terms::NAMES.into_iter().zip(Terms::MEANINGS).zip(terms.values());
        self.terms = named.map(|((name, meaning), value)| Term { name, value, meaning }).collect();
    }
}

impl TracedMinutia {
    fn of(point: &Point) -> Self {
        Self {
            x_px: point.x.into(),
            y_px: point.y.into(),
            angle_deg: f32::from(point.direction) * (360.0 / 256.0),
            kind: point.kind,
        }
    }
}

impl std::fmt::Debug for TracedMinutia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TracedMinutia(..)")
    }
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (probe, reference, pairs) = (self.probe.len(), self.reference.len(), self.pairs.len());
        write!(f, "Trace({probe} and {reference} minutiae, {pairs} pairs, similarity {})", self.similarity)
    }
}
