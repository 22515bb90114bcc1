//! Are NumPy arrays read and written as NumPy does it?

use khop_formats::npy::{self, Element};
use proptest::prelude::*;

/// A file with this header text (version 1.0) and these bytes behind it.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn refused(header: &str, data: &[u8]) -> String {
    npy::read(&file(header, data)).unwrap_err().to_string()
}

#[test]
fn the_three_types() {
    let header = |descr| format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}  \n");
    let halves = npy::read(&file(&header("<f2"), &[0x00, 0x3c, 0x00, 0xc0])).unwrap();
    assert_eq!((halves.element, &halves.shape[..], &halves.values[..]), (Element::F16, &[2][..], &[1.0, -2.0][..]));
    let singles = npy::read(&file(&header("<f4"), &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])).unwrap();
    assert_eq!((singles.element, &singles.values[..]), (Element::F32, &[1.0, -2.0][..]));
    let doubles = [1f64.to_le_bytes(), (-2f64).to_le_bytes()].concat();
    let doubles = npy::read(&file(&header("<f8"), &doubles)).unwrap();
    assert_eq!((doubles.element, &doubles.values[..]), (Element::F64, &[1.0, -2.0][..]));
    assert_eq!(format!("{doubles:?}"), "Array(<f8, [2])"); // sizes only
}

#[test]
fn a_header_tells_what_follows() {
    let bytes = npy::write_f32(&[2, 3], &[0.0; 6]);
    let header = npy::read_header(&bytes[..128]).unwrap();
    assert_eq!((header.element, &header.shape[..], header.data_offset), (Element::F32, &[2, 3][..], 128));
    assert_eq!(header.data_bytes(), Some(24));
    let overflow = "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,), }";
    assert_eq!(npy::read_header(&file(overflow, &[])).unwrap().data_bytes(), None);
}

#[test]
fn rows_of_a_matrix_and_numbers_of_a_list() {
    let matrix = npy::read(&npy::write_f32(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).unwrap();
    assert_eq!(matrix.rows().collect::<Vec<_>>(), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let list = npy::read(&npy::write_f32(&[2], &[1.0, 2.0])).unwrap();
    assert_eq!(list.rows().collect::<Vec<_>>(), [[1.0], [2.0]]);
}

#[test]
fn headers_as_other_writers_write_them() {
    let any_order = "{\"shape\":(1,1),\"fortran_order\":False,\"descr\":\"<f2\"}";
    assert_eq!(npy::read(&file(any_order, &[0, 0x3c])).unwrap().values, [1.0]);
    let python_2 = "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 1L), }";
    assert_eq!(npy::read(&file(python_2, &[0, 0, 0x80, 0x3f])).unwrap().shape, [1, 1]);
    let header = "{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }";
    let mut version_2 = b"\x93NUMPY\x02\x00".to_vec();
    version_2.extend((header.len() as u32).to_le_bytes());
    version_2.extend(header.as_bytes());
    version_2.extend([0, 0x3c]);
    assert_eq!(npy::read(&version_2).unwrap().values, [1.0]);
    version_2[6] = 3;
    assert!(npy::read(&version_2).is_ok());
    version_2[6] = 4;
    assert_eq!(
        npy::read(&version_2).unwrap_err().to_string(),
        "NumPy version at byte 6: expected 1.0, 2.0 or 3.0, found 4.0"
    );
}

#[test]
fn what_numpy_would_read_back() {
    let bytes = npy::write_f32(&[1, 2], &[1.0, -2.0]);
    assert_eq!(bytes.len(), 128 + 8);
    assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
    let header = std::str::from_utf8(&bytes[10..128]).unwrap();
    assert_eq!(header.trim_end_matches(' '), header);
    assert_eq!(header.trim_end(), "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }");
    assert_eq!(bytes[128..], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
}

#[test]
fn bad_files_are_named() {
    let magic = npy::read(b"PK\x03\x04 a zip archive").unwrap_err().to_string();
    assert_eq!(magic, "NumPy magic at byte 0: expected \"\\x93NUMPY\", found \"PK\\x03\\x04 a\"");
    let good = npy::write_f32(&[2, 2], &[0.5; 4]);
    for length in 0..good.len() {
        let error = npy::read(&good[..length]).unwrap_err().to_string();
        assert!(error.contains("NumPy") || error.contains("array data"), "{length}: {error}");
    }
    let with = |descr, order, shape| format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    let order = refused(&with("<f4", "True", "(1,)"), &[0; 4]);
    assert_eq!(order, "fortran_order at byte 10: expected False, found True");
    let kind = refused(&with("<i8", "False", "(1,)"), &[0; 8]);
    assert_eq!(kind, "descr at byte 10: expected '<f2', '<f4' or '<f8', found <i8");
    for shape in ["()", "(1,1,1)", "(-1,)", "(1.5,)", "(,)", "1"] {
        let error = refused(&with("<f4", "False", shape), &[0; 4]);
        assert!(error.starts_with("shape at byte 10: expected one or two dimensions"), "{shape}: {error}");
    }
    let short = refused(&with("<f4", "False", "(2,)"), &[0; 4]);
    assert!(short.starts_with("array data at byte ") && short.ends_with("8 bytes for shape [2], found 4 bytes"));
    assert!(refused(&with("<f4", "False", "(1,)"), &[0; 5]).ends_with("4 bytes for shape [1], found 5 bytes"));
    let overflow = refused(&with("<f4", "False", "(4611686018427387904, 4)"), &[]);
    assert!(overflow.contains("expected a product below 2^64"), "{overflow}");
    let missing = refused("{'descr': '<f4', 'fortran_order': False}", &[]);
    assert_eq!(missing, "NumPy header at byte 10: expected the key 'shape', found none");
    for header in ["", "{", "[]", "{'descr'}", "{'descr': }", "{'a': 1 'b': 2}", "{'a", "{'a': (1, 2}"] {
        assert!(refused(header, &[]).contains("NumPy header"), "{header}");
    }
    let mut long = b"\x93NUMPY\x02\x00".to_vec();
    long.extend(65537u32.to_le_bytes());
    let long = npy::read(&long).unwrap_err().to_string();
    assert_eq!(long, "NumPy header length at byte 8: expected at most 65536 bytes, found 65537");
}

#[test]
#[should_panic(expected = "the shape says how many values there are")]
fn a_shape_that_lies_is_a_mistake_of_the_caller() {
    let _ = npy::write_f32(&[2, 2], &[0.0; 3]);
}

proptest! {
    #[test]
    fn round_trips(rows in 0..9usize, columns in 1..9usize, seed in any::<u32>()) {
        let value = |i: usize| f32::from_bits(seed.wrapping_mul(i as u32 + 1));
        let values: Vec<f32> = (0..rows * columns).map(value).collect();
        let bytes = npy::write_f32(&[rows, columns], &values);
        prop_assert_eq!((bytes.len() - 4 * values.len()) % 64, 0);
        let array = npy::read(&bytes).unwrap();
        prop_assert_eq!(array.shape, [rows, columns]);
        prop_assert!(array.values.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
        prop_assert_eq!(array.values.len(), values.len());
    }
}
