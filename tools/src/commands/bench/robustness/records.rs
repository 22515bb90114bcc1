//! What might arrive as a minutiae record? Good ones of every format, and whatever can be made of them.

use khop_evaluate::synth::{Population, PopulationOptions};
use khop_formats::{RecordFormat, write_iso_2005};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::failure::Failure;

/// Records without end, each made from the seed and its number alone.
pub struct Records {
    seed: u64,
    /// Bodies that were once good: header of the view at [`VIEW`] of an ISO 2005 record.
    good: Vec<Vec<u8>>,
}

/// In an ISO 2005 record: where the first view's four header bytes and then its minutiae lie.
const VIEW: usize = 24;
const MINUTIAE: usize = VIEW + 4;
const MINUTIA: usize = 6;
const FORMATS: [RecordFormat; 3] =
    [RecordFormat::Iso19794Part2Of2005, RecordFormat::Iso19794Part2Of2011, RecordFormat::Incits378Of2004];

impl Records {
    /// Begins with ten synthetic prints.
    pub fn new(seed: u64) -> Result<Self, Failure> {
        let fingers = Population::new(seed, PopulationOptions::default()).person(0).fingers(0);
        let good = fingers.iter().map(|finger| write_iso_2005(std::slice::from_ref(finger)));
        Ok(Self { seed, good: good.collect::<Result<_, _>>()? })
    }

    /// One of the prints as it was, to compare with.
    pub fn ordinary(&self) -> &[u8] {
        &self.good[0]
    }

    /// The record of this number.
    pub fn record(&self, number: u64) -> Vec<u8> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(number);
        if random.random_bool(0.05) {
            return noise(&mut random);
        }
        let mut record = self.good[random.random_range(0..self.good.len())].clone();
        match random.random_range(0..20) {
            1..=4 => replace_minutiae(&mut record, &mut random, |random, bytes, _| {
                random.fill(bytes);
                // Below 512 px: most lie within the image, and are kept.
                bytes[0] &= 0xc1;
                bytes[2] &= 0x01;
            }),
            0 => {
                // A lattice of parallel minutiae: every edge resembles every other, the most work there can be.
                let step = random.random_range(1..30u16);
                replace_minutiae(&mut record, &mut random, |_, bytes, place| {
                    let [x, y] = [place % 16, place / 16].map(|at| 40 + at as u16 * step);
                    let [x, y] = [(x | 0x4000).to_be_bytes(), y.to_be_bytes()];
                    bytes.copy_from_slice(&[x[0], x[1], y[0], y[1], 32, 50]);
                });
            }
            5 => {
                let at = random.random_range(18..22usize); // resolution along x or y
                random.fill(&mut record[at..at + 2]);
            }
            _ => {}
        }
        let mut record = converted(&record, FORMATS[random.random_range(0..FORMATS.len())]);
        spoil(&mut record, &mut random);
        record
    }
}

/// Random bytes, some behind a header that belongs to a format.
fn noise(random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(0..2000)];
    random.fill(&mut bytes[..]);
    let magic = [&b""[..], b"FMR\0 20\0", b"FMR\x00030\0"][random.random_range(0..3)];
    [magic, &bytes].concat()
}

/// Other minutiae, as many as the count is drawn to be, in an ISO 2005 record whose lengths stay right.
fn replace_minutiae(
    record: &mut Vec<u8>,
    random: &mut ChaCha8Rng,
    mut minutia: impl FnMut(&mut ChaCha8Rng, &mut [u8], usize),
) {
    let count = match random.random_range(0..4) {
        0 => random.random_range(0..=3u8),
        1 => random.random_range(0..=255),
        _ => 255,
    };
    record.truncate(MINUTIAE);
    record[VIEW + 3] = count;
    for place in 0..usize::from(count) {
        let mut bytes = [0; MINUTIA];
        minutia(random, &mut bytes, place);
        record.extend(bytes);
    }
    record.extend([0, 0]);
    let total = (record.len() as u32).to_be_bytes();
    record[8..12].copy_from_slice(&total);
}

