//! What is in this NumPy file? Arrays of floats with one or two dimensions (`.npy`, format versions 1 to 3).

use half::f16;

use crate::FormatError;

/// Longest header read, in bytes; NumPy writes about 100.
pub const MAX_HEADER_BYTES: usize = 64 << 10;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The type of the numbers in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `<f2`, IEEE 754 binary16.
    F16,
    /// `<f4`, IEEE 754 binary32.
    F32,
    /// `<f8`, IEEE 754 binary64; rounded to binary32 when read.
    F64,
}

impl Element {
    /// NumPy's name for it.
    #[must_use]
    pub fn descr(self) -> &'static str {
        match self {
            Self::F16 => "<f2",
            Self::F32 => "<f4",
            Self::F64 => "<f8",
        }
    }

    /// Bytes of a number.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The numbers in these bytes, rounded to binary32; bytes behind the last whole number are left out.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F16 => numbers(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::F32 => numbers(bytes, f32::from_le_bytes),
            Self::F64 => numbers(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

/// What a file holds, before its numbers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The type of the numbers.
    pub element: Element,
    /// One or two dimensions.
    pub shape: Vec<usize>,
    /// The byte at which the numbers start.
    pub data_offset: usize,
}

impl Header {
    /// How many bytes the numbers take; `None` when that is no 64-bit number.
    #[must_use]
    pub fn data_bytes(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.element.size(), |size, &n| size.checked_mul(n))
    }
}

/// An array in row order.
#[derive(Clone, PartialEq)]
pub struct Array {
    /// The type the numbers had in the file.
    pub element: Element,
    /// One or two dimensions.
    pub shape: Vec<usize>,
    /// All numbers, last dimension fastest; as many as the product of the shape. They may be NaN or infinite.
    pub values: Vec<f32>,
}

impl Array {
    /// The rows of a two-dimensional array; the numbers one by one of a one-dimensional one.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        let width = self.shape.get(1).copied().unwrap_or(1).max(1);
        self.values.chunks_exact(width)
    }
}

impl std::fmt::Debug for Array {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Array({}, {:?})", self.element.descr(), self.shape)
    }
}

/// Reads an array of `<f2`, `<f4` or `<f8` in C order.
///
/// Allocates four bytes a number, after checking that the numbers are there. Source: the NumPy Enhancement
/// Proposal 1 and `numpy.lib.format`.
///
/// # Errors
/// [`FormatError`] for a wrong magic or version, a header that is too long, unreadable or lacks a key, another type
/// or order, more than two dimensions, and when the bytes behind the header are not exactly those of the shape.
pub fn read(bytes: &[u8]) -> Result<Array, FormatError> {
    let header = read_header(bytes)?;
    let data = &bytes[header.data_offset..];
    let size = header.data_bytes();
    let Header { element, shape, data_offset } = header;
    if size != Some(data.len()) {
        let expected = size.map_or("a product below 2^64".into(), |s| format!("{s} bytes for shape {shape:?}"));
        return Err(FormatError::unexpected("array data", data_offset, expected, format!("{} bytes", data.len())));
    }
    Ok(Array { element, shape, values: element.decode(data) })
}

/// Reads the header alone, from the start of a file; [`MAX_HEADER_BYTES`] and twelve bytes are always enough.
///
/// # Errors
/// As [`read`], but for the numbers.
pub fn read_header(bytes: &[u8]) -> Result<Header, FormatError> {
    let (at, text) = split_header(bytes)?;
    let Dictionary { element, shape } = Dictionary::parse(text, at)?;
    Ok(Header { element, shape, data_offset: at + text.len() })
}

fn numbers<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    data.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
}

/// Writes an array of `<f4` in C order, format version 1.0, its data aligned to 64 bytes as NumPy does.
///
/// # Panics
/// When the product of `shape` is not the number of values.
#[must_use]
pub fn write_f32(shape: &[usize], values: &[f32]) -> Vec<u8> {
    assert_eq!(shape.iter().product::<usize>(), values.len(), "the shape says how many values there are");
    let mut bytes = header_f32(shape);
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// What stands before the numbers of an array of `<f4` in C order, which follow one by one.
#[must_use]
pub fn header_f32(shape: &[usize]) -> Vec<u8> {
    let sizes = match shape {
        [one] => format!("{one},"),
        many => many.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({sizes}), }}");
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let length = u16::try_from(header.len()).expect("a shape has a few dimensions of at most twenty digits");
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes
}

