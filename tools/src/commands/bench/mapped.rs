//! What does a gallery cost that lies in files, mapped or sealed? Opening it, the first search, those after it, memory.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use khop::RealmId;
use khop_index::{Answer, Gallery, Mode, Plane, Probe, Query, RowMask, SignPlane, Watch, sign_bytes, stride};
use khop_store::{Applied, Change, Opening, RealmNumber, RecordNumber, Segment, SegmentDraft};
use rayon::prelude::*;

use super::figures::Figures;
use super::planes::Planes;
use super::stopwatch::median;
use crate::failure::Failure;

/// Rows of a segment, as a rebuild makes them.
const ROWS: usize = 65_536;
/// Searches after the first.
const SEARCHES: usize = 9;

/// What is searched for, and how.
pub struct Searches<'a> {
    pub probes: &'a [Probe],
    pub loss: f64,
    pub threshold: f32,
    pub pool: &'a rayon::ThreadPool,
}

/// Writes the planes as segments of a store of their own, opens it again and searches it, once with files that are mapped
/// as they are and once with sealed ones. The stores are removed.
pub fn measure(folder: &Path, planes: Planes, searches: &Searches<'_>, figures: &mut Figures) -> Result<(), Failure> {
    let kinds = [("mapped", true), ("sealed", false)];
    let openings = kinds.map(|(name, encrypted_volume)| (name, Opening { encrypted_volume, ..Opening::default() }));
    let mut written = Vec::new();
    for (name, opening) in openings {
        let directory = tempfile::tempdir_in(folder).map_err(Failure::at(folder))?;
        let realm = write(directory.path(), &opening, &planes, name, figures)?;
        written.push((name, opening, directory, realm));
    }
    let (n, dim) = (planes.scales.len() / 4, planes.dim());
    drop(planes);
    for (name, opening, directory, realm) in &written {
        open_and_search(directory.path(), opening, *realm, (n, dim), searches, name, figures)?;
    }
    Ok(())
}

/// Writes the planes as the segments of a new store's realm.
fn write(
    directory: &Path,
    opening: &Opening,
    planes: &Planes,
    name: &str,
    figures: &mut Figures,
) -> Result<RealmNumber, Failure> {
    let (start, n) = (Instant::now(), planes.scales.len() / 4);
    let store = opening.open(directory)?;
    let id = RealmId::new("bench")?;
    let made = store.commit(&[Change::CreateRealm { id, expires_at_unix_s: None, note: "bench".into() }])?;
    let Some(&Applied::Created { realm }) = made.first() else {
        return Err(Failure::new("the store made no realm"));
    };
    let mut written = Vec::new();
    for first in (0..n).step_by(ROWS) {
        written.push(store.write_segment(realm, &draft(planes, first, ROWS.min(n - first)))?.0);
    }
    store.commit(&[Change::SetSegments { realm, add: written, remove: vec![] }])?;
    figures.measured(format!("{name}_written_s"), start.elapsed().as_secs_f64());
    Ok(realm)
}

fn open_and_search(
    directory: &Path,
    opening: &Opening,
    realm: RealmNumber,
    (n, dim): (usize, usize),
    &Searches { probes, loss, threshold, pool }: &Searches<'_>,
    name: &str,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let of = |figure: &str| format!("{name}_{figure}");
    let start = Instant::now();
    let store = opening.open(directory)?;
    let segments = pool.install(|| store.open_segments(realm))?.into_iter().collect::<Result<Vec<_>, _>>()?;
    figures.measured(of("open_s"), start.elapsed().as_secs_f64());
    figures.add(of("segments"), segments.len());
    figures.measured(of("bytes_per_reference"), segments.iter().map(|s| s.bytes()).sum::<u64>() as f64 / n as f64);
    let search = |probe: &Probe| -> Result<f64, Failure> {
        let start = Instant::now();
        pool.install(|| {
            let one = |segment: &Arc<Segment>| bounded(segment, dim, probe, loss, threshold).map_err(|e| e.to_string());
            segments.par_iter().map(one).collect::<Result<Vec<_>, _>>().map(black_box)
        })
        .map_err(Failure::new)?;
        Ok(start.elapsed().as_secs_f64())
    };
    figures.measured(of("bounded_first_s"), search(&probes[0])?);
    let later = (1..=SEARCHES).map(|at| search(&probes[at % probes.len()])).collect::<Result<Vec<_>, _>>()?;
    figures.measured(of("bounded_later_s"), median(later));
    figures.add(of("resident_mib"), crate::memory::resident_mib());
    Ok(())
}

/// So many rows from `first` on, in the columns of a segment.
fn draft(planes: &Planes, first: usize, rows: usize) -> SegmentDraft {
    let dim = planes.dim();
    let of = |bytes: &[u8], each: usize| bytes[first * each..(first + rows) * each].to_vec();
    let before = sign_bytes(first, dim); // segments begin with whole units
    let signs = planes.signs[before..before + sign_bytes(rows, dim)].to_vec();
    SegmentDraft {
        records: (first..first + rows).map(|row| RecordNumber::new(row as u64)).collect(),
        columns: vec![
            ("face.codes".into(), of(&planes.codes, stride(dim))),
            ("face.scales".into(), of(&planes.scales, 4)),
            ("face.signs".into(), signs),
            ("face.agreements".into(), of(&planes.agreements, 4)),
        ],
        items: Vec::new(),
        algorithms: "bench".into(),
    }
}

fn bounded(segment: &Segment, dim: usize, probe: &Probe, loss: f64, threshold: f32) -> Result<Answer, Failure> {
    let column = |name: &str| -> Result<&[u8], Failure> {
        segment.column(name)?.ok_or_else(|| Failure::new(format!("{name} is missing")))
    };
    let plane = Plane::new(dim, column("face.codes")?, column("face.scales")?)?;
    let signs = SignPlane::new(dim, column("face.signs")?, column("face.agreements")?)?;
    let mask = RowMask::all(plane.rows());
    let query = Query { threshold, limit: 10, mask: &mask, watch: Watch::NEVER };
    Ok(Gallery::new(plane).with_signs(signs)?.search(probe, &query, Mode::Bounded { loss })?)
}
