//! Whom can the planes not rule out? Faces and finger codes of one segment, each at a relaxed threshold, for all probes.

use khop_index::{Answer, Plan, Query, Situation, Watch, plan};
use khop_vocabulary::Score;

use crate::Error;
use crate::calibrations::{CODE_CAP_NATS, CODE_SLACK_NATS, LEAST_CODE_NATS};
use crate::effort::Effort;
use crate::explanation::Said;
use crate::finger_scan::{NearFingers, near_fingers};
use crate::part::Part;
use crate::probe_set::{FaceProbe, ProbeSet};

/// Up to this many comparisons of single traits, nothing is scanned: every reference is fully compared (a flight).
const EXACT_COMPARISONS: u64 = 512;
/// False survivors a scan may be expected to keep per search, by its calibration.
const EXPECTED_FALSE_SURVIVORS: f64 = 8.0;
/// However small the gallery, a scan keeps a reference only at a false match rate below one in so many: mates are
/// lost to both scans at once far less often than the full comparison loses them.
const LEAST_RATIO: f64 = 300.0;
/// A scan keeps a reference whose codes reach this share of what the probe's fingers could say at most.
const CODE_SHARE_OF_CAP: f32 = 0.4;

/// Who is left of one segment for one probe.
#[derive(Default)]
pub(crate) struct Survivors {
    pub(crate) rows: Vec<u32>,
    /// What the scans say about themselves.
    pub(crate) said: Said,
}

/// From where on a scan keeps a reference of a probe, by the number of references it is compared with.
struct Relaxed {
    face_cosine: f32,
    code_llr: f32,
}

impl Relaxed {
    /// `None` where a scan would cost more than it spares, or the probe has nothing that can be scanned for.
    fn of(probe: &ProbeSet, references: u64) -> Option<Self> {
        let is_scannable = !probe.codes.is_empty() || probe.face.is_some();
        if !is_scannable || references * probe.traits() <= EXACT_COMPARISONS {
            return None;
        }
        let ratio = (references as f64 / EXPECTED_FALSE_SURVIVORS).max(LEAST_RATIO);
        let face_score = Score::new((10.0 * ratio.log10()) as f32);
        // A score that no cosine reaches asks for the highest there is.
        let face_cosine =
            probe.face.as_ref().map_or(1.0, |f| f.calibration.similarity_at_score(face_score).clamp(-1.0, 1.0));
        let count = probe.codes.len() as f32;
        let code_llr = (ratio.ln() as f32 - CODE_SLACK_NATS * count).max(LEAST_CODE_NATS);
        Some(Self { face_cosine, code_llr: code_llr.min(CODE_CAP_NATS * count * CODE_SHARE_OF_CAP) })
    }
}

/// How a search scans its parts: the same way each, so that an answer does not depend on what is sealed.
pub(crate) struct Scan<'a> {
    probes: &'a [ProbeSet],
    relaxed: Vec<Option<Relaxed>>,
    /// Whose faces are scanned for, by their place among the probes.
    faces: Vec<(usize, &'a FaceProbe)>,
    /// The lowest cosine at which any face is kept.
    least_cosine: f32,
    /// `None` where no face is scanned.
    plan: Option<Plan>,
    effort: &'a Effort,
}

impl<'a> Scan<'a> {
    /// `references` says for each probe how many it is compared with.
    pub(crate) fn of(
        probes: &'a [ProbeSet],
        references: &[u64],
        parts: &[Part<'_>],
        effort: &'a Effort,
    ) -> Result<Self, Error> {
        let relaxed: Vec<_> = probes.iter().zip(references).map(|(probe, &count)| Relaxed::of(probe, count)).collect();
        let scanned = probes.iter().zip(&relaxed).enumerate();
        let scanned = scanned.filter_map(|(at, (probe, relaxed))| Some((at, probe.face.as_ref()?, relaxed.as_ref()?)));
        let least_cosine = scanned.clone().fold(1f32, |least, (_, _, relaxed)| least.min(relaxed.face_cosine));
        let faces: Vec<_> = scanned.map(|(at, face, _)| (at, face)).collect();
        let galleries = parts.iter().filter(|_| !faces.is_empty()).filter_map(|p| Some((p.columns.face?, &p.mask)));
        let situations = galleries.map(|(gallery, mask)| {
            Situation::of(
                &gallery,
                faces.len(),
                &Query { threshold: least_cosine, limit: 1, mask, watch: Watch::NEVER },
            )
        });
        let plan = situations.reduce(Situation::and).map(|situation| plan(&situation, &effort.demand()));
        let plan = plan.transpose().map_err(|cause| Error::BadInput { field: "mode", cause: cause.to_string() })?;
        Ok(Self { probes, relaxed, faces, least_cosine, plan, effort })
    }

    /// How the face of a probe is scanned for; `None` where it is not.
    pub(crate) fn plan_of(&self, probe: usize) -> Option<&Plan> {
        self.plan.as_ref().filter(|_| self.faces.iter().any(|&(at, _)| at == probe))
    }

    /// Rows of one part that its planes cannot rule out, however many they are, for each probe.
    pub(crate) fn part(&self, part: &Part<'_>) -> Result<Vec<Survivors>, Error> {
        self.effort.check()?;
        let mut survivors: Vec<Survivors> = self.probes.iter().map(|_| Survivors::default()).collect();
        for (&(at, _), answer) in self.faces.iter().zip(self.faces_of(part)?) {
            let Some(relaxed) = &self.relaxed[at] else { continue };
            survivors[at].said.faces = Some((answer.guarantee, answer.tally));
            let near = answer.neighbours.iter().filter(|n| n.similarity >= relaxed.face_cosine);
            survivors[at].rows.extend(near.map(|n| n.row));
        }
        let scanned = self.probes.iter().zip(&self.relaxed).enumerate();
        let scanned = scanned.filter_map(|(at, (probe, relaxed))| Some((at, probe, relaxed.as_ref()?.code_llr)));
        for NearFingers { probe, rows, tally } in near_fingers(part, scanned)? {
            survivors[probe].rows.extend(rows);
            survivors[probe].said.fingers = Some(tally);
        }
        for ((probe, relaxed), survivors) in self.probes.iter().zip(&self.relaxed).zip(&mut survivors) {
            let rows = &mut survivors.rows;
            match relaxed {
                None => rows.extend(part.mask.iter().map(|row| row as u32)),
                Some(_) if probe.fingers.is_some() => {
                    rows.extend(part.columns.uncoded()?.iter().filter(|&row| part.mask.contains(row as usize)));
                }
                Some(_) => {}
            }
            let end = part.rows_before(probe.before);
            rows.retain(|&row| row < end);
            rows.sort_unstable();
            rows.dedup();
        }
        Ok(survivors)
    }

    /// The faces near any probe's, for each probe whose face is scanned for.
    fn faces_of(&self, part: &Part<'_>) -> Result<Vec<Answer>, Error> {
        let (Some(gallery), Some(plan)) = (part.columns.face, &self.plan) else { return Ok(Vec::new()) };
        let stop = || self.effort.stop();
        let watch = Watch::new(&stop);
        let query = Query { threshold: self.least_cosine, limit: part.columns.rows(), mask: &part.mask, watch };
        let probes: Vec<_> = self.faces.iter().map(|(_, face)| &face.probe).collect();
        gallery.search_batch(&probes, &query, plan.mode).map_err(Error::incomplete)
    }
}
