//! Do arrays of scores say the same when they are counted part by part, when they are held, and when NumPy counts them?

use std::path::Path;
use std::process::{Command, Output};

use khop_formats::npy;
use serde_json::Value;

const FMRS: [&str; 3] = ["0.1", "0.01", "0.001"];

fn verification(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_khop"));
    command.current_dir(directory).args(["evaluate", "verification"]).args(arguments).output().unwrap()
}

fn answer(directory: &Path, arguments: &[&str]) -> Value {
    let output = verification(directory, &[arguments, &["--json", "--fmr", &FMRS.join(",")]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// 3,000 mated and 20,000 non-mated scores with many ties, as arrays and as a score file.
fn write_scores(directory: &Path) {
    let mut state = 11u32;
    let mut noise = || {
        let mut sum = 0.0;
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sum += (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
        }
        (sum * 500.0).round() / 1000.0
    };
    let mated: Vec<f32> = (0..3_000).map(|_| 0.6 + noise()).collect();
    let non_mated: Vec<f32> = (0..20_000).map(|_| noise()).collect();
    let mut file = String::from("probe,reference,score,mated\n");
    for (at, score) in mated.iter().enumerate() {
        file += &format!("m{at}-1,m{at}-2,{score},1\n");
    }
    for (at, score) in non_mated.iter().enumerate() {
        file += &format!("m{}-1,m{}-2,{score},0\n", at % 3_000, (at + 1 + at / 3_000) % 3_000);
    }
    std::fs::write(directory.join("scores.csv"), file).unwrap();
    std::fs::write(directory.join("mated.npy"), npy::write_f32(&[3_000], &mated)).unwrap();
    std::fs::write(directory.join("non-mated.npy"), npy::write_f32(&[200, 100], &non_mated)).unwrap();
}

#[test]
fn counted_held_and_counted_by_numpy() {
    let directory = tempfile::tempdir().unwrap();
    write_scores(directory.path());
    let arrays = ["--mated", "mated.npy", "--non-mated", "non-mated.npy", "--report", "page.html"];
    let counted = answer(directory.path(), &arrays);
    let held = answer(directory.path(), &["--scores-file", "scores.csv", "--resamples", "10"]);
    assert_eq!((&counted["mated"], &counted["non_mated"]), (&held["mated"], &held["non_mated"]));
    assert_eq!(counted["eer"], held["eer"]);
    let [ours, theirs] = [&counted, &held].map(|found| found["fnmr_at_fmr"].as_array().unwrap());
    assert_eq!((ours.len(), theirs.len()), (3, 3));
    for (ours, theirs) in ours.iter().zip(theirs) {
        for name in ["threshold", "errors", "false_matches", "fnmr", "binomial95"] {
            assert_eq!(ours[name], theirs[name], "{name}");
        }
        assert!(ours["errors"].as_u64().unwrap() > 3, "{ours}");
    }
    let page = std::fs::read_to_string(directory.path().join("page.html")).unwrap();
    assert!(page.contains("whose they are is not known") && page.contains("3\u{202f}000 mated"), "{page}");

    let Some(numpy) = numpy(directory.path()) else { return };
    let equal = numpy["eer"].as_array().unwrap().iter().map(|rate| rate.as_f64().unwrap());
    let eer = counted["eer"].as_f64().unwrap();
    assert!(equal.clone().any(|rate| (rate - eer).abs() < 1e-12), "{eer} {numpy}");
    for (ours, theirs) in ours.iter().zip(numpy["fnmr_at_fmr"].as_array().unwrap()) {
        for name in ["errors", "false_matches", "fmr"] {
            assert_eq!(ours[name], theirs[name], "{name}: {ours} {theirs}");
        }
        let [a, b] = [ours, theirs].map(|line| line["threshold"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

/// What NumPy counts; `None`, and said on standard error, where there is no Python with NumPy.
fn numpy(directory: &Path) -> Option<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/evaluate_numpy.py");
    let run =
        Command::new("python3").current_dir(directory).args([script, "mated.npy", "non-mated.npy"]).args(FMRS).output();
    let output = match run {
        Ok(output) if output.status.success() => output,
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("No module named 'numpy'") => {
            panic!("{}", String::from_utf8_lossy(&output.stderr))
        }
        _ => {
            eprintln!("NOT CHECKED against NumPy: there is no python3 with numpy here");
            return None;
        }
    };
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn arrays_that_mean_nothing_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    write("good.npy", &npy::write_f32(&[3], &[0.1, 0.2, 0.3]));
    write("nan.npy", &npy::write_f32(&[3], &[0.1, f32::NAN, 0.3]));
    write("none.npy", &npy::write_f32(&[0], &[]));
    write("text.npy", b"0.1\n0.2\n");
    let mut cut = npy::write_f32(&[3], &[0.1, 0.2, 0.3]);
    cut.pop();
    write("cut.npy", &cut);
    for (name, expected) in [
        ("nan.npy", "nan.npy: score 1: expected a finite number"),
        ("none.npy", "none.npy: expected at least one score, got none"),
        ("text.npy", "NumPy magic"),
        ("cut.npy", "cut.npy: expected the numbers of shape [3]"),
        ("missing.npy", "missing.npy"),
    ] {
        let refused = verification(directory.path(), &["--mated", "good.npy", "--non-mated", name]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(expected), "{name}: {said}");
    }
    let alone = verification(directory.path(), &["--mated", "good.npy"]);
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--non-mated"));
    let few = verification(directory.path(), &["--mated", "good.npy", "--non-mated", "good.npy", "--fmr", "1e-3"]);
    assert!(String::from_utf8_lossy(&few.stdout).contains("not measured: less than one false match"), "{few:?}");
}
