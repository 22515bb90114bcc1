//! How do rows lie in a segment? Column names and their bytes, written from rows and read as planes.
//!
//! Drawn in `docs/format.md`, "Columns". A tail block in memory and a mapped segment hold the same columns, so
//! searches know one kind of thing only.

use std::sync::Arc;

use khop_fingerprint::{TEMPLATE_VERSION, Template, code};
use khop_index::{
    Gallery, NibblePlane, Plane, PlaneError, ROTATION_VERSION, SignPlane, SignRow, nibble_stride, place_signs,
    sign_bytes, stride,
};
use khop_store::{Segment, SegmentDraft, SegmentError, SegmentFault};
use khop_vocabulary::{Attributes, GalleryId, Region, Sex};
use roaring::RoaringBitmap;

use crate::Error;
use crate::face_planes::FacePlanes;
use crate::prepared::SLOTS;
use crate::row::{FaceRow, FingerCode, Quantised, Row};

const FACE_DIM: &str = "face.dim";
const FACE_CODES: &str = "face.codes";
const FACE_SCALES: &str = "face.scales";
const FACE_SIGNS: &str = "face.signs";
const FACE_AGREEMENTS: &str = "face.agreements";
const FACE_NIBBLES: &str = "face.nibbles";
const FACE_FACTORS: &str = "face.factors";
const ATTRIBUTES: &str = "attributes";
const REGIONS: &str = "regions";
const GALLERIES: &str = "galleries";
const UNCODED: &str = "uncoded";

/// The byte that stands for zero in a plane.
const ZERO_CODE: u8 = 128;
/// Bytes of one row in the attributes column: year of birth u16, sex u8, zero u8, region index u32.
const ATTRIBUTES_BYTES: usize = 8;

/// Which algorithms made the columns. A segment that names others is rebuilt from the catalogue, never compared.
pub(crate) fn algorithms(planes: FacePlanes) -> String {
    let code = code::CODE_VERSION;
    let fingers = format!("finger-template {TEMPLATE_VERSION}; finger-code {code}");
    format!("columns 4; {fingers}; face-planes {planes}; rotation {ROTATION_VERSION}")
}

fn finger_column(slot: usize, part: &str) -> String {
    format!("finger.{slot}.{part}")
}

/// Lays rows out as columns, faces in the planes of their realm.
pub(crate) fn draft(rows: &[Arc<Row>], planes: FacePlanes) -> Result<SegmentDraft, Error> {
    let mut columns = vec![
        (ATTRIBUTES.to_owned(), Vec::with_capacity(rows.len() * ATTRIBUTES_BYTES)),
        (REGIONS.to_owned(), Vec::new()),
        (GALLERIES.to_owned(), galleries_bytes(rows)),
    ];
    let mut regions: Vec<&Region> = Vec::new();
    for row in rows {
        let region = row.attributes.region.as_ref().map_or(0, |region| {
            let known = regions.iter().position(|r| *r == region);
            known.unwrap_or_else(|| {
                regions.push(region);
                regions.len() - 1
            }) as u32
                + 1
        });
        let sex = match row.attributes.sex {
            None => 0,
            Some(Sex::Female) => 1,
            Some(Sex::Male) => 2,
        };
        columns[0].1.extend_from_slice(&row.attributes.year_of_birth.unwrap_or(0).to_le_bytes());
        columns[0].1.extend_from_slice(&[sex, 0]);
        columns[0].1.extend_from_slice(&region.to_le_bytes());
    }
    columns[1].1 = regions.iter().map(|r| r.as_str()).collect::<Vec<_>>().join("\n").into_bytes();

    if let Some(dim) = rows.iter().find_map(|r| Some(r.face.as_ref()?.bytes.dim)) {
        let (codes, scales) = plane(dim, rows.iter().map(|r| r.face.as_ref().map(|f| &f.bytes)))?;
        columns.push((FACE_DIM.to_owned(), (dim as u32).to_le_bytes().to_vec()));
        columns.push((FACE_CODES.to_owned(), codes));
        columns.push((FACE_SCALES.to_owned(), scales));
        coarse_columns(dim, rows, planes, &mut columns)?;
    }
    for slot in (0..SLOTS).filter(|&slot| rows.iter().any(|r| r.codes[slot].is_some())) {
        let codes_of_slot = || rows.iter().map(|row| row.codes[slot].as_ref());
        let (codes, scales) = plane(code::DIM, codes_of_slot().map(|code| code.map(|code| &code.bytes)))?;
        columns.push((finger_column(slot, "codes"), codes));
        columns.push((finger_column(slot, "scales"), scales));
        let (codes, agreements) = signs(code::SIGN_DIM, codes_of_slot().map(|code| code?.signs.as_ref()));
        columns.push((finger_column(slot, "signs"), codes));
        columns.push((finger_column(slot, "agreements"), agreements));
    }
    columns.push((UNCODED.to_owned(), uncoded_bytes(rows)));
    let records = rows.iter().map(|row| row.record).collect();
    let items = rows.iter().map(|row| template_bytes(row)).collect();
    Ok(SegmentDraft { records, columns, items, algorithms: algorithms(planes) })
}

