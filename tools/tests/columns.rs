//! Do scores and vectors say the same from CSV, from NumPy's archives and from Parquet, whoever wrote them?

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn testdata(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/columns").join(name);
    path.to_str().unwrap().to_owned()
}

fn evaluate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_khop")).arg("evaluate").args(arguments).output().unwrap()
}

fn answer(arguments: &[&str]) -> Value {
    let output = evaluate(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = evaluate(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).replace(&testdata(""), "")
}

/// Without what names the file.
fn findings(arguments: &[&str]) -> Value {
    let mut found = answer(arguments);
    found["comparator"] = Value::Null;
    found["name"] = Value::Null;
    found
}

#[test]
fn score_files_of_pyarrow_and_of_csv_say_the_same() {
    for measure in ["verification", "identification"] {
        let by = ["--by", "sex", "--by", "born:20", "--resamples", "40"];
        // Every pair stands once, so of searches half the references are missing.
        let missing = ["--missing-score", "-1", "--fpir", "0.5"];
        let file = |name: &str| {
            let file = testdata(name);
            let missing = if measure == "identification" { &missing[..] } else { &[] };
            findings(&[&[measure, "--scores-file", &file], &by[..], missing].concat())
        };
        let text = file("scores.csv");
        assert_eq!(text, file("scores.parquet"), "{measure}");
        assert!(text["by"][1]["groups"].as_array().unwrap().len() == 4 && text["mated"].as_u64() >= Some(20), "{text}");
    }
}

#[test]
fn arrays_of_numpy_are_counted_packed_or_not() {
    let arrays = |mated: &str, non_mated: &str| {
        let [mated, non_mated] = [mated, non_mated].map(testdata);
        findings(&["verification", "--mated", &mated, "--non-mated", &non_mated, "--fmr", "0.1,0.01"])
    };
    let stored = arrays("scores.npz:mated", "scores.npz:non_mated");
    let [errors, held] =
        [&stored, &answer(&["verification", "--scores-file", &testdata("scores.csv"), "--fmr", "0.1,0.01"])].map(
            |found| {
                found["fnmr_at_fmr"].as_array().unwrap().iter().map(|line| line["errors"].clone()).collect::<Vec<_>>()
            },
        );
    assert_eq!(errors, held);
    assert_eq!((stored["mated"].as_u64(), stored["non_mated"].as_u64()), (Some(20), Some(760)));
    assert_eq!(stored, arrays("packed.npz:mated", "packed.npz:non_mated"));
    let all = arrays("scores.parquet:score", "scores.parquet");
    assert_eq!((all["mated"].as_u64(), all["eer"].as_f64()), (Some(780), Some(0.5)), "a column is an array");
}

#[test]
fn vectors_of_any_writer_are_the_same_vectors() {
    let directory = tempfile::tempdir().unwrap();
    let labels = directory.path().join("labels.csv");
    std::fs::write(&labels, "row,subject,sample\n0,a,1\n1,a,2\n2,b,1\n3,b,2\n4,c,1\n5,c,2\n").unwrap();
    let of = |name: &str| {
        let vectors = testdata(name);
        let source = ["verification", "--modality", "face", "--vectors", &vectors, "--precision", "f32"];
        let mut found = findings(&[&source[..], &["--labels", labels.to_str().unwrap(), "--fmr", "0.25"]].concat());
        found["comparisons_per_s_per_core"] = Value::Null;
        found
    };
    let archive = of("faces.npz");
    assert_eq!(archive, of("faces.npz:arr_0"));
    assert_eq!(archive, of("faces.parquet"));
    assert_eq!(archive, of("faces.parquet:face"));
    assert_eq!(archive, of("halves.parquet"));
    assert!(archive["mated"].as_u64() == Some(3) && archive["eer"].is_number(), "{archive}");
}

#[test]
fn what_an_evaluation_writes_it_reads() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("l.csv"), "row,subject,sample\n0,a,1\n1,a,2\n2,b,1\n3,b,2\n4,c,1\n5,c,2\n").unwrap();
    let source = ["--modality", "face", "--vectors", &testdata("faces.npz"), "--labels", &at("l.csv")];
    for measure in ["verification", "identification"] {
        for name in ["s.csv", "s.parquet", "s.npz"] {
            answer(&[&[measure], &source[..], &["--scores", &at(name)]].concat());
        }
        let [text, columns] = ["s.csv", "s.parquet"].map(|name| findings(&[measure, "--scores-file", &at(name)]));
        assert_eq!(text, columns);
        let (mated, non_mated) = (format!("{}:mated", at("s.npz")), format!("{}:non_mated", at("s.npz")));
        let arrays = answer(&["verification", "--mated", &mated, "--non-mated", &non_mated]);
        assert_eq!(arrays["mated"], text["mated"], "{measure}");
    }
    let script = "import sys, numpy, pyarrow.parquet as p; d = sys.argv[1]; t = p.read_table(d + '/s.parquet'); \
                  z = numpy.load(d + '/s.npz'); m = t['mated'].to_numpy(); s = t['score'].to_numpy(); \
                  assert (s[m] == z['mated']).all() and (s[~m] == z['non_mated']).all() and len(s) == 15, t; \
                  assert t['probe'][0].as_py() == 'a/1', t";
    match Command::new("python3").args(["-c", script]).arg(directory.path()).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("No module named") => {
            panic!("{}", String::from_utf8_lossy(&output.stderr))
        }
        _ => eprintln!("NOT CHECKED against PyArrow: there is no python3 with pyarrow here"),
    }
}

