//! Whatever is wrong with a score file: is it said in one line that names the place, and is nothing else said?

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const GOOD: &str = "probe,reference,score,mated\na/1,a/2,0.9,1\na/1,b/1,0.2,0\na/2,b/1,0.1,0\n";

fn evaluate(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_khop"));
    command.current_dir(directory).arg("evaluate").args(arguments).output().unwrap()
}

/// What is said of a file, which every measure must refuse in the same words.
fn refused(name: &str, bytes: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name), bytes).unwrap();
    std::fs::write(directory.path().join("good.csv"), GOOD).unwrap();
    let said = |arguments: &[&str]| {
        let output = evaluate(directory.path(), arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
        error.trim_end().strip_prefix("khop: ").expect("our own words").to_owned()
    };
    let error = said(&["verification", "--scores-file", name]);
    assert_eq!(error, said(&["identification", "--scores-file", name, "--missing-score", "0"]), "searches");
    assert_eq!(error, said(&["compare", &format!("x={name}"), "good.csv"]), "side by side");
    error
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_good_file_is_good() {
    let directory = tempfile::tempdir().unwrap();
    let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    let reordered = "mated,x,score,reference,probe\n1,,0.9,a/2,a/1\n0,,0.2,b/1,a/1\n0,,0.1,b/1,a/2";
    for (name, bytes) in [
        ("good.csv", GOOD.as_bytes().to_vec()),
        ("windows.csv", windows.into_bytes()),
        ("reordered.csv", reordered.into()),
        ("packed", packed(GOOD.as_bytes())),
    ] {
        std::fs::write(directory.path().join(name), bytes).unwrap();
        let output = evaluate(directory.path(), &["verification", "--scores-file", name, "--json"]);
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect(name);
        assert_eq!((&found["mated"], &found["non_mated"]), (&1.into(), &2.into()), "{name}");
    }
}

#[test]
fn what_is_no_score_file_at_all() {
    let said = |text: &str| refused("s.csv", text.as_bytes());
    assert_eq!(said(""), "s.csv: expected a header and rows, got an empty file");
    assert_eq!(said("probe,reference,score,mated\n"), "s.csv: expected at least one row, got the header alone");
    for (text, has) in [
        ("probe,reference,score\na,b,1\n", "probe, reference, score"),
        ("probe;reference;score;mated\na;b;1;1\n", "probe;reference;score;mated"),
        ("Probe,Reference,Score,Mated\na,b,1,1\n", "Probe, Reference, Score, Mated"),
        ("a,b,0.9,1\n", "a, b, 0.9, 1"),
        ("\n\n", "no column"),
    ] {
        let error = said(text);
        assert!(
            error.starts_with("s.csv: expected the columns probe, reference, score, mated or dataset, "),
            "{error}"
        );
        assert!(error.ends_with(&format!("; it has {has}")), "{error}");
    }
    let twice = said("probe,reference,score,mated,score\na,b,1,1,2\n");
    assert_eq!(twice, "s.csv: the column \"score\" stands there twice");
    let picture = refused("s.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    assert_eq!(picture, "s.csv line 1, header: expected text in UTF-8");
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(refused("s.csv", &utf16).starts_with("s.csv: expected the columns "), "every other byte is a zero");
    let with_mark = [&[0xff, 0xfe][..], &utf16].concat();
    assert_eq!(refused("s.csv", &with_mark), "s.csv line 1, header: expected text in UTF-8");
}

#[test]
fn a_field_that_means_nothing() {
    let row = |row: &str| refused("s.csv", format!("{GOOD}{row}\n").as_bytes());
    for score in ["NaN", "nan", "inf", "-inf", "1e999", "0,9", "high", "0x1p-1", "1_000"] {
        let error = match score.contains(',') {
            true => row(&format!("a/1,c/1,\"{score}\",0")),
            false => row(&format!("a/1,c/1,{score},0")),
        };
        assert_eq!(error, format!("s.csv line 5, score: expected a finite number, got {score:?}"));
    }
    for mated in ["yes", "true", "2", "", "1.0", "-1"] {
        let error = row(&format!("a/1,c/1,0.5,{mated}"));
        assert_eq!(error, format!("s.csv line 5, mated: expected 0 or 1, got {mated:?}"));
    }
    assert_eq!(row(",c/1,0.5,0"), "s.csv line 5, probe: expected a value, got an empty field");
    assert_eq!(row("a/1, ,0.5,0"), "s.csv line 5, reference: expected a value, got an empty field");
    assert_eq!(row("a/1,a/1,0.5,1"), "s.csv line 5: a/1 is compared with itself");
    assert_eq!(row("a/1,c/1,0.5"), "s.csv line 5: expected 4 fields as in the header, got 3");
    assert_eq!(row("a/1,c/1,0.5,0,"), "s.csv line 5: expected 4 fields as in the header, got 5");
    assert_eq!(row("\"a/1,c/1,0.5,0"), "s.csv line 5: expected 4 fields as in the header, got 1", "an open quote");
    let bytes = |row: &[u8]| refused("s.csv", &[GOOD.as_bytes(), row].concat());
    assert_eq!(bytes(b"a/1,c/\xff1,0.5,0\n"), "s.csv line 5, reference: expected text in UTF-8");
    assert_eq!(bytes(b"a/1,c/1,0.\xc3,0\n"), "s.csv line 5, score: expected text in UTF-8");
    assert_eq!(row("A/1,c/1,0.5,0"), "the samples \"a/1\" and \"A/1\" differ only in case or spaces");
}

#[test]
fn rows_that_cannot_be_together() {
    let said = |text: &str| refused("s.csv", text.as_bytes());
    let twice = format!("{GOOD}a/1,b/1,0.2,0\n");
    assert_eq!(said(&twice), "s.csv: a/1 and b/1 are compared on line 3 and again on line 5");
    let contradicted = GOOD.replace("a/2,b/1,0.1,0", "a/2,b/1,0.1,1");
    let denied = "s.csv line 3: a/1 and b/1 are non-mated here, but other rows make them one subject's";
    assert_eq!(said(&contradicted), denied);
    // The other way round is another search, but the same comparison.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("s.csv"), format!("{GOOD}b/1,a/1,0.2,0\n")).unwrap();
    let output = evaluate(directory.path(), &["verification", "--scores-file", "s.csv"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "khop: s.csv: a/1 and b/1 are compared on line 3 and again on line 5\n");
    // One kind of comparison or search alone.
    for (measure, kept, expected) in [
        ("verification", "0\n", "s.csv: expected at least one mated comparison, got none"),
        ("verification", "1\n", "s.csv: expected at least one non-mated comparison, got none"),
        ("identification", "0\n", "s.csv: expected at least one mated search, got none"),
        ("identification", "1\n", "s.csv: expected at least one search among other subjects, got none"),
    ] {
        let rows = GOOD.split_inclusive('\n').filter(|row| row.ends_with(kept));
        let text: String = std::iter::once("probe,reference,score,mated\n").chain(rows).collect();
        std::fs::write(directory.path().join("s.csv"), text).unwrap();
        let output = evaluate(directory.path(), &[measure, "--scores-file", "s.csv"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*error), (Some(1), &*format!("khop: {expected}\n")), "{measure} {kept}");
    }
}

#[test]
fn what_is_packed_and_damaged() {
    let mut text = String::from("probe,reference,score,mated\n");
    for at in 0..5_000 {
        text += &format!("p{at},r{at},0.{at},{}\n", at % 2);
    }
    let whole = packed(text.as_bytes());
    for cut in [whole.len() - 1, whole.len() / 2] {
        let error = refused("s.csv.gz", &whole[..cut]);
        let line = error.strip_prefix("s.csv.gz after line ").and_then(|rest| rest.split_once(": ")).expect(&error);
        assert!((1..=5_001).contains(&line.0.parse::<u32>().unwrap()), "{error}");
    }
    assert!(refused("s.csv.gz", &whole[..12]).starts_with("s.csv.gz: "), "not even a header");
    let mut damaged = whole.clone();
    let checksum = whole.len() - 8;
    damaged[checksum] ^= 1;
    assert!(refused("s.csv.gz", &damaged).starts_with("s.csv.gz after line 5001: "));
}

/// Three columns as they should be, and scores and labels as given.
fn columns(scores: &[Option<f64>], mated: &[i32]) -> Vec<u8> {
    let schema = "message s { required binary probe (string); required binary reference (string); optional double score; \
                  required int32 mated; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let names = |letter: &str| -> Vec<ByteArray> {
        (0..mated.len()).map(|row| ByteArray::from(&*format!("{letter}{row}"))).collect()
    };
    for letter in ["p", "r"] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&names(letter), None, None).unwrap();
        column.close().unwrap();
    }
    let levels: Vec<i16> = scores.iter().map(|score| i16::from(score.is_some())).collect();
    let values: Vec<f64> = scores.iter().flatten().copied().collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(mated, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn the_same_in_columns() {
    let said = |scores: &[Option<f64>], mated: &[i32]| refused("s.parquet", &columns(scores, mated));
    let nan = said(&[Some(0.5), Some(f64::NAN)], &[1, 0]);
    assert_eq!(nan, "s.parquet row 1, score: expected a finite number, got \"NaN\"");
    let infinite = said(&[Some(f64::NEG_INFINITY), Some(0.5)], &[1, 0]);
    assert_eq!(infinite, "s.parquet row 0, score: expected a finite number, got \"-inf\"");
    assert_eq!(said(&[Some(0.5), Some(0.1)], &[1, 7]), "s.parquet row 1, mated: expected 0 or 1, got \"7\"");
    assert_eq!(said(&[], &[]), "s.parquet: expected at least one row, got the header alone");
    let many: Vec<Option<f64>> = (0..20_000).map(|row| (row != 17_000).then_some(0.5)).collect();
    let mated: Vec<i32> = (0..20_000).map(|row| i32::from(row == 19_999) * 9 + row % 2).collect();
    assert_eq!(said(&many, &mated), "s.parquet row 19999, mated: expected 0 or 1, got \"10\"", "of a later batch");
    // A null is a comparison without a score, as an empty field is.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("s.parquet"), columns(&[None, Some(0.5)], &[1, 0])).unwrap();
    let output = evaluate(directory.path(), &["verification", "--scores-file", "s.parquet"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "khop: s.parquet: no score for p0 and r0; --missing-score 0 would count each as 0\n");
}