/// Codes and scales of one plane; a row without a vector has the scale 0 and zeros.
fn plane<'a>(
    dim: usize,
    vectors: impl ExactSizeIterator<Item = Option<&'a Quantised>>,
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let stride = stride(dim);
    let mut codes = Vec::with_capacity(vectors.len() * stride);
    let mut scales = Vec::with_capacity(vectors.len() * 4);
    for vector in vectors {
        match vector {
            Some(vector) if vector.dim == dim => codes.extend_from_slice(&vector.codes),
            Some(vector) => {
                let cause = format!("expected {dim} numbers in every vector, got {}", vector.dim);
                return Err(Error::BadInput { field: "samples", cause });
            }
            None => codes.resize(codes.len() + stride, ZERO_CODE),
        }
        scales.extend_from_slice(&vector.map_or(0.0, |v| v.scale).to_le_bytes());
    }
    Ok((codes, scales))
}

/// Signs and agreements of one plane; a row without a vector has the agreement 0.
fn signs<'a>(dim: usize, vectors: impl ExactSizeIterator<Item = Option<&'a SignRow>>) -> (Vec<u8>, Vec<u8>) {
    let (mut codes, mut agreements) = (vec![0; sign_bytes(vectors.len(), dim)], vec![0; 4 * vectors.len()]);
    for (index, signs) in vectors.enumerate().filter_map(|(index, signs)| Some((index, signs?))) {
        place_signs(&mut codes, index, &signs.bits);
        agreements[4 * index..][..4].copy_from_slice(&signs.agreement.to_le_bytes());
    }
    (codes, agreements)
}

/// The coarse planes of the faces. Every face is in every plane of its realm: one that was missing in a coarse plane
/// would be ruled out unseen.
fn coarse_columns(
    dim: usize,
    rows: &[Arc<Row>],
    planes: FacePlanes,
    columns: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Error> {
    let lacking = |plane: &str| Error::Incomplete { cause: format!("a face was not made ready for plane {plane}") };
    let faces = || rows.iter().map(|row| row.face.as_ref()).enumerate();
    if planes.signs {
        if faces().any(|(_, face)| face.is_some_and(|face| face.signs.is_none())) {
            return Err(lacking("b1"));
        }
        let (codes, agreements) = signs(dim, faces().map(|(_, face)| face?.signs.as_ref()));
        columns.push((FACE_SIGNS.to_owned(), codes));
        columns.push((FACE_AGREEMENTS.to_owned(), agreements));
    }
    if planes.nibbles {
        let stride = nibble_stride(dim);
        let (mut codes, mut factors) = (vec![0; stride * rows.len()], vec![0; 8 * rows.len()]);
        for (index, face) in faces().filter_map(|(index, face): (usize, Option<&FaceRow>)| Some((index, face?))) {
            let nibbles = face.nibbles.as_ref().ok_or_else(|| lacking("b4"))?;
            codes[stride * index..][..stride].copy_from_slice(&nibbles.codes);
            factors[8 * index..][..8].copy_from_slice(&nibbles.factors());
        }
        columns.push((FACE_NIBBLES.to_owned(), codes));
        columns.push((FACE_FACTORS.to_owned(), factors));
    }
    Ok(())
}

/// For each gallery: name length u16, name, bitmap length u32, bitmap of rows.
fn galleries_bytes(rows: &[Arc<Row>]) -> Vec<u8> {
    let mut galleries = std::collections::BTreeMap::<&GalleryId, RoaringBitmap>::new();
    for (index, row) in rows.iter().enumerate() {
        for gallery in &row.galleries {
            galleries.entry(gallery).or_default().insert(index as u32);
        }
    }
    let mut bytes = Vec::new();
    for (gallery, bitmap) in galleries {
        let name = gallery.as_str().as_bytes();
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&(bitmap.serialized_size() as u32).to_le_bytes());
        bitmap.serialize_into(&mut bytes).expect("writing to a Vec does not fail");
    }
    bytes
}

