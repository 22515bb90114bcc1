//! How does a segment lie in its file? An envelope says how long its image is, how it is protected, and what follows.
//!
//! ```text
//! 64 bytes   envelope
//! image      header, directory, columns (`layout.rs`): as they are, or in sealed frames
//! items      each row's own bytes, sealed one by one
//! ```

use std::io::{self, Write};

use khop_keys::{Key, OVERHEAD};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::SegmentFault;
use crate::layout::{u32_at, u64_at};
use crate::{RealmNumber, SegmentNumber};

const MAGIC: [u8; 8] = *b"KHOPFILE";
/// The version written; the only one read.
const VERSION: u32 = 1;
/// Bytes of the envelope.
pub(crate) const BYTES: usize = 64;
/// Bytes of the image in a sealed frame; the last may be shorter.
pub(crate) const FRAME: usize = 1 << 20;

/// What stands before a segment's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub realm: RealmNumber,
    pub number: SegmentNumber,
    /// Whether the image is in sealed frames.
    pub is_sealed: bool,
    /// Bytes of the image, opened.
    pub image: u64,
    /// Bytes of the items, sealed.
    pub items: u64,
}

impl Envelope {
    /// Its bytes.
    pub(crate) fn encode(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let frame = if self.is_sealed { FRAME as u32 } else { 0 };
        for (at, value) in [(8, VERSION), (12, frame), (16, self.realm.get())] {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in [(24, self.number.get()), (32, self.image), (40, self.items)] {
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let checksum = xxh3_64(&bytes[..56]);
        bytes[56..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// What these bytes say, and whether a file of this length is as long as they say.
    pub(crate) fn decode(bytes: &[u8; BYTES], length: u64) -> Result<Self, SegmentFault> {
        if bytes[..8] != MAGIC {
            return Err(SegmentFault::Magic);
        }
        if u32_at(bytes, 8) != VERSION {
            return Err(SegmentFault::Version(u32_at(bytes, 8)));
        }
        let frame = u32_at(bytes, 12);
        let padding = u32_at(bytes, 20) != 0 || u64_at(bytes, 48) != 0;
        if xxh3_64(&bytes[..56]) != u64_at(bytes, 56) || padding || ![0, FRAME as u32].contains(&frame) {
            return Err(SegmentFault::Header);
        }
        let envelope = Self {
            realm: RealmNumber::new(u32_at(bytes, 16)),
            number: SegmentNumber::new(u64_at(bytes, 24)),
            is_sealed: frame != 0,
            image: u64_at(bytes, 32),
            items: u64_at(bytes, 40),
        };
        match envelope.length() {
            Some(expected) if expected == length => Ok(envelope),
            Some(expected) => Err(SegmentFault::Length { expected, found: length }),
            None => Err(SegmentFault::Header),
        }
    }

    /// The place of the first item.
    pub(crate) fn items_at(&self) -> Option<u64> {
        let frames = if self.is_sealed { self.image.div_ceil(FRAME as u64) } else { 0 };
        frames.checked_mul(OVERHEAD as u64)?.checked_add(self.image)?.checked_add(BYTES as u64)
    }

    /// Bytes of the whole file.
    pub(crate) fn length(&self) -> Option<u64> {
        self.items_at()?.checked_add(self.items)
    }

    /// What a frame is bound to.
    fn place(&self, index: u64) -> ([u8; BYTES], [u8; 8]) {
        (self.encode(), index.to_le_bytes())
    }

    /// Opens the sealed frame of this index where its part of the image belongs.
    pub(crate) fn open_frame(
        &self,
        key: &Key,
        index: u64,
        sealed: &[u8],
        part: &mut [u8],
    ) -> Result<(), khop_keys::Unsealed> {
        let (envelope, index) = self.place(index);
        khop_keys::open_into(key, &[&envelope, &index], sealed, part)
    }
}

/// Takes an image and writes it in sealed frames.
pub(crate) struct FrameWriter<'k, W> {
    out: W,
    key: &'k Key,
    envelope: Envelope,
    next: u64,
    part: Vec<u8>,
    sealed: Vec<u8>,
}

impl<'k, W: Write> FrameWriter<'k, W> {
    pub(crate) fn new(out: W, key: &'k Key, envelope: Envelope) -> Self {
        Self { out, key, envelope, next: 0, part: Vec::with_capacity(FRAME), sealed: Vec::new() }
    }

    fn seal(&mut self) -> io::Result<()> {
        if self.part.is_empty() {
            return Ok(());
        }
        let (envelope, index) = self.envelope.place(self.next);
        self.sealed.clear();
        khop_keys::seal(self.key, &[&envelope, &index], &self.part, &mut self.sealed).map_err(io::Error::other)?;
        self.out.write_all(&self.sealed)?;
        self.next += 1;
        self.part.clear();
        Ok(())
    }

    /// Writes the last frame; gives back what is written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.seal()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for FrameWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(FRAME - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        if self.part.len() == FRAME {
            self.seal()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        let (realm, number) = (RealmNumber::new(3), SegmentNumber::new(5));
        Envelope { realm, number, is_sealed: true, image: FRAME as u64 + 1, items: 100 }
    }

    #[test]
    fn the_bytes_are_pinned() {
        let hex: Vec<String> = envelope()
            .encode()
            .chunks(16)
            .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            .collect();
        assert_eq!(
            hex,
            [
                "4b484f5046494c450100000000001000",
                "03000000000000000500000000000000",
                "01001000000000006400000000000000",
                "0000000000000000a420827919e9fdcf",
            ]
        );
        assert_eq!(envelope().length(), Some(64 + FRAME as u64 + 1 + 2 * 40 + 100));
    }

    #[test]
    fn every_flipped_bit_and_every_other_length_is_found() {
        let (good, length) = (envelope().encode(), envelope().length().unwrap());
        assert_eq!(Envelope::decode(&good, length), Ok(envelope()));
        for bit in 0..BYTES * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Envelope::decode(&bad, length).is_err(), "bit {bit}");
        }
        assert!(matches!(Envelope::decode(&good, length - 1), Err(SegmentFault::Length { .. })));
        let huge = Envelope { image: u64::MAX, ..envelope() };
        assert_eq!(Envelope::decode(&huge.encode(), length), Err(SegmentFault::Header));
    }

    #[test]
    fn an_image_survives_its_frames() {
        let key = Key::random().unwrap();
        let image: Vec<u8> = (0..envelope().image).map(|i| (i % 249) as u8).collect();
        let mut writer = FrameWriter::new(Vec::new(), &key, envelope());
        for part in image.chunks(100_003) {
            writer.write_all(part).unwrap();
        }
        let frames = writer.finish().unwrap();
        assert_eq!(frames.len(), image.len() + 2 * OVERHEAD);
        let (first, second) = frames.split_at(FRAME + OVERHEAD);
        let mut opened = vec![0; image.len()];
        let (one, two) = opened.split_at_mut(FRAME);
        envelope().open_frame(&key, 0, first, one).unwrap();
        envelope().open_frame(&key, 1, second, two).unwrap();
        assert!(opened == image);
        // A frame in another's place, or of another segment, is none.
        let mut part = vec![0; 1];
        assert!(envelope().open_frame(&key, 2, second, &mut part).is_err());
        let other = Envelope { number: SegmentNumber::new(6), ..envelope() };
        assert!(other.open_frame(&key, 1, second, &mut part).is_err());
        assert!(envelope().open_frame(&key, 1, second, &mut [0; 2]).is_err());
    }
}
