//! Who could it be? The one search path: mask, scan of planes, survivors, full comparison.
//!
//! Enrolment, identification and deduplication all come through here, with one probe or with many, which then share what
//! is read. A person's survivors are the union of the face scan and the fused finger-code scan, each at its own relaxed
//! threshold, so that neither a bad face nor bad fingers hide a duplicate; the full comparators then decide.

use khop_face::cosine;
use khop_fingerprint::Comparator;
use khop_store::{RecordNumber, Snapshot};
use khop_vocabulary::{Llr, Score};
use rayon::prelude::*;

use crate::Error;
use crate::evidence::{Fused, face_evidence};
use crate::explanation::Explanation;
use crate::labels::LabelsRead;
use crate::part::{Part, Scope, parts};
use crate::probe_set::ProbeSet;
use crate::references::References;
use crate::scan::{Scan, Survivors};

/// One reference that was fully compared.
pub(crate) struct Compared {
    pub(crate) record: RecordNumber,
    pub(crate) fused: Fused,
}

impl Compared {
    /// Whether its evidence is for a mate at all. The others are counted and forgotten, which bounds a search's memory.
    fn speaks_for_a_mate(&self) -> bool {
        self.fused.llr.nats() > 0.0
    }
}

/// Proof that a search saw every reference it was asked to see. Only [`search`] makes one.
pub(crate) struct CompletedSearch {
    /// References in scope.
    pub(crate) searched: u64,
    /// How many of them were compared in full.
    pub(crate) compared: u64,
    /// Those with evidence for the probe's person.
    pub(crate) found: Vec<Compared>,
    /// How its faces were scanned.
    pub(crate) explanation: Explanation,
    /// Whether anybody in scope has a trait that the probe has. An enrolment of a person with new traits is a stranger's;
    /// a probe that can be compared with nobody is an error.
    is_comparable: bool,
    _proof: (),
}

impl CompletedSearch {
    /// # Errors
    /// [`Error::NotComparable`] when there were references and none had a trait of the probe.
    pub(crate) fn comparable(self) -> Result<Self, Error> {
        if self.is_comparable { Ok(self) } else { Err(Error::NotComparable) }
    }

    /// The union of two searches of one probe over disjoint scopes.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.searched += other.searched;
        self.compared += other.compared;
        self.found.extend(other.found);
        self.explanation = self.explanation.and(other.explanation);
        self.is_comparable |= other.is_comparable;
        self
    }
}

/// Searches a snapshot for one probe; as [`search_batch`].
pub(crate) fn search(
    references: &References<'_>,
    snapshot: &Snapshot,
    probe: &ProbeSet,
    scope: &Scope<'_>,
) -> Result<CompletedSearch, Error> {
    let done = search_batch(references, snapshot, std::slice::from_ref(probe), scope)?;
    done.into_iter().next().ok_or_else(|| Error::Incomplete { cause: "the search answered nothing".into() })
}

/// Searches a snapshot for each probe, in their order; every segment is seen or the answer is an error.
///
/// Cost: a scan of the planes in scope at memory speed, that of faces once for all probes, plus about 120 µs a finger
/// for each survivor of each probe.
pub(crate) fn search_batch(
    references: &References<'_>,
    snapshot: &Snapshot,
    probes: &[ProbeSet],
    scope: &Scope<'_>,
) -> Result<Vec<CompletedSearch>, Error> {
    let Some(before) = probes.iter().map(|probe| probe.before).max() else { return Ok(Vec::new()) };
    let parts = parts(snapshot, scope, before)?;
    let searched = |probe: &ProbeSet| parts.iter().map(|part| part.rows_for(probe)).sum::<u64>();
    let searched: Vec<u64> = probes.iter().map(searched).collect();
    let scan = Scan::of(probes, &searched, &parts, scope.effort)?;
    let survivors = parts.par_iter().map(|part| scan.part(part)).collect::<Result<Vec<Vec<Survivors>>, Error>>()?;
    let of_part = |(part, survivors)| -> Vec<(usize, &Part<'_>, u32)> {
        let survivors: &Vec<Survivors> = survivors;
        let of_probe = |(at, kept)| {
            let kept: &Survivors = kept;
            kept.rows.iter().map(move |&row| (at, part, row))
        };
        survivors.iter().enumerate().flat_map(of_probe).collect()
    };
    let rows: Vec<_> = parts.iter().zip(&survivors).flat_map(of_part).collect();
    let found = rows.par_iter().map_init(Comparator::new, |comparator, &(at, part, row)| {
        scope.effort.check()?;
        let compared = compare_row(references, part, row, &probes[at], comparator)?;
        Ok(compared.filter(Compared::speaks_for_a_mate).map(|compared| (at, compared)))
    });
    let found = found.filter_map(Result::transpose).collect::<Result<Vec<(usize, Compared)>, Error>>()?;
    let done = probes.iter().zip(searched).enumerate().map(|(at, (probe, searched))| {
        let compared = survivors.iter().map(|of_part| of_part[at].rows.len() as u64).sum();
        references.core.counters.count_search(searched, compared);
        let said = survivors.iter().map(|of_part| of_part[at].said);
        let explanation = Explanation::of(scan.plan_of(at).cloned(), said);
        let comparable = parts.iter().any(|part| part.rows_for(probe) > 0 && part.shares_a_trait(probe));
        let is_comparable = searched == 0 || comparable;
        CompletedSearch { searched, compared, found: Vec::new(), explanation, is_comparable, _proof: () }
    });
    let mut done: Vec<CompletedSearch> = done.collect();
    found.into_iter().for_each(|(at, compared)| done[at].found.push(compared));
    Ok(done)
}

/// Full comparison of one row; `None` when it shares no trait or was erased since the snapshot.
fn compare_row(
    references: &References<'_>,
    part: &Part<'_>,
    row: u32,
    probe: &ProbeSet,
    comparator: &mut Comparator,
) -> Result<Option<Compared>, Error> {
    let policy = &references.core.policy;
    let record = part.view.segment.record(row);
    let (mut evidence, labels) = match &probe.fingers {
        Some(fingers) => match part.columns.templates(row)? {
            Some(templates) => fingers.compare(&templates, comparator, policy),
            None if references.is_erased(record)? => return Ok(None),
            None => return Err(Error::key_is_gone(record)),
        },
        None => (Vec::new(), LabelsRead::BELIEVED),
    };
    if let (Some(face), Some(gallery)) = (&probe.face, part.columns.face)
        && gallery.plane().is_present(row as usize)
    {
        let Some(reference) = references.face(record, &face.model)? else { return Ok(None) };
        evidence.push(face_evidence(cosine(&face.vector, &reference), &face.calibration, policy));
    }
    Ok(Fused::of(evidence, labels, policy).map(|fused| Compared { record, fused }))
}

/// Highest evidence first; the record number settles ties, so that the order never depends on threads.
pub(crate) fn by_evidence(a: &Compared, b: &Compared) -> std::cmp::Ordering {
    let key = |c: &Compared| (c.fused.llr, c.fused.score);
    let (left, right): ((Llr, Score), (Llr, Score)) = (key(a), key(b));
    right.partial_cmp(&left).unwrap_or(std::cmp::Ordering::Equal).then(a.record.cmp(&b.record))
}