/// A one-view ISO 2005 record in another format.
fn converted(record: &[u8], format: RecordFormat) -> Vec<u8> {
    let (image, view, minutiae) = (&record[14..22], &record[VIEW..MINUTIAE], &record[MINUTIAE..]);
    match format {
        RecordFormat::Iso19794Part2Of2005 => record.to_vec(),
        RecordFormat::Incits378Of2004 => {
            let mut tail = [&[0x00, 0x42, 0x00, 0x11, 0x00, 0x07], image, &record[22..MINUTIAE], minutiae].concat();
            let first = 6 + image.len() + 2 + 4;
            for place in 0..usize::from(view[3]) {
                let angle = &mut tail[first + MINUTIA * place + 4];
                *angle = (u16::from(*angle) * 180 / 256) as u8; // units of 2°
            }
            [&b"FMR\0 20\0"[..], &(10 + tail.len() as u16).to_be_bytes(), &tail].concat()
        }
        RecordFormat::Iso19794Part2Of2011 => {
            let captured = [0x07, 0xe9, 1, 31, 23, 59, 58, 0x03, 0xe7, 1, 0xab, 0xcd, 0x00, 0xb5];
            let quality = [1, view[2], 0xab, 0xcd, 0, 2];
            let place = [view[0], 0];
            let geometry = [&image[4..8], &[view[1] & 0x0f], &image[..4], &[0x61, view[3]]].concat();
            let one = [&captured[..], &quality, &place, &geometry, minutiae].concat();
            let tail = [&[0, 1, 0][..], &(4 + one.len() as u32).to_be_bytes(), &one].concat();
            [&b"FMR\x00030\0"[..], &(12 + tail.len() as u32).to_be_bytes(), &tail].concat()
        }
    }
}

/// What happens on the way: nothing, bytes changed, bits flipped, the end cut off, something added.
fn spoil(record: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    match random.random_range(0..8) {
        0 | 1 => {
            for _ in 0..random.random_range(1..8) {
                let at = random.random_range(0..record.len());
                record[at] = random.random();
            }
        }
        2 | 3 => {
            for _ in 0..random.random_range(1..8) {
                let at = random.random_range(0..record.len());
                record[at] ^= 1 << random.random_range(0..8);
            }
        }
        4 => {
            // The header alone decides what the rest means.
            let at = random.random_range(8..record.len().min(64));
            record[at] = random.random();
        }
        5 => record.truncate(random.random_range(0..record.len())),
        6 => record.extend((0..random.random_range(1..40)).map(|_| 0xa5)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use khop_formats::read_minutiae;

    #[test]
    fn good_records_are_good_in_every_format() {
        let records = Records::new(1).unwrap();
        for good in &records.good {
            let expected = read_minutiae(good).unwrap().views;
            for format in FORMATS {
                let record = read_minutiae(&converted(good, format)).unwrap();
                assert_eq!((record.format, &record.deviations[..]), (format, &[][..]));
                let [view] = &record.views[..] else { panic!("one view") };
                let place = |sample: &khop::FingerSample| -> Vec<_> {
                    sample.minutiae.iter().map(|m| (m.x_px, m.y_px, m.kind, m.quality)).collect()
                };
                assert_eq!((place(view), view.width_px), (place(&expected[0]), expected[0].width_px));
                let turned =
                    view.minutiae.iter().zip(&expected[0].minutiae).map(|(a, b)| (a.angle_deg - b.angle_deg).abs());
                assert!(turned.fold(0.0, f32::max) < 2.0);
            }
        }
    }

    #[test]
    fn records_are_many_and_come_again() {
        let records = Records::new(5).unwrap();
        let made: Vec<Vec<u8>> = (0..2000).map(|number| records.record(number)).collect();
        assert_eq!(made[777], Records::new(5).unwrap().record(777));
        assert_ne!(made[777], Records::new(6).unwrap().record(777));
        let read: Vec<_> = made.iter().filter_map(|bytes| read_minutiae(bytes).ok()).collect();
        assert!((800..1600).contains(&read.len()), "{} of 2000 are read", read.len());
        for format in FORMATS {
            assert!(read.iter().filter(|record| record.format == format).count() > 100, "{format}");
        }
        assert!(read.iter().filter(|record| record.views[0].minutiae.len() > 150).count() > 100);
        assert!(read.iter().any(|record| record.views[0].minutiae.is_empty()));
    }
}
