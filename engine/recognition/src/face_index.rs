//! What is built for a realm's faces? Its planes, their sizes, and the share of the exact answer that each mode finds.

use khop_index::{Mode, Probe, Query, RowMask, Watch};
use khop_vocabulary::SampleFormat;

use crate::columns::Columns;
use crate::prepared::Prepared;
use crate::{Error, Realm};

/// The planes of a realm's faces.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceIndex {
    /// Rows with a face, erased ones that are still in a segment included.
    pub faces: u64,
    /// Segments and blocks of the tail.
    pub segments: usize,
    /// Enrolled faces that recall was measured with.
    pub probes: usize,
    /// Plane by plane.
    pub planes: Vec<PlaneStatus>,
}

/// One plane of all segments together.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneStatus {
    /// `i8`, `b1` or `b4`.
    pub name: &'static str,
    /// Bytes of its columns.
    pub bytes: u64,
    /// The mode that reads it first, where every segment has it.
    pub mode: Option<Mode>,
    /// Pairs of a probe and a row that the exact search found at the threshold, where every segment has the plane.
    pub wanted: u64,
    /// How many of them this mode found too.
    pub found: u64,
}

impl PlaneStatus {
    /// Share of what the exact search found that this mode found too; `None` where nothing was measured.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        (self.wanted > 0).then(|| self.found as f64 / self.wanted as f64)
    }
}

impl Realm {
    /// Measures the planes of this realm: reads all of them, and searches them with up to `probes` enrolled
    /// faces at a threshold, a cosine.
    ///
    /// # Errors
    /// A loss that is no probability above 0 and at most 0.5, a threshold that is no cosine, a damaged segment or record.
    pub fn face_index(&self, probes: usize, loss: f64, threshold: f32) -> Result<FaceIndex, Error> {
        let bad =
            |cause: khop_index::SearchError| Error::BadInput { field: "loss or threshold", cause: cause.to_string() };
        let state = self.state()?;
        let snapshot = state.snapshot.load_full();
        let columns = snapshot.views().iter().map(|view| Columns::of(&view.segment));
        let columns = columns.collect::<Result<Vec<_>, Error>>()?;
        let galleries: Vec<_> = columns.iter().filter_map(|columns| columns.face).collect();
        let probes = self.enrolled_faces(probes)?;
        let modes = [("i8", Mode::Exact), ("b1", Mode::Bounded { loss }), ("b4", Mode::Certified)];
        let mut planes = Vec::new();
        for (name, mode) in modes {
            let bytes = columns.iter().map(|columns| columns.face_bytes(name)).sum();
            let is_whole = !galleries.is_empty() && galleries.iter().all(|gallery| gallery.has(mode));
            let (mut wanted, mut found) = (0u64, 0u64);
            for gallery in galleries.iter().filter(|_| is_whole) {
                let mask = RowMask::all(gallery.plane().rows());
                let query = Query { threshold, limit: mask.rows(), mask: &mask, watch: Watch::NEVER };
                for probe in &probes {
                    let search = |mode| self.core.pool.install(|| gallery.search(probe, &query, mode)).map_err(bad);
                    wanted += search(Mode::Exact)?.neighbours.len() as u64;
                    found += search(mode)?.neighbours.len() as u64;
                }
            }
            planes.push(PlaneStatus { name, bytes, mode: is_whole.then_some(mode), wanted, found });
        }
        let rows = |gallery: &khop_index::Gallery<'_>| {
            (0..gallery.plane().rows()).filter(|&row| gallery.plane().is_present(row)).count() as u64
        };
        let faces = galleries.iter().map(rows).sum();
        Ok(FaceIndex { faces, segments: snapshot.views().len(), probes: probes.len(), planes })
    }

    /// Faces of the first encounters enrolled, as received.
    fn enrolled_faces(&self, most: usize) -> Result<Vec<Probe>, Error> {
        let state = self.state()?;
        let batch = self.core.store.records_from(state.number, khop_store::RecordNumber::new(0), most)?;
        let faces = batch.iter().filter(|(_, encounter)| {
            encounter.is_active
                && encounter.samples.iter().any(|sample| matches!(sample.format, SampleFormat::FaceVector(_)))
        });
        let mut probes = Vec::new();
        for (_, encounter) in faces {
            if let Some(face) = Prepared::of(&encounter.samples)?.face {
                let bad = |cause: khop_index::VectorError| Error::Incomplete { cause: cause.to_string() };
                probes.push(Probe::new(face.vector.as_slice()).map_err(bad)?);
            }
        }
        Ok(probes)
    }
}