/// Bitmap of the rows that have fingers but no finger code at all: no scan can rule them out.
fn uncoded_bytes(rows: &[Arc<Row>]) -> Vec<u8> {
    let bitmap: RoaringBitmap =
        (0u32..).zip(rows).filter(|(_, row)| row.is_uncoded()).map(|(index, _)| index).collect();
    let mut bytes = Vec::new();
    bitmap.serialize_into(&mut bytes).expect("writing to a Vec does not fail");
    bytes
}

/// A row's item. For each of its fingers: slot u8, length u16, template.
fn template_bytes(row: &Row) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (slot, template) in row.templates.iter().enumerate() {
        let Some(template) = template.as_ref().map(Template::as_bytes) else { continue };
        bytes.push(slot as u8);
        bytes.extend_from_slice(&(template.len() as u16).to_le_bytes());
        bytes.extend_from_slice(template);
    }
    bytes
}

/// The codes of one finger of everybody.
#[derive(Clone, Copy)]
pub(crate) struct FingerPlanes<'a> {
    pub(crate) bytes: Plane<'a>,
    pub(crate) signs: SignPlane<'a>,
}

/// A segment's columns, opened and checked against each other. Borrowed, cheap to make for every search.
pub(crate) struct Columns<'a> {
    rows: usize,
    pub(crate) face: Option<Gallery<'a>>,
    /// Bytes of the columns of the planes i8, b1 and b4.
    face_bytes: [u64; 3],
    pub(crate) fingers: [Option<FingerPlanes<'a>>; SLOTS],
    attributes: &'a [u8],
    regions: &'a [u8],
    galleries: &'a [u8],
    uncoded: &'a [u8],
    segment: &'a Segment,
}

