//! Does any array make the reader panic, or read what does not come back the same?
#![no_main]

use khop_formats::npy;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(array) = npy::read(bytes) else { return };
    let again = npy::read(&npy::write_f32(&array.shape, &array.values)).expect("what was written is an array");
    assert_eq!(again.shape, array.shape);
    assert!(
        again.values.iter().zip(&array.values).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
    );
});
