//! Which array of floats is meant? One in a NumPy file, in an archive of such, or in a column of a Parquet file.
//!
//! `X.npy`, `X.npz` with one array, `X.npz:NAME`, `X.parquet` with one column of floats, `X.parquet:COLUMN`. What a file
//! is says its beginning, not its name.

mod npz;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use khop_formats::npy::{Array, Element, Header, MAX_HEADER_BYTES, read_header};
use tempfile::NamedTempFile;

use crate::columnar;
use crate::failure::Failure;

pub use npz::write as write_npz;

/// An array that lies in a file, its numbers one after the other.
pub struct ArrayFile {
    path: PathBuf,
    element: Element,
    shape: Vec<usize>,
    bytes: Bytes,
}

/// Where the numbers lie.
enum Bytes {
    /// From this byte on of the file that was named.
    There(u64),
    /// From this byte on of a copy: what was packed or in a column.
    Unpacked(NamedTempFile, u64),
}

impl ArrayFile {
    /// Finds the array and checks that all of it is there. What is packed is unpacked into a temporary file, so that
    /// memory does not depend on the size.
    ///
    /// # Errors
    /// Another type than the three of [`Element`], more than two dimensions, numbers that are missing or too many, a
    /// damaged archive, no or several arrays where none is named; the error names file and array.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let (file_path, member) = split(path);
        let mut file = File::open(&file_path).map_err(Failure::at(&file_path))?;
        let mut start = Vec::new();
        (&mut file).take(4).read_to_end(&mut start).map_err(Failure::at(&file_path))?;
        let of_header = |(bytes, header): (Bytes, Header)| {
            let Header { element, shape, .. } = header;
            Self { path: path.to_owned(), element, shape, bytes }
        };
        match &start[..] {
            [b'P', b'K', ..] => Ok(of_header(npz::find(&file_path, path, member.as_deref())?)),
            columnar::MAGIC => Self::of_column(&file_path, path, member.as_deref()),
            _ if member.is_some() => {
                Err(Failure::at(path)("expected no name behind the colon: a file of this kind has one array"))
            }
            _ => {
                let length = file.metadata().map_err(Failure::at(path))?.len();
                file.rewind().map_err(Failure::at(path))?;
                let header = whole(&mut file, length).map_err(Failure::at(path))?.0;
                Ok(of_header((Bytes::There(header.data_offset as u64), header)))
            }
        }
    }

    fn of_column(file: &Path, path: &Path, column: Option<&str>) -> Result<Self, Failure> {
        let mut copy = NamedTempFile::new()?;
        let mut writer = BufWriter::with_capacity(1 << 20, copy.as_file_mut());
        let shape = columnar::numbers(file, column, |numbers| {
            numbers.iter().try_for_each(|number| writer.write_all(&number.to_le_bytes()))
        })?;
        writer.flush()?;
        drop(writer);
        Ok(Self { path: path.to_owned(), element: Element::F32, shape, bytes: Bytes::Unpacked(copy, 0) })
    }

    /// Reads an array whole: four bytes a number, and those of the file while they are turned into numbers.
    ///
    /// # Errors
    /// As [`ArrayFile::open`].
    pub fn read(path: &Path) -> Result<Array, Failure> {
        let array = Self::open(path)?;
        let size = array.count() * array.element.size();
        let mut bytes = vec![0; size];
        array.reader(0)?.read_exact(&mut bytes).map_err(Failure::at(path))?;
        Ok(Array { element: array.element, values: array.element.decode(&bytes), shape: array.shape })
    }

    /// As it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The type of the numbers.
    pub fn element(&self) -> Element {
        self.element
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The bytes of the numbers from this one on; each reader has a place of its own.
    pub fn reader(&self, first: usize) -> Result<File, Failure> {
        let (path, start) = match &self.bytes {
            Bytes::There(start) => (split(&self.path).0, *start),
            Bytes::Unpacked(copy, start) => (copy.path().to_owned(), *start),
        };
        let mut file = File::open(&path).map_err(Failure::at(&path))?;
        let place = start + (first * self.element.size()) as u64;
        file.seek(SeekFrom::Start(place)).map_err(Failure::at(&path))?;
        Ok(file)
    }
}

/// `FILE:NAME`, unless there is a file of the whole name.
fn split(path: &Path) -> (PathBuf, Option<String>) {
    let name = path
        .to_str()
        .and_then(|text| text.rsplit_once(':'))
        .filter(|(file, name)| !file.is_empty() && !name.is_empty() && !name.contains(['/', '\\']) && !path.exists());
    match name {
        Some((file, name)) => (PathBuf::from(file), Some(name.to_owned())),
        None => (path.to_owned(), None),
    }
}

/// The header of an array that takes up all of these bytes, and what was read to find it.
fn whole(bytes: &mut impl Read, length: u64) -> Result<(Header, Vec<u8>), String> {
    let mut head = Vec::new();
    let most = MAX_HEADER_BYTES as u64 + 12;
    bytes.take(most).read_to_end(&mut head).map_err(|cause| cause.to_string())?;
    let header = read_header(&head).map_err(|cause| cause.to_string())?;
    let expected = header.data_bytes().and_then(|size| size.checked_add(header.data_offset));
    if expected.map(|size| size as u64) == Some(length) {
        return Ok((header, head));
    }
    Err(format!("expected the numbers of shape {:?} and nothing behind them, got {length} bytes", header.shape))
}

fn buffered(path: &Path) -> Result<BufReader<File>, Failure> {
    Ok(BufReader::with_capacity(1 << 18, File::open(path).map_err(Failure::at(path))?))
}