impl<'a> Columns<'a> {
    /// Opens the columns; a damaged or inconsistent one makes the search incomplete.
    pub(crate) fn of(segment: &'a Segment) -> Result<Self, Error> {
        let rows = segment.rows() as usize;
        let column =
            |name: &str| -> Result<Option<&'a [u8]>, Error> { segment.column(name).map_err(Error::incomplete) };
        let need = |name: &'static str, length: Option<usize>| -> Result<&'a [u8], Error> {
            let bytes = column(name)?.ok_or_else(|| inconsistent(name, "is missing"))?;
            match length {
                Some(length) if bytes.len() != length => Err(inconsistent(name, "has the wrong length")),
                _ => Ok(bytes),
            }
        };
        let plane = |dim: usize, codes: &str, scales: &str| -> Result<Option<Plane<'a>>, Error> {
            match (column(codes)?, column(scales)?) {
                (Some(codes_bytes), Some(scales_bytes)) => {
                    let plane = Plane::new(dim, codes_bytes, scales_bytes);
                    let plane = plane.map_err(|cause| inconsistent(codes, &cause.to_string()))?;
                    if plane.rows() == rows {
                        Ok(Some(plane))
                    } else {
                        Err(inconsistent(codes, "has the wrong length"))
                    }
                }
                (None, None) => Ok(None),
                _ => Err(inconsistent(codes, "stands alone")),
            }
        };
        let face = match column(FACE_DIM)? {
            None => None,
            Some(dim) => {
                let dim = <[u8; 4]>::try_from(dim).map_err(|_| inconsistent(FACE_DIM, "has the wrong length"))?;
                let dim = u32::from_le_bytes(dim) as usize;
                match plane(dim, FACE_CODES, FACE_SCALES)? {
                    None => None,
                    Some(plane) => Some(faces(dim, plane, &column)?),
                }
            }
        };
        let mut fingers = [None; SLOTS];
        for (slot, finger) in fingers.iter_mut().enumerate() {
            let Some(bytes) = plane(code::DIM, &finger_column(slot, "codes"), &finger_column(slot, "scales"))? else {
                continue;
            };
            let name = finger_column(slot, "signs");
            let signs = sign_plane(code::SIGN_DIM, rows, &name, &finger_column(slot, "agreements"), &column)?;
            let signs = signs.ok_or_else(|| inconsistent(&name, "is missing"))?;
            *finger = Some(FingerPlanes { bytes, signs });
        }
        Ok(Self {
            rows,
            face,
            face_bytes: face_bytes(&column)?,
            fingers,
            attributes: need(ATTRIBUTES, Some(rows * ATTRIBUTES_BYTES))?,
            regions: need(REGIONS, None)?,
            galleries: need(GALLERIES, None)?,
            uncoded: need(UNCODED, None)?,
            segment,
        })
    }

    /// Bytes of a plane of faces, by its name.
    pub(crate) fn face_bytes(&self, plane: &str) -> u64 {
        ["i8", "b1", "b4"].iter().position(|name| *name == plane).map_or(0, |at| self.face_bytes[at])
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether any row has a finger.
    pub(crate) fn has_templates(&self) -> bool {
        self.segment.has_items()
    }

    /// Rows with fingers that no code speaks for.
    pub(crate) fn uncoded(&self) -> Result<RoaringBitmap, Error> {
        bitmap(UNCODED, self.uncoded)
    }

    /// The templates of one row by slot, opened; `None` when their key was destroyed, which an erasure does.
    pub(crate) fn templates(&self, row: u32) -> Result<Option<[Option<Template>; SLOTS]>, Error> {
        let damaged = || inconsistent("templates", "do not parse");
        let item = match self.segment.item(row) {
            Err(SegmentError { fault: SegmentFault::Destroyed(_), .. }) => return Ok(None),
            item => item.map_err(Error::incomplete)?,
        };
        let mut bytes = &*item;
        let mut templates = [const { None }; SLOTS];
        while let [slot, low, high, rest @ ..] = bytes {
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            let (template, after) = rest.split_at_checked(length).ok_or_else(damaged)?;
            let place = templates.get_mut(usize::from(*slot)).ok_or_else(damaged)?;
            *place = Some(Template::from_bytes(template).map_err(|_| damaged())?);
            bytes = after;
        }
        if bytes.is_empty() { Ok(Some(templates)) } else { Err(damaged()) }
    }

    /// A row as [`draft`] was given it; `None` when its key was destroyed, which an erasure does.
    pub(crate) fn row(&self, row: u32, galleries: &[(GalleryId, RoaringBitmap)]) -> Result<Option<Row>, Error> {
        let Some(templates) = self.templates(row)? else { return Ok(None) };
        let at = row as usize;
        let quantised = |plane: Plane<'_>| {
            let (codes, scale) = plane.row(at)?;
            Some(Quantised { dim: plane.dim(), codes: codes.into(), scale })
        };
        let face = |gallery: Gallery<'_>| {
            let signs = gallery.signs().and_then(|signs| signs.row(at));
            let nibbles = gallery.nibbles().and_then(|nibbles| nibbles.row(at));
            Some(FaceRow { bytes: quantised(gallery.plane())?, signs, nibbles })
        };
        let code = |finger: &FingerPlanes<'_>| {
            Some(FingerCode { bytes: quantised(finger.bytes)?, signs: finger.signs.row(at) })
        };
        Ok(Some(Row {
            record: self.segment.record(row),
            galleries: galleries.iter().filter(|(_, rows)| rows.contains(row)).map(|(name, _)| name.clone()).collect(),
            attributes: self.attributes_of(at)?,
            face: self.face.and_then(face),
            templates,
            codes: self.fingers.each_ref().map(|finger| finger.as_ref().and_then(code)),
        }))
    }

    /// The attributes of one row, the region by its name.
    fn attributes_of(&self, row: usize) -> Result<Attributes, Error> {
        let (attributes, region) = self.attributes(row);
        let Some(place) = region.checked_sub(1) else { return Ok(attributes) };
        let damaged = || inconsistent(REGIONS, "does not parse");
        let names = std::str::from_utf8(self.regions).map_err(|_| damaged())?;
        let name = names.split('\n').nth(place as usize).ok_or_else(damaged)?;
        Ok(Attributes { region: Some(Region::new(name).map_err(|_| damaged())?), ..attributes })
    }

    /// The attributes of one row, the region by its index in [`Columns::region_index`].
    pub(crate) fn attributes(&self, row: usize) -> (Attributes, u32) {
        let bytes = &self.attributes[row * ATTRIBUTES_BYTES..][..ATTRIBUTES_BYTES];
        let year = u16::from_le_bytes([bytes[0], bytes[1]]);
        let sex = match bytes[2] {
            1 => Some(Sex::Female),
            2 => Some(Sex::Male),
            _ => None,
        };
        let region = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        (Attributes { year_of_birth: (year != 0).then_some(year), sex, region: None }, region)
    }

    /// The index that rows of this region carry; `None` when no row does.
    pub(crate) fn region_index(&self, region: &Region) -> Option<u32> {
        let names = std::str::from_utf8(self.regions).ok()?;
        names.split('\n').position(|name| name == region.as_str()).map(|i| i as u32 + 1)
    }

    /// The rows that belong to a gallery; `None` when none does.
    pub(crate) fn gallery(&self, wanted: &GalleryId) -> Result<Option<RoaringBitmap>, Error> {
        let mut bytes = self.galleries;
        while !bytes.is_empty() {
            let SplitGallery { name, rows, rest } = split_gallery(bytes)?;
            if name == wanted.as_str().as_bytes() {
                return bitmap(GALLERIES, rows).map(Some);
            }
            bytes = rest;
        }
        Ok(None)
    }

    /// Every gallery with its rows.
    pub(crate) fn galleries(&self) -> Result<Vec<(GalleryId, RoaringBitmap)>, Error> {
        let (mut bytes, mut galleries) = (self.galleries, Vec::new());
        while !bytes.is_empty() {
            let SplitGallery { name, rows, rest } = split_gallery(bytes)?;
            let name = GalleryId::named(String::from_utf8_lossy(name));
            galleries.push((name.map_err(|_| inconsistent(GALLERIES, "does not parse"))?, bitmap(GALLERIES, rows)?));
            bytes = rest;
        }
        Ok(galleries)
    }
}

