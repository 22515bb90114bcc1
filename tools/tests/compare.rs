//! Does `khop compare` say how alike two files are, and what is wrong with them?

use std::path::Path;
use std::process::{Command, Output};

use khop_formats::{npy, write_iso_2005};
use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Resolution};

fn compare(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_khop")).current_dir(directory).arg("compare").args(arguments).output().unwrap()
}

fn json(directory: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = compare(directory, &[&["--json"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A finger of 40 minutiae scattered by `seed`, moved by `shift_px`.
fn finger(position: FingerPosition, seed: u32, shift_px: u16) -> FingerSample {
    let mut state = seed;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let minutia = |_| Minutia {
        x_px: next(300) as u16 + shift_px,
        y_px: next(350) as u16 + shift_px,
        angle_deg: next(256) as f32 * 360.0 / 256.0,
        kind: if next(2) == 0 { MinutiaKind::Ending } else { MinutiaKind::Bifurcation },
        quality: None,
    };
    FingerSample {
        position,
        impression: Impression::LivePlain,
        quality: None,
        width_px: 400,
        height_px: 450,
        resolution: Resolution::DPI_500,
        minutiae: (0..40).map(minutia).collect(),
    }
}

#[test]
fn fingers_by_position_and_without() {
    use FingerPosition::{LeftIndex, RightIndex, Unknown};
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, views: &[FingerSample]| {
        std::fs::write(directory.path().join(name), write_iso_2005(views).unwrap()).unwrap();
    };
    write("a.fmr", &[finger(RightIndex, 1, 0), finger(LeftIndex, 2, 0)]);
    write("same.fmr", &[finger(RightIndex, 1, 30), finger(LeftIndex, 2, 30)]);
    write("other.fmr", &[finger(RightIndex, 3, 0), finger(LeftIndex, 4, 0)]);
    write("unknown.fmr", &[finger(Unknown, 1, 0)]);
    let same = json(directory.path(), &["a.fmr", "same.fmr"]);
    let other = json(directory.path(), &["a.fmr", "other.fmr"]);
    let (high, low) = (same["score"].as_f64().unwrap(), other["score"].as_f64().unwrap());
    assert!(high > 40.0 && low < 20.0, "{same} {other}");
    assert!(same["llr"].as_f64().unwrap() > 9.0 && other["llr"].as_f64().unwrap() < 0.0, "{same} {other}");
    assert!((same["fmr"].as_f64().unwrap() - 10f64.powf(-high / 10.0)).abs() < 1e-6, "{same}");
    assert!(json(directory.path(), &["unknown.fmr", "unknown.fmr"])["score"].as_f64().unwrap() > 40.0);
    let text = String::from_utf8(compare(directory.path(), &["a.fmr", "same.fmr"]).stdout).unwrap();
    assert!(text.contains("RIGHT_INDEX") && text.contains("LEFT_INDEX") && text.contains("nats"), "{text}");
    let apart = compare(directory.path(), &["a.fmr", "unknown.fmr"]);
    assert_eq!((apart.status.code(), apart.stdout.len()), (Some(1), 0));
}

#[test]
fn what_the_comparator_saw_is_drawn() {
    use FingerPosition::{LeftIndex, RightIndex, Unknown};
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, views: &[FingerSample]| {
        std::fs::write(directory.path().join(name), write_iso_2005(views).unwrap()).unwrap();
    };
    let partial =
        FingerSample { minutiae: finger(RightIndex, 1, 0).minutiae[..30].to_vec(), ..finger(RightIndex, 1, 0) };
    write("a<b.fmr", &[partial, finger(LeftIndex, 2, 0)]);
    write("both.fmr", &[finger(RightIndex, 1, 30), finger(LeftIndex, 2, 30)]);
    write(
        "one.fmr",
        &[FingerSample { minutiae: finger(Unknown, 1, 0).minutiae[..1].to_vec(), ..finger(Unknown, 1, 0) }],
    );
    let drawn = |probe: &str, reference: &str| {
        let output = compare(directory.path(), &[probe, reference, "--trace", "t.svg"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(directory.path().join("t.svg")).unwrap()
    };
    let svg = drawn("a<b.fmr", "both.fmr");
    assert_eq!(svg, drawn("a<b.fmr", "both.fmr"), "the same traces, the same text");
    assert!(svg.contains("RIGHT_INDEX: score") && svg.contains("LEFT_INDEX: score"), "a row for every shared finger");
    assert!(svg.contains("probe a&lt;b.fmr: 30 minutiae, 30 paired"), "{svg}");
    assert!(svg.contains("reference both.fmr: 40 minutiae, 40 paired") && !svg.contains("a<b"), "{svg}");
    // 30 and 40 pairs, and one line in the key; the ten that the partial print lacks are dim, and so is one of the key.
    assert_eq!(svg.matches("<path class=\"pair\"").count(), 71);
    assert_eq!(svg.matches("<path class=\"apart\"").count(), 70);
    assert_eq!(svg.matches("reference alone").count(), 2 * 10);
    assert_eq!(svg.matches("probe alone").count(), 1);
    assert_eq!(svg.matches(">residual_px</text>").count(), 2);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    for tag in ["text", "g", "svg", "style"] {
        let opened = svg.matches(&format!("<{tag}>")).count() + svg.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let svg = drawn("one.fmr", "one.fmr");
    assert!(svg.contains("nothing aligns the two") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn vectors_by_model_and_row() {
    let directory = tempfile::tempdir().unwrap();
    let one: Vec<f32> = (0..512).map(|i| (i as f32 * 0.7).sin()).collect();
    let two: Vec<f32> = (0..512).map(|i| (i as f32 * 1.9).cos()).collect();
    std::fs::write(directory.path().join("one.npy"), npy::write_f32(&[512], &one)).unwrap();
    std::fs::write(directory.path().join("both.npy"), npy::write_f32(&[2, 512], &[&two[..], &one].concat())).unwrap();
    let model = ["--model", "khop-synth-512"];
    let same = json(directory.path(), &[&model[..], &["one.npy", "both.npy:1"]].concat());
    let other = json(directory.path(), &[&model[..], &["one.npy", "both.npy:0"]].concat());
    assert!(same["score"].as_f64().unwrap() > 40.0 && other["score"].as_f64().unwrap() < 20.0, "{same} {other}");
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    let record = write_iso_2005(&[finger(FingerPosition::Unknown, 1, 0)]).unwrap();
    write("good.fmr", &record);
    write("cut.fmr", &record[..20]);
    write(
        "empty.fmr",
        &write_iso_2005(&[FingerSample { minutiae: vec![], ..finger(FingerPosition::Unknown, 1, 0) }]).unwrap(),
    );
    write("good.npy", &npy::write_f32(&[512], &[1.0; 512]));
    write("two.npy", &npy::write_f32(&[2, 512], &[1.0; 1024]));
    write("nan.npy", &npy::write_f32(&[512], &[f32::NAN; 512]));
    write("short.npy", &npy::write_f32(&[100], &[1.0; 100]));
    let model = "--model=khop-synth-512";
    for (arguments, expected) in [
        (&["good.fmr", "missing.fmr"][..], "missing.fmr: No such file"),
        (&["good.fmr", "cut.fmr"], "cut.fmr: "),
        (&["empty.fmr", "good.fmr"], "empty.fmr: finger UNKNOWN: expected at least one minutia"),
        (&["good.fmr", "good.npy", model], "expected two minutiae records or two face vectors"),
        (&["good.npy", "short.npy"], "expected --model ID, one of"),
        (&[model, "good.npy", "short.npy"], "expected khop-synth-512 with 100 numbers, got khop-synth-512 with 512"),
        (&[model, "good.npy", "two.npy"], "two.npy: expected one vector, got 2"),
        (&[model, "good.npy", "two.npy:2"], "two.npy: expected a row below 2, got 2"),
        (&[model, "good.npy", "two.npy:x"], "two.npy:x: expected no name behind the colon"),
        (&[model, "good.npy", "nan.npy"], "nan.npy: face vector: expected finite numbers"),
        (&[model, "good.npy", "good.npy", "--trace", "t.svg"], "--trace: expected minutiae records"),
        (&["good.fmr", "good.fmr", "--trace", "no/t.svg"], "no/t.svg: No such file"),
        (&["--model=nobody", "good.npy", "good.npy"], "nobody"),
    ] {
        let output = compare(directory.path(), arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {error}");
        assert!(error.starts_with("khop: ") && error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
