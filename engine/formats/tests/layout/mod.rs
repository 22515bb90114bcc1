//! How do the bytes of a record lie? Encoders written from the layouts, apart from the readers they test.
#![allow(dead_code)] // every test file takes the encoders it needs

/// A minutia in the units of the record.
#[derive(Debug, Clone, Copy)]
pub struct Packed {
    pub kind: u16,
    pub x: u16,
    pub y: u16,
    pub angle: u8,
    pub quality: u8,
}

/// A view in the units of the record.
#[derive(Debug, Clone)]
pub struct View {
    pub position: u8,
    pub number: u8,
    pub impression: u8,
    pub quality: u8,
    pub minutiae: Vec<Packed>,
    /// The extended data block without its length.
    pub extended: Vec<u8>,
}

/// Image size and resolution, the same along x and y but for the size.
#[derive(Debug, Clone, Copy)]
pub struct Image {
    pub width: u16,
    pub height: u16,
    pub px_per_cm: u16,
}

pub const IMAGE: Image = Image { width: 300, height: 400, px_per_cm: 197 };

/// Two views of made-up minutiae; angles stay below 180, so that they are legal in every format.
pub fn two_views() -> Vec<View> {
    let packed = |kind, x, y, angle, quality| Packed { kind, x, y, angle, quality };
    vec![
        View {
            position: 7,
            number: 0,
            impression: 0,
            quality: 88,
            minutiae: vec![packed(1, 12, 34, 0, 70), packed(2, 299, 399, 64, 0), packed(0, 0, 0, 179, 100)],
            extended: Vec::new(),
        },
        View {
            position: 2,
            number: 0,
            impression: 8,
            quality: 41,
            minutiae: vec![packed(2, 150, 201, 90, 55)],
            extended: area(2, &[1, 0, 140, 0, 190, 0], 4),
        },
    ]
}

/// An area whose length counts `counted` of its own four header bytes.
pub fn area(kind: u16, data: &[u8], counted: usize) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(((data.len() + counted) as u16).to_be_bytes());
    bytes.extend(data);
    bytes
}

pub fn iso_2005(image: Image, views: &[View]) -> Vec<u8> {
    let mut tail = vec![0x80, 0x07]; // certified, device 7
    push_image(&mut tail, image);
    tail.extend([views.len() as u8, 0]);
    push_views(&mut tail, views);
    let mut bytes = b"FMR\0 20\0".to_vec();
    bytes.extend((12 + tail.len() as u32).to_be_bytes());
    bytes.extend(tail);
    bytes
}

/// With the 16-bit total length, or with the 48-bit one that starts with two zero bytes.
pub fn incits_2004(image: Image, views: &[View], long_length: bool) -> Vec<u8> {
    let mut tail = vec![0x00, 0x42, 0x00, 0x11, 0x00, 0x07]; // owner, type, equipment
    push_image(&mut tail, image);
    tail.extend([views.len() as u8, 0]);
    push_views(&mut tail, views);
    let mut bytes = b"FMR\0 20\0".to_vec();
    if long_length {
        bytes.extend([0, 0]);
        bytes.extend((14 + tail.len() as u32).to_be_bytes());
    } else {
        bytes.extend((10 + tail.len() as u16).to_be_bytes());
    }
    bytes.extend(tail);
    bytes
}

/// `minutia_bytes` is 5 (no quality) or 6; certified records carry one certification block a representation.
pub fn iso_2011(image: Image, views: &[View], certified: bool, minutia_bytes: u8) -> Vec<u8> {
    let mut tail = (views.len() as u16).to_be_bytes().to_vec();
    tail.push(certified.into());
    for view in views {
        let mut one = vec![0x07, 0xe9, 1, 31, 23, 59, 58, 0x03, 0xe7]; // 2025-01-31 23:59:58.999
        one.extend([1, 0xab, 0xcd, 0x00, 0xb5]); // technology, vendor, device
        one.push(3); // quality blocks: the first algorithm failed, two worked
        for (score, algorithm) in [(255, 1), (view.quality, 2), (3, 3)] {
            one.extend([score, 0xab, 0xcd, 0, algorithm]);
        }
        if certified {
            one.extend([1, 0x12, 0x34, 2]);
        }
        one.extend([view.position, view.number]);
        one.extend(image.px_per_cm.to_be_bytes());
        one.extend(image.px_per_cm.to_be_bytes());
        one.push(view.impression);
        one.extend(image.width.to_be_bytes());
        one.extend(image.height.to_be_bytes());
        one.push(minutia_bytes << 4 | 1);
        one.push(view.minutiae.len() as u8);
        for minutia in &view.minutiae {
            push_minutia(&mut one, minutia);
            one.truncate(one.len() - usize::from(6 - minutia_bytes));
        }
        push_extended(&mut one, view);
        tail.extend((4 + one.len() as u32).to_be_bytes());
        tail.extend(one);
    }
    let mut bytes = b"FMR\x00030\0".to_vec();
    bytes.extend((12 + tail.len() as u32).to_be_bytes());
    bytes.extend(tail);
    bytes
}

fn push_image(bytes: &mut Vec<u8>, Image { width, height, px_per_cm }: Image) {
    for number in [width, height, px_per_cm, px_per_cm] {
        bytes.extend(number.to_be_bytes());
    }
}

fn push_views(bytes: &mut Vec<u8>, views: &[View]) {
    for view in views {
        bytes.extend([view.position, view.number << 4 | view.impression, view.quality, view.minutiae.len() as u8]);
        view.minutiae.iter().for_each(|minutia| push_minutia(bytes, minutia));
        push_extended(bytes, view);
    }
}

fn push_minutia(bytes: &mut Vec<u8>, minutia: &Packed) {
    bytes.extend((minutia.kind << 14 | minutia.x).to_be_bytes());
    bytes.extend(minutia.y.to_be_bytes());
    bytes.extend([minutia.angle, minutia.quality]);
}

fn push_extended(bytes: &mut Vec<u8>, view: &View) {
    bytes.extend((view.extended.len() as u16).to_be_bytes());
    bytes.extend(&view.extended);
}