/// The header text and where it starts.
fn split_header(bytes: &[u8]) -> Result<(usize, &[u8]), FormatError> {
    let magic = bytes.get(..6).unwrap_or(bytes);
    if magic != MAGIC {
        let found = format!("\"{}\"", magic.escape_ascii());
        return Err(FormatError::unexpected("NumPy magic", 0, "\"\\x93NUMPY\"", found));
    }
    let truncated = |field, offset, expected| FormatError::Truncated {
        field,
        offset,
        expected,
        found: bytes.len().saturating_sub(offset),
    };
    let &[major, minor] = bytes.get(6..8).ok_or_else(|| truncated("NumPy version", 6, 2))? else {
        unreachable!("a slice of two bytes")
    };
    let (length, header_at) = match (major, bytes.get(8..10), bytes.get(8..12)) {
        (1, Some(&[a, b]), _) => (usize::from(u16::from_le_bytes([a, b])), 10),
        (2 | 3, _, Some(&[a, b, c, d])) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        (1..=3, ..) => return Err(truncated("NumPy header length", 8, if major == 1 { 2 } else { 4 })),
        _ => {
            let found = format!("{major}.{minor}");
            return Err(FormatError::unexpected("NumPy version", 6, "1.0, 2.0 or 3.0", found));
        }
    };
    if length > MAX_HEADER_BYTES {
        let expected = format!("at most {MAX_HEADER_BYTES} bytes");
        return Err(FormatError::unexpected("NumPy header length", 8, expected, length));
    }
    let header = bytes.get(header_at..header_at + length);
    Ok((header_at, header.ok_or_else(|| truncated("NumPy header", header_at, length))?))
}

/// What the header's Python dictionary says.
struct Dictionary {
    element: Element,
    shape: Vec<usize>,
}

impl Dictionary {
    fn parse(text: &[u8], at: usize) -> Result<Self, FormatError> {
        let wrong = |field, expected: &str, found: &str| FormatError::unexpected(field, at, expected, found);
        let text = std::str::from_utf8(text).map_err(|_| wrong("NumPy header", "text", "bytes that are not UTF-8"))?;
        let entries = entries(text).ok_or_else(|| wrong("NumPy header", "a Python dictionary", "something else"))?;
        let value = |key: &'static str| {
            let found = entries.iter().find(|&&(k, _)| k == key).map(|&(_, v)| v);
            found.ok_or_else(|| wrong("NumPy header", &format!("the key '{key}'"), "none"))
        };
        let element = match value("descr")?.trim_matches(['\'', '"']) {
            "<f2" => Element::F16,
            "<f4" => Element::F32,
            "<f8" => Element::F64,
            other => return Err(wrong("descr", "'<f2', '<f4' or '<f8'", shown(other))),
        };
        match value("fortran_order")? {
            "False" => {}
            other => return Err(wrong("fortran_order", "False", shown(other))),
        }
        let tuple = value("shape")?;
        let shape = dimensions(tuple).filter(|shape| (1..=2).contains(&shape.len()));
        let shape = shape.ok_or_else(|| wrong("shape", "one or two dimensions", shown(tuple)))?;
        Ok(Self { element, shape })
    }
}

/// Enough of a header's value to recognise it by.
fn shown(value: &str) -> &str {
    value.char_indices().nth(40).map_or(value, |(end, _)| &value[..end])
}

/// The keys and values of `{'key': value, …}`; a value is a quoted string, a word or a tuple in brackets.
fn entries(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (key, after_key) = rest[1..].split_once(quote)?;
        let value = after_key.trim_start().strip_prefix(':')?.trim_start();
        let end = match value.chars().next()? {
            '(' => value.find(')')? + 1,
            quote @ ('\'' | '"') => value[1..].find(quote)? + 2,
            _ => value.find(',').unwrap_or(value.len()),
        };
        entries.push((key, value[..end].trim()));
        let after_value = value[end..].trim_start();
        rest = match after_value.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after_value.is_empty() => after_value,
            None => return None,
        };
    }
    Some(entries)
}

/// The numbers of `(3, 4)`, `(3,)` or `()`.
fn dimensions(tuple: &str) -> Option<Vec<usize>> {
    let inside = tuple.strip_prefix('(')?.strip_suffix(')')?.trim();
    let inside = inside.strip_suffix(',').unwrap_or(inside);
    if inside.is_empty() {
        return Some(Vec::new());
    }
    inside.split(',').map(|n| n.trim().trim_end_matches('L').parse().ok()).collect()
}
