//! Which array of an archive is meant, and where does it lie? `.npz`: a zip of `.npy` files, packed or not.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use khop_formats::npy::{Header, header_f32};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{Bytes, buffered, whole};
use crate::choice::choose;
use crate::failure::Failure;

/// Finds the array; one that is packed is unpacked into a file of its own. Reads all of it once, for its checksum.
/// `path` is what the array was named as.
pub fn find(file: &Path, path: &Path, member: Option<&str>) -> Result<(Bytes, Header), Failure> {
    let mut archive = ZipArchive::new(buffered(file)?).map_err(Failure::at(file))?;
    let entries: Vec<String> = (0..archive.len())
        .map(|index| archive.name_for_index(index).and_then(|name| name.ok()).unwrap_or_default().into_owned())
        .collect();
    let arrays: Vec<&str> = entries.iter().filter_map(|entry| entry.strip_suffix(".npy")).collect();
    let array = choose("an array", &arrays, member, file)?;
    let index = entries.iter().position(|entry| entry.strip_suffix(".npy") == Some(array)).unwrap_or_default();
    let mut entry = archive.by_index(index).map_err(Failure::at(path))?;
    let (length, is_stored) = (entry.size(), entry.compression() == CompressionMethod::Stored);
    let (header, head) = whole(&mut entry, length).map_err(Failure::at(path))?;
    let offset = header.data_offset as u64;
    let bytes = match (is_stored, entry.data_start()) {
        (true, Some(start)) => {
            std::io::copy(&mut entry, &mut std::io::sink()).map_err(Failure::at(path))?;
            Bytes::There(start + offset)
        }
        _ => {
            let mut copy = NamedTempFile::new()?;
            let mut writer = BufWriter::with_capacity(1 << 20, copy.as_file_mut());
            writer.write_all(&head)?;
            let rest = length.saturating_sub(head.len() as u64);
            // One byte more than there should be: reaching the end is what makes the checksum count.
            let copied = std::io::copy(&mut entry.take(rest + 1), &mut writer).map_err(Failure::at(path))?;
            if copied != rest {
                return Err(Failure::at(path)(format!("expected {length} bytes unpacked, got other than that")));
            }
            writer.flush()?;
            drop(writer);
            Bytes::Unpacked(copy, offset)
        }
    };
    Ok((bytes, header))
}

/// Writes lists of numbers as arrays of these names, not packed, as `numpy.savez` does.
pub fn write<'a, I: Iterator<Item = f32>>(
    path: &Path,
    arrays: impl IntoIterator<Item = (&'a str, usize, I)>,
) -> Result<(), Failure> {
    let file = File::create(path).map_err(Failure::at(path))?;
    let mut archive = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    for (name, count, numbers) in arrays {
        archive.start_file(format!("{name}.npy"), options).map_err(Failure::at(path))?;
        archive.write_all(&header_f32(&[count])).map_err(Failure::at(path))?;
        let mut part = Vec::with_capacity(1 << 16);
        for number in numbers {
            part.extend(number.to_le_bytes());
            if part.len() >= 1 << 16 {
                archive.write_all(&part).map_err(Failure::at(path))?;
                part.clear();
            }
        }
        archive.write_all(&part).map_err(Failure::at(path))?;
    }
    archive.finish().map_err(Failure::at(path))?.flush().map_err(Failure::at(path))
}

#[cfg(test)]
mod tests {
    use super::super::ArrayFile;
    use super::*;

    #[test]
    fn the_checksum_of_a_long_array_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.npz");
        let numbers = || (0..50_000).map(|n| n as f32);
        write(&path, [("a", 50_000, numbers())]).unwrap();
        assert!(ArrayFile::read(&path).unwrap().values.into_iter().eq(numbers()));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[150_000] ^= 1; // in a number, which stays one
        std::fs::write(&path, bytes).unwrap();
        let refused = ArrayFile::read(&path).unwrap_err().to_string();
        assert!(refused.starts_with(path.to_str().unwrap()) && refused.contains("checksum"), "{refused}");
    }
}
