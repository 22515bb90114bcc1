//! What do a billion scores say? An array of similarities in a file, read part by part on all threads, never as a whole.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::{Deciding, DecidingCounts, NotFinite, ScoreCounts, Streamed};
use khop_formats::npy::{Header, MAX_HEADER_BYTES, read_header};
use khop_vocabulary::Fmr;
use rayon::prelude::*;

use crate::failure::Failure;

/// Scores read at a time by a thread.
const PART: usize = 1 << 20;

/// The scores of all mated or of all non-mated comparisons, in a NumPy file.
pub struct ScoreArray {
    path: PathBuf,
    header: Header,
    count: usize,
}

/// Both kinds counted, so that every rate asked for is exact.
///
/// # Errors
/// A file that is no array of scores, is empty, or has one that is no finite number; the error names it.
pub fn count(mated: &Path, non_mated: &Path, fmrs: impl Fn(u64) -> Vec<Fmr>) -> Result<(Streamed, Vec<Fmr>), Failure> {
    let [mated, non_mated] = [ScoreArray::open(mated)?, ScoreArray::open(non_mated)?];
    let style = ProgressStyle::with_template("counting scores {wide_bar} {percent} %, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let progress = ProgressBar::new(2 * (mated.count + non_mated.count) as u64).with_style(style);
    let coarse = |array: &ScoreArray| {
        array.fold(&progress, ScoreCounts::default, |counts, scores| counts.add(scores), |a, b| a.and(&b))
    };
    let of_ranges = [coarse(&mated)?, coarse(&non_mated)?];
    let fmrs = fmrs(of_ranges[1].total());
    let deciding = Deciding::of(&of_ranges[0], &of_ranges[1], &fmrs);
    let fine = |array: &ScoreArray| {
        let add = |counts: &mut DecidingCounts, scores: &[f32]| {
            counts.add(scores);
            Ok(())
        };
        array.fold(&progress, || DecidingCounts::new(&deciding), add, |a, b| a.and(&b))
    };
    let exact = [fine(&mated)?, fine(&non_mated)?];
    progress.finish_and_clear();
    let streamed = Streamed::new((&of_ranges[0], &exact[0]), (&of_ranges[1], &exact[1]));
    let streamed = streamed.ok_or_else(|| Failure::new("expected at least one mated and one non-mated score"))?;
    Ok((streamed, fmrs))
}

impl ScoreArray {
    fn open(path: &Path) -> Result<Self, Failure> {
        let mut file = File::open(path).map_err(Failure::at(path))?;
        let length = file.metadata().map_err(Failure::at(path))?.len();
        let mut head = Vec::new();
        let most = MAX_HEADER_BYTES as u64 + 12;
        file.by_ref().take(most).read_to_end(&mut head).map_err(Failure::at(path))?;
        let header = read_header(&head).map_err(Failure::at(path))?;
        let size = header.data_bytes();
        if size.map(|size| (size + header.data_offset) as u64) != Some(length) {
            let cause = format!("expected the numbers of shape {:?} and nothing behind them", header.shape);
            return Err(Failure::new(format!("{}: {cause}, got a file of {length} bytes", path.display())));
        }
        let count: usize = header.shape.iter().product();
        if count == 0 {
            return Err(Failure::new(format!("{}: expected at least one score, got none", path.display())));
        }
        Ok(Self { path: path.to_owned(), header, count })
    }

    /// Hands all scores to `add`, every thread its own share and its own `T`, and joins them.
    fn fold<T: Send>(
        &self,
        progress: &ProgressBar,
        none: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, &[f32]) -> Result<(), NotFinite> + Sync,
        join: impl Fn(T, T) -> T + Sync + Send,
    ) -> Result<T, Failure> {
        let share = self.count.div_ceil(rayon::current_num_threads());
        let of_thread = |first: usize| -> Result<T, Failure> {
            let element = self.header.element;
            let size = element.size();
            let mut file = File::open(&self.path).map_err(Failure::at(&self.path))?;
            let start = (self.header.data_offset + first * size) as u64;
            file.seek(SeekFrom::Start(start)).map_err(Failure::at(&self.path))?;
            let end = self.count.min(first + share);
            let (mut all, mut bytes) = (none(), Vec::new());
            for part in (first..end).step_by(PART) {
                bytes.resize(PART.min(end - part) * size, 0);
                file.read_exact(&mut bytes).map_err(Failure::at(&self.path))?;
                let scores = element.decode(&bytes);
                add(&mut all, &scores).map_err(|NotFinite { index }| {
                    let index = part + index;
                    Failure::new(format!("{}: score {index}: expected a finite number", self.path.display()))
                })?;
                progress.inc(scores.len() as u64);
            }
            Ok(all)
        };
        let firsts: Vec<usize> = (0..self.count).step_by(share).collect();
        let parts: Vec<T> = firsts.into_par_iter().map(of_thread).collect::<Result<_, _>>()?;
        Ok(parts.into_iter().reduce(join).unwrap_or_else(none))
    }
}
