//! Who could it be? The one search path: mask, scan of planes, survivors, full comparison.
//!
//! Enrolment, identification and deduplication all come through here. A person's survivors are the union of the
//! face scan and the fused finger-code scan, each at its own relaxed threshold, so that neither a bad face nor bad
//! fingers hide a duplicate; the full comparators then decide.

use khop_face::{UnitVector, cosine};
use khop_fingerprint::Comparator;
use khop_index::{
    Guarantee, Plan, Probe, Query, RowMask, SearchError, Situation, Tally, Term, Watch, plan, scan_evidence,
};
use khop_store::{RecordNumber, Segment, Snapshot, View};
use khop_vocabulary::{Calibration, Filter, GalleryId, Llr, ModelId, Score};
use rayon::prelude::*;

use crate::Error;
use crate::Search;
use crate::calibrations::{CODE_CAP_NATS, CODE_EVIDENCE};
use crate::columns::Columns;
use crate::core::Core;
use crate::effort::Effort;
use crate::evidence::{FingerProbes, Fused, face_evidence};
use crate::explanation::Explanation;
use crate::labels::{FingerLabels, LabelsRead};
use crate::mask::mask;
use crate::prepared::Prepared;
use crate::realm_state::RealmState;
use crate::references::References;

/// Up to this many comparisons of single traits, nothing is scanned: every reference is fully compared (a flight).
const EXACT_COMPARISONS: u64 = 512;
/// False survivors a scan may be expected to keep per search, by its calibration.
const EXPECTED_FALSE_SURVIVORS: f64 = 8.0;
/// However small the gallery, a scan keeps a reference only at a false match rate below one in so many: mates are
/// lost to both scans at once far less often than the full comparison loses them.
const LEAST_RATIO: f64 = 300.0;
/// A scan keeps a reference whose codes reach this share of what the probe's fingers could say at most.
const CODE_SHARE_OF_CAP: f32 = 0.4;
/// A probe prepared once for every segment.
pub(crate) struct ProbeSet {
    fingers: Option<FingerProbes>,
    codes: Vec<(usize, Probe)>,
    face: Option<FaceProbe>,
}

struct FaceProbe {
    model: ModelId,
    vector: UnitVector,
    probe: Probe,
    calibration: Calibration,
}

impl ProbeSet {
    pub(crate) fn of(
        prepared: &Prepared,
        labels: FingerLabels,
        core: &Core,
        realm: &RealmState,
    ) -> Result<Self, Error> {
        let probe = |vector: &[f32]| {
            Probe::new(vector).map_err(|cause| Error::BadInput { field: "samples", cause: cause.to_string() })
        };
        let present = || prepared.fingers.iter().enumerate().filter_map(|(slot, f)| Some((slot, f.as_ref()?)));
        let mut codes = Vec::new();
        for (slot, finger) in present() {
            if let Some(code) = &finger.code {
                codes.push((slot, probe(code)?));
            }
        }
        let face = match &prepared.face {
            None => None,
            Some(face) => {
                realm.check_face_model(&face.model, face.vector.dim())?;
                Some(FaceProbe {
                    model: face.model.clone(),
                    vector: face.vector.clone(),
                    probe: probe(face.vector.as_slice())?,
                    calibration: core.models.load().calibration(&face.model)?,
                })
            }
        };
        let templates = || present().map(|(slot, f)| (slot, &f.template));
        let fingers = present().next().map(|_| FingerProbes::of(templates(), labels));
        Ok(Self { fingers, codes, face })
    }

    /// How many traits it has.
    fn traits(&self) -> u64 {
        self.fingers.as_ref().map_or(0, FingerProbes::count) + u64::from(self.face.is_some())
    }
}

/// Which references are searched.
pub(crate) struct Scope<'a> {
    pub(crate) gallery: &'a GalleryId,
    pub(crate) filter: &'a Filter,
    /// Only this record and those enrolled after it.
    pub(crate) from: RecordNumber,
    /// Only records enrolled before this one.
    pub(crate) before: RecordNumber,
    pub(crate) effort: &'a Effort,
}

impl<'a> Scope<'a> {
    /// Every record of the search's gallery that passes its filter.
    pub(crate) fn all(request: &'a Search) -> Self {
        let Search { gallery, filter, effort, .. } = request;
        Self { gallery, filter, from: RecordNumber::new(0), before: RecordNumber::new(u64::MAX), effort }
    }
}

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
    _proof: (),
}

