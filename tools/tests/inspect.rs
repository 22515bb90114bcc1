//! Does `khop inspect` say what a file holds, and what is wrong with it?

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn inspect(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_khop")).arg("inspect").args(arguments).output().unwrap()
}

fn json(arguments: &[&Path]) -> serde_json::Value {
    let arguments = [&[Path::new("--json")], arguments].concat();
    serde_json::from_slice(&inspect(&arguments).stdout).unwrap()
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(name)
}

#[test]
fn a_record_in_numbers() {
    for (name, format) in [
        ("iso-19794-2-2005-extended.fmr", "ISO/IEC 19794-2:2005"),
        ("iso-19794-2-2011.fmr", "ISO/IEC 19794-2:2011"),
        ("incits-378-2004.fmr", "INCITS 378-2004"),
    ] {
        let told = json(&[&golden(name)]);
        let file = &told["files"][0];
        assert_eq!((&file["kind"], &file["format"]), (&"minutiae".into(), &format.into()));
        let view = &file["views"][0];
        assert_eq!((&view["position"], &view["minutiae"]), (&"LEFT_INDEX".into(), &3.into()));
        assert_eq!((&view["width_px"], &view["height_px"], &view["quality"]), (&300.into(), &400.into(), &88.into()));
        assert_eq!(file["views"][1]["areas"][0]["type"], 2);
    }
    let output = inspect(&[&golden("iso-19794-2-2005.fmr")]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("ISO/IEC 19794-2:2005, 2 views"), "{text}");
    assert!(text.contains("LEFT_INDEX") && text.contains("300 × 400 px") && text.contains("3 minutiae"), "{text}");
    assert!(!text.contains("299"), "a coordinate in {text}");
}

#[test]
fn an_array_in_numbers() {
    let file = &json(&[&golden("float32-3x4.npy")])["files"][0];
    assert_eq!((&file["kind"], &file["dtype"]), (&"array".into(), &"<f4".into()));
    assert_eq!(file["shape"], serde_json::json!([3, 4]));
}

#[test]
fn what_cannot_be_read_is_named_and_hides_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let record = std::fs::read(golden("iso-19794-2-2005.fmr")).unwrap();
    let array = std::fs::read(golden("float32-3x4.npy")).unwrap();
    let long = [&record[..], &vec![0; 1 << 20]].concat();
    for (path, expected) in [
        (write("cut.fmr", &record[..50]), "cut.fmr: finger quality at byte 50: expected 1 byte, found 0"),
        (write("long.fmr", &long), "long.fmr: minutiae record: expected at most 1048576 bytes"),
        (
            write("other.fmr", b"FIR\x00010\x00"),
            "other.fmr: expected a minutiae record, a NumPy array or a data directory",
        ),
        (write("cut.npy", &array[..160]), "cut.npy: shape [3, 4]: expected 176 bytes, found 160"),
        (write("empty", b""), "empty: expected a minutiae record"),
        (directory.path().join("missing"), "missing: No such file or directory"),
        (directory.path().to_owned(), "expected a data directory, but it holds no file FORMAT"),
    ] {
        let output = inspect(&[&path]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.starts_with("khop: ") && error.contains(expected) && error.lines().count() == 1, "{error}");
    }
    let both = [&*golden("float32-3x4.npy"), &directory.path().join("cut.fmr")];
    let told = json(&both);
    assert_eq!(told["files"][0]["kind"], "array");
    assert!(told["files"][1]["error"].as_str().unwrap().contains("at byte 50"));
    assert_eq!(inspect(&both).status.code(), Some(1));
}
