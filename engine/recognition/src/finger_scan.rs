//! Whom do the codes of the fingers not rule out? Signs first, then bytes, under the readings of the labels.

use khop_index::{Codes, EvidenceQuery, Evident, RowMask, Term, scan_evidence};

use crate::Error;
use crate::calibrations::{CODE_EVIDENCE, LEAST_CODE_NATS, SIGN_EVIDENCE, SIGN_SLACK_NATS};
use crate::explanation::FingerTally;
use crate::part::Part;
use crate::probe_set::{CodeProbe, ProbeSet};

/// From so many coded fingers on their signs are scanned first: fewer are too vague in signs to rule anybody out.
const FINGERS_FOR_SIGNS: usize = 5;
/// The signs leave one stranger in so many at most.
const SIGN_RATIO: f32 = 1e4;

/// Whom the codes of one probe's fingers leave.
pub(crate) struct NearFingers {
    /// The probe's place among those searched for.
    pub(crate) probe: usize,
    pub(crate) rows: Vec<u32>,
    pub(crate) tally: FingerTally,
}

/// Rows whose finger codes together give a probe at least so much evidence, nats, under any reading of its labels that is
/// scanned; for each probe that has a finger in common with the part.
///
/// Ten fingers cost 680 bytes of signs a person and reading, read once for all probes; codes in bytes are read of the few
/// whose signs are near. Fewer than five fingers are scanned in bytes, 388 a finger, under more readings.
pub(crate) fn near_fingers<'a>(
    part: &Part<'_>,
    probes: impl Iterator<Item = (usize, &'a ProbeSet, f32)>,
) -> Result<Vec<NearFingers>, Error> {
    let people = part.mask.count() as u64;
    let (mut near, mut by_signs, mut by_bytes) = (Vec::new(), Vec::new(), Vec::new());
    for (at, probe, least_llr) in probes {
        let readings = readings_of(part, probe);
        if readings.is_empty() {
            continue;
        }
        let place = near.len();
        near.push(NearFingers { probe: at, rows: Vec::new(), tally: FingerTally { people, ..FingerTally::default() } });
        let scan = if probe.codes.len() < FINGERS_FOR_SIGNS { &mut by_bytes } else { &mut by_signs };
        scan.extend(readings.into_iter().map(|pairs| Assignment { place, pairs, least_llr }));
    }
    let found = scan(part, &by_signs, &part.mask, Assignment::in_signs)?;
    for (assignment, rows) in by_signs.iter().zip(found) {
        let mut mask = RowMask::none(part.columns.rows());
        rows.iter().for_each(|evident| mask.set(evident.row as usize));
        let found = scan(part, std::slice::from_ref(assignment), &mask, Assignment::in_bytes)?;
        near[assignment.place].take(rows.len() as u64, found.into_iter().flatten());
    }
    let found = scan(part, &by_bytes, &part.mask, Assignment::in_bytes)?;
    for (assignment, rows) in by_bytes.iter().zip(found) {
        near[assignment.place].take(people, rows.into_iter());
    }
    Ok(near)
}

impl NearFingers {
    fn take(&mut self, in_bytes: u64, found: impl Iterator<Item = Evident>) {
        let before = self.rows.len();
        self.rows.extend(found.map(|evident| evident.row));
        self.tally.in_bytes += in_bytes;
        self.tally.kept += (self.rows.len() - before) as u64;
    }
}

/// A probe's codes, each with the position of the reference that it is taken for.
struct Assignment<'a> {
    place: usize,
    pairs: Vec<(usize, &'a CodeProbe)>,
    least_llr: f32,
}

impl<'a> Assignment<'a> {
    fn in_bytes(&self, part: &'a Part<'_>) -> EvidenceQuery<'a> {
        let term = |&(slot, code): &(usize, &'a CodeProbe)| {
            let codes = Codes::Bytes(part.columns.fingers[slot]?.bytes);
            Some(Term { codes, probe: &code.bytes, evidence: &CODE_EVIDENCE })
        };
        EvidenceQuery { terms: self.pairs.iter().filter_map(term).collect(), threshold_llr: self.least_llr }
    }

    fn in_signs(&self, part: &'a Part<'_>) -> EvidenceQuery<'a> {
        let by_signs = (SIGN_RATIO.ln() - SIGN_SLACK_NATS * self.pairs.len() as f32).max(LEAST_CODE_NATS);
        let term = |&(slot, code): &(usize, &'a CodeProbe)| {
            let codes = Codes::Signs(part.columns.fingers[slot]?.signs);
            Some(Term { codes, probe: &code.signs, evidence: &SIGN_EVIDENCE })
        };
        EvidenceQuery {
            terms: self.pairs.iter().filter_map(term).collect(),
            threshold_llr: self.least_llr.min(by_signs),
        }
    }
}

/// The different ways to pair the probe's codes with the part's fingers that are to be scanned.
fn readings_of<'a>(part: &Part<'_>, probe: &'a ProbeSet) -> Vec<Vec<(usize, &'a CodeProbe)>> {
    // The labels as told and both hands swapped: whoever has many fingers has most of them there under the others, too.
    let scanned = if probe.codes.len() < FINGERS_FOR_SIGNS { probe.readings.len() } else { 2 };
    let mut slots: Vec<Vec<Option<usize>>> = Vec::new();
    for reading in probe.readings.iter().take(scanned) {
        let slot = |code: &CodeProbe| Some(reading[code.slot]).filter(|&slot| part.columns.fingers[slot].is_some());
        let of_reading: Vec<Option<usize>> = probe.codes.iter().map(slot).collect();
        if of_reading.iter().any(Option::is_some) && !slots.contains(&of_reading) {
            slots.push(of_reading);
        }
    }
    let pairs = |slots: Vec<Option<usize>>| {
        slots.into_iter().zip(&probe.codes).filter_map(|(slot, code)| Some((slot?, code))).collect()
    };
    slots.into_iter().map(pairs).collect()
}

/// One scan for all assignments: for each of them who reaches its threshold.
fn scan<'a>(
    part: &'a Part<'_>,
    assignments: &[Assignment<'a>],
    mask: &RowMask,
    query: impl Fn(&Assignment<'a>, &'a Part<'_>) -> EvidenceQuery<'a>,
) -> Result<Vec<Vec<Evident>>, Error> {
    let queries: Vec<EvidenceQuery<'_>> = assignments.iter().map(|assignment| query(assignment, part)).collect();
    let answers = scan_evidence(&queries, mask, part.columns.rows()).map_err(Error::incomplete)?;
    Ok(answers.into_iter().map(|answer| answer.rows).collect())
}
