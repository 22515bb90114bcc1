//! Where do the bytes of a segment lie? In a read-only map of its file, in private pages, or in memory: always 64-byte
//! aligned.
//!
//! The only `unsafe` of the crate. A map is sound as long as nobody changes the file below it: the store holds an
//! exclusive lock on its directory, never writes to a segment after its rename, and removes segments by unlinking,
//! which leaves the mapped pages alone. A file cut short by somebody else would raise SIGBUS when touched; the
//! length is therefore compared with the header's before anything is read, and what happens outside the lock is
//! outside the promise.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;

/// Alignment of every column, bytes: a cache line, and what the widest vector loads want.
pub(crate) const ALIGNMENT: usize = 64;

/// Bytes that start at a multiple of [`ALIGNMENT`].
pub(crate) enum Bytes {
    /// A read-only map of a whole file; pages are page-aligned.
    #[cfg(not(miri))]
    Mapped(memmap2::Mmap),
    /// Private pages that no file holds, and whether the system promised to keep them out of its swap space.
    #[cfg(not(miri))]
    Private(memmap2::Mmap, bool),
    /// Owned memory; the bytes start at `start`.
    Owned { memory: Box<[u8]>, start: usize, length: usize },
}

impl Bytes {
    /// Owned bytes of this length, written by `fill`.
    pub(crate) fn owned(length: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut memory = vec![0; length + ALIGNMENT].into_boxed_slice();
        // The address of a boxed slice never changes. `align_offset` may decline (only Miri does): then unaligned.
        let start = Some(memory.as_ptr().align_offset(ALIGNMENT)).filter(|&s| s < ALIGNMENT).unwrap_or(0);
        fill(&mut memory[start..start + length]);
        Self::Owned { memory, start, length }
    }

    /// The whole file, read-only.
    #[cfg(not(miri))]
    pub(crate) fn map(file: &File, length: u64) -> io::Result<Self> {
        if length == 0 {
            return Ok(Self::owned(0, |_| ()));
        }
        // SAFETY: the file is not changed while it is mapped, as the module's first lines explain: it lies in a
        // directory locked by this process, which never writes to a segment file after renaming it into place.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self::Mapped(map))
    }

    /// Private pages of this length, written by `fill`, then read-only; left out of core dumps, and of swap space where
    /// the process may lock so much. Large pages are not asked for: opening took three times as long with them, and searches
    /// as long as without.
    #[cfg(not(miri))]
    pub(crate) fn private<E: From<io::Error>>(
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut pages = memmap2::MmapMut::map_anon(length.max(1))?;
        let _ = pages.advise(memmap2::Advice::DontDump); // a kernel without it dumps more, and is right all the same
        let is_locked = pages.lock().is_ok();
        fill(&mut pages[..length])?;
        Ok(Self::Private(pages.make_read_only()?, is_locked))
    }

    /// Miri has no pages: the same bytes, owned.
    #[cfg(miri)]
    pub(crate) fn private<E>(length: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut filled = Ok(());
        let bytes = Self::owned(length, |memory| filled = fill(memory));
        filled.map(|()| bytes)
    }

    /// Miri cannot map files: the same bytes, read.
    #[cfg(miri)]
    pub(crate) fn map(mut file: &File, length: u64) -> io::Result<Self> {
        let mut bytes = Vec::new();
        io::Seek::seek(&mut file, io::SeekFrom::Start(0))?;
        io::Read::read_to_end(&mut file, &mut bytes)?;
        debug_assert_eq!(bytes.len() as u64, length);
        Ok(Self::owned(bytes.len(), |memory| memory.copy_from_slice(&bytes)))
    }

    /// Whether these are private pages that may be written to swap space.
    pub(crate) fn may_be_swapped(&self) -> bool {
        #[cfg(not(miri))]
        return matches!(self, Self::Private(_, false));
        #[cfg(miri)]
        false
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            #[cfg(not(miri))]
            Self::Mapped(map) => map,
            #[cfg(not(miri))]
            Self::Private(pages, _) => pages,
            Self::Owned { memory, start, length } => &memory[*start..start + length],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn owned_bytes_are_aligned_and_as_filled() {
        for length in [0usize, 1, 63, 64, 65, 1000] {
            let bytes = Bytes::owned(length, |memory| memory.fill(7));
            assert!(bytes.len() == length && bytes.iter().all(|&b| b == 7));
            assert!(cfg!(miri) || bytes.as_ptr().addr().is_multiple_of(ALIGNMENT));
        }
    }

    #[test]
    fn private_pages_are_aligned_and_as_filled() {
        for length in [0usize, 1, 4096, 3_000_000] {
            let bytes = Bytes::private(length, |pages| {
                pages.fill(7);
                Ok::<_, io::Error>(())
            });
            let bytes = bytes.unwrap();
            assert!(bytes.len() >= length && bytes[..length].iter().all(|&b| b == 7));
            assert!(cfg!(miri) || bytes.as_ptr().addr().is_multiple_of(ALIGNMENT));
        }
        let failed = Bytes::private(10, |_| Err(io::Error::other("made to")));
        assert!(failed.is_err_and(|error| error.to_string() == "made to"));
    }

    #[test]
    fn a_map_is_the_file() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..10_000u32).map(|i| (i % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let bytes = Bytes::map(&file, content.len() as u64).unwrap();
        assert!(*bytes == content[..]);
        let moved = std::thread::spawn(move || bytes.iter().map(|&b| u64::from(b)).sum::<u64>()).join().unwrap();
        assert_eq!(moved, content.iter().map(|&b| u64::from(b)).sum());
        assert!(Bytes::map(&tempfile::tempfile().unwrap(), 0).unwrap().is_empty());
    }
}
