//! Does any record make the reader panic, or read what the writer cannot write back unchanged?
#![no_main]

use khop_formats::{read_minutiae, write_iso_2005};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(record) = read_minutiae(bytes) else { return };
    let Ok(written) = write_iso_2005(&record.views) else { return };
    let again = read_minutiae(&written).expect("what was written is a record");
    assert!(again.deviations.is_empty());
    assert_eq!(write_iso_2005(&again.views).expect("it was written before"), written);
});