impl CompletedSearch {
    /// Nobody in scope has a trait that the probe has: complete for an enrolment, whose person is then a stranger.
    pub(crate) fn unless_comparable(error: Error) -> Result<Self, Error> {
        match error {
            Error::NotComparable => {
                let explanation = Explanation::default();
                Ok(Self { searched: 0, compared: 0, found: Vec::new(), explanation, _proof: () })
            }
            error => Err(error),
        }
    }

    /// The union of two searches of one probe over disjoint scopes.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.searched += other.searched;
        self.compared += other.compared;
        self.found.extend(other.found);
        self.explanation = self.explanation.and(other.explanation);
        self
    }
}

/// One segment of the snapshot with the rows in scope.
struct Part<'a> {
    view: &'a View,
    columns: Columns<'a>,
    mask: RowMask,
    rows_in_scope: u64,
}

impl Part<'_> {
    /// Whether any of its rows can be compared with the probe at all.
    fn shares_a_trait(&self, probe: &ProbeSet) -> bool {
        (probe.face.is_some() && self.columns.face.is_some())
            || (probe.fingers.is_some() && self.columns.has_templates())
    }
}

/// Searches a snapshot; every segment is seen or the answer is an error.
///
/// Cost: a scan of the planes in scope at memory speed, plus about 120 µs a finger for each survivor.
pub(crate) fn search(
    references: &References<'_>,
    snapshot: &Snapshot,
    probe: &ProbeSet,
    scope: &Scope<'_>,
) -> Result<CompletedSearch, Error> {
    let parts = snapshot.views().par_iter().filter_map(|view| part(view, scope).transpose());
    let parts = parts.collect::<Result<Vec<_>, Error>>()?;
    let searched: u64 = parts.iter().map(|p| p.rows_in_scope).sum();
    if searched > 0 && !parts.iter().any(|p| p.rows_in_scope > 0 && p.shares_a_trait(probe)) {
        return Err(Error::NotComparable);
    }
    let scannable = !probe.codes.is_empty() || probe.face.is_some();
    let thresholds =
        (searched * probe.traits() > EXACT_COMPARISONS && scannable).then(|| ScanThresholds::of(searched, probe));
    let plan = thresholds.as_ref().map_or(Ok(None), |thresholds| face_plan(&parts, probe, thresholds, scope.effort))?;
    let survivors = parts.par_iter().map(|part| match &thresholds {
        Some(thresholds) => scan(part, probe, thresholds, plan.as_ref(), scope.effort),
        None => Ok(Survivors { rows: part.mask.iter().map(|row| row as u32).collect(), faces: None }),
    });
    let survivors = survivors.collect::<Result<Vec<Survivors>, Error>>()?;
    let rows = parts.iter().zip(&survivors).flat_map(|(part, kept)| kept.rows.iter().map(move |&row| (part, row)));
    let rows: Vec<(&Part<'_>, u32)> = rows.collect();
    let found = rows.par_iter().map_init(Comparator::new, |comparator, &(part, row)| {
        scope.effort.check()?;
        compare_row(references, part, row, probe, comparator)
    });
    let found = found.filter_map(Result::transpose).filter(|c| c.as_ref().map_or(true, Compared::speaks_for_a_mate));
    let found: Vec<Compared> = found.collect::<Result<_, Error>>()?;
    let compared = rows.len() as u64;
    references.core.counters.count_search(searched, compared);
    let faces = survivors.iter().filter_map(|kept| kept.faces);
    let explanation = Explanation::of(plan, faces);
    Ok(CompletedSearch { searched, compared, found, explanation, _proof: () })
}

/// `None` when the segment has no record in scope; then nothing of it is read.
fn part<'a>(view: &'a View, scope: &Scope<'_>) -> Result<Option<Part<'a>>, Error> {
    let first = rows_before(&view.segment, scope.from);
    let end = rows_before(&view.segment, scope.before);
    if first >= end {
        return Ok(None);
    }
    let columns = Columns::of(&view.segment)?;
    let mut mask = mask(view, &columns, scope.gallery, scope.filter)?;
    (0..first).chain(end..columns.rows()).for_each(|row| mask.clear(row));
    let rows_in_scope = mask.count() as u64;
    Ok(Some(Part { view, columns, mask, rows_in_scope }))
}

/// How many rows hold records before this one: records ascend within a segment.
fn rows_before(segment: &Segment, record: RecordNumber) -> usize {
    let (mut low, mut high) = (0, segment.rows());
    while low < high {
        let middle = low + (high - low) / 2;
        if segment.record(middle) < record { low = middle + 1 } else { high = middle }
    }
    low as usize
}

/// From where on a scan keeps a reference, for the number of references in scope.
struct ScanThresholds {
    face_cosine: f32,
    code_llr: f32,
}

impl ScanThresholds {
    fn of(references: u64, probe: &ProbeSet) -> Self {
        let ratio = (references as f64 / EXPECTED_FALSE_SURVIVORS).max(LEAST_RATIO);
        let face_score = Score::new((10.0 * ratio.log10()) as f32);
        // A score that no cosine reaches asks for the highest there is.
        let face_cosine =
            probe.face.as_ref().map_or(1.0, |f| f.calibration.similarity_at_score(face_score).clamp(-1.0, 1.0));
        let most = CODE_CAP_NATS * probe.codes.len() as f32;
        let code_llr = (ratio.ln() as f32).min(most * CODE_SHARE_OF_CAP);
        Self { face_cosine, code_llr }
    }
}

/// How the faces of all parts are scanned; `None` where there is nothing to scan. The parts' sizes do not matter, so an
/// answer does not depend on what is sealed.
fn face_plan(
    parts: &[Part<'_>],
    probe: &ProbeSet,
    thresholds: &ScanThresholds,
    effort: &Effort,
) -> Result<Option<Plan>, Error> {
    let galleries = parts.iter().filter(|_| probe.face.is_some()).filter_map(|p| Some((p.columns.face?, &p.mask)));
    let situations = galleries.map(|(gallery, mask)| {
        Situation::of(&gallery, 1, &Query { threshold: thresholds.face_cosine, limit: 1, mask, watch: Watch::NEVER })
    });
    let plan = situations.reduce(Situation::and).map(|situation| plan(&situation, &effort.demand()));
    plan.transpose().map_err(|cause| Error::BadInput { field: "mode", cause: cause.to_string() })
}

/// Who is left of one segment.
struct Survivors {
    rows: Vec<u32>,
    /// What the scan of its faces says about itself.
    faces: Option<(Guarantee, Tally)>,
}

/// Rows of one segment that its planes cannot rule out, however many they are.
fn scan(
    part: &Part<'_>,
    probe: &ProbeSet,
    thresholds: &ScanThresholds,
    plan: Option<&Plan>,
    effort: &Effort,
) -> Result<Survivors, Error> {
    let incomplete = |cause: SearchError| Error::Incomplete { cause: cause.to_string() };
    effort.check()?;
    let limit = part.columns.rows();
    let (mut survivors, mut faces) = (Vec::new(), None);
    if let (Some(face), Some(gallery), Some(plan)) = (&probe.face, part.columns.face, plan) {
        let stop = || effort.stop();
        let query = Query { threshold: thresholds.face_cosine, limit, mask: &part.mask, watch: Watch::new(&stop) };
        let answer = gallery.search(&face.probe, &query, plan.mode).map_err(incomplete)?;
        faces = Some((answer.guarantee, answer.tally));
        survivors.extend(answer.neighbours.iter().map(|n| n.row));
    }
    let with_plane = probe.codes.iter().filter_map(|(slot, probe)| Some((part.columns.fingers[*slot]?, probe)));
    let terms: Vec<Term<'_>> =
        with_plane.map(|(plane, probe)| Term { plane, probe, evidence: &CODE_EVIDENCE }).collect();
    if !terms.is_empty() {
        let (found, _) = scan_evidence(&terms, &part.mask, thresholds.code_llr, limit).map_err(incomplete)?;
        survivors.extend(found.iter().map(|e| e.row));
    }
    if probe.fingers.is_some() {
        let uncoded = part.columns.uncoded()?;
        survivors.extend(uncoded.iter().filter(|&row| part.mask.contains(row as usize)));
    }
    survivors.sort_unstable();
    survivors.dedup();
    Ok(Survivors { rows: survivors, faces })
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
        Some(fingers) => fingers.compare(&part.columns.templates(row)?, comparator, policy),
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