/// One gallery's bytes in the column, and those of the galleries behind it.
struct SplitGallery<'a> {
    name: &'a [u8],
    rows: &'a [u8],
    rest: &'a [u8],
}

fn split_gallery(bytes: &[u8]) -> Result<SplitGallery<'_>, Error> {
    let split = || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (rows, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some(SplitGallery { name, rows, rest })
    };
    split().ok_or_else(|| inconsistent(GALLERIES, "does not parse"))
}

fn bitmap(column: &str, bytes: &[u8]) -> Result<RoaringBitmap, Error> {
    RoaringBitmap::deserialize_from(bytes).map_err(|_| inconsistent(column, "does not parse"))
}

/// Reads a segment's column by its name.
type Reader<'r, 'a> = dyn Fn(&str) -> Result<Option<&'a [u8]>, Error> + 'r;

/// Bytes of the columns of each plane of faces.
fn face_bytes(column: &Reader<'_, '_>) -> Result<[u64; 3], Error> {
    let planes = [(FACE_CODES, FACE_SCALES), (FACE_SIGNS, FACE_AGREEMENTS), (FACE_NIBBLES, FACE_FACTORS)];
    let mut sizes = [0; 3];
    for (size, (first, second)) in sizes.iter_mut().zip(planes) {
        *size = [column(first)?, column(second)?].iter().flatten().map(|bytes| bytes.len() as u64).sum();
    }
    Ok(sizes)
}

/// A plane of sign bits, if there is one.
fn sign_plane<'a>(
    dim: usize,
    rows: usize,
    codes: &str,
    agreements: &str,
    column: &Reader<'_, 'a>,
) -> Result<Option<SignPlane<'a>>, Error> {
    match (column(codes)?, column(agreements)?) {
        (Some(bytes), Some(agreements)) => match SignPlane::new(dim, bytes, agreements) {
            Ok(plane) if plane.rows() == rows => Ok(Some(plane)),
            Ok(_) => Err(inconsistent(codes, "has the wrong length")),
            Err(cause) => Err(inconsistent(codes, &cause.to_string())),
        },
        (None, None) => Ok(None),
        _ => Err(inconsistent(codes, "stands alone")),
    }
}

/// The byte plane of faces with the coarse planes that lie beside it.
fn faces<'a>(dim: usize, plane: Plane<'a>, column: &Reader<'_, 'a>) -> Result<Gallery<'a>, Error> {
    let unfit = |name: &'static str| move |cause: PlaneError| inconsistent(name, &cause.to_string());
    let mut gallery = Gallery::new(plane);
    if let Some(signs) = sign_plane(dim, plane.rows(), FACE_SIGNS, FACE_AGREEMENTS, column)? {
        gallery = gallery.with_signs(signs).map_err(|cause| inconsistent(FACE_SIGNS, &cause.to_string()))?;
    }
    match (column(FACE_NIBBLES)?, column(FACE_FACTORS)?) {
        (Some(codes), Some(factors)) => {
            let nibbles = NibblePlane::new(dim, codes, factors).map_err(unfit(FACE_NIBBLES))?;
            gallery = gallery.with_nibbles(nibbles).map_err(|cause| inconsistent(FACE_NIBBLES, &cause.to_string()))?;
        }
        (None, None) => {}
        _ => return Err(inconsistent(FACE_NIBBLES, "stands alone")),
    }
    Ok(gallery)
}

fn inconsistent(column: &str, what: &str) -> Error {
    Error::Incomplete { cause: format!("segment column {column} {what}") }
}