#[test]
fn what_is_wrong_is_named() {
    let scores = |name: &str| refused(&["verification", "--scores-file", &testdata(name)]);
    let arrays = |mated: &str| {
        refused(&["verification", "--mated", &testdata(mated), "--non-mated", &testdata("scores.npz:mated")])
    };
    assert!(scores("zstd.parquet").contains("packed with Snappy or not at all"), "{}", scores("zstd.parquet"));
    assert!(scores("faces.parquet").starts_with("khop: faces.parquet: expected the columns probe, reference, score"));
    assert!(scores("faces.parquet").ends_with("it has id\n"), "{}", scores("faces.parquet"));
    assert_eq!(arrays("scores.npz"), "khop: scores.npz: it has mated, non_mated; name one: scores.npz:mated\n");
    let other = arrays("scores.npz:other");
    assert_eq!(other, "khop: scores.npz: expected an array called \"other\"; it has mated, non_mated\n");
    let column = arrays("scores.parquet:probe");
    assert!(
        column.ends_with("expected a column of floats, or of lists of them, called \"probe\"; it has score\n"),
        "{column}"
    );

    // Every damaged copy is refused or read, but nothing panics; one that lost its end is refused.
    let directory = tempfile::tempdir().unwrap();
    let (mut read, mut refusals) = (0, 0);
    let mut attempt = |name: &str, bytes: &[u8]| {
        let path: PathBuf = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        let output = match name.ends_with("npz") {
            true => evaluate(&[
                "verification",
                "--mated",
                &format!("{path}:mated"),
                "--non-mated",
                &format!("{path}:non_mated"),
            ]),
            false => evaluate(&["verification", "--resamples", "5", "--scores-file", path]),
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked") && output.status.code().is_some(), "{name}: {said}");
        if output.status.success() {
            read += 1
        } else {
            refusals += 1
        }
        output.status.success()
    };
    for name in ["scores.parquet", "scores.npz", "packed.npz"] {
        let whole = std::fs::read(testdata(name)).unwrap();
        assert!(attempt(name, &whole));
        for cut in [0, 1, 5, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            assert!(!attempt(name, &whole[..cut]), "{name} cut to {cut}");
        }
        for place in (0..whole.len()).step_by(whole.len() / 40) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x41;
            attempt(name, &damaged);
        }
    }
    assert!(refusals > 60 && read > 3, "{read} read, {refusals} refused");
}
