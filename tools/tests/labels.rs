//! Do `khop verify` and `khop identify` find a mate whose fingers are labelled wrongly, when asked to doubt labels?

use std::path::Path;
use std::process::Command;

use khop_formats::write_iso_2005;
use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Resolution};
use serde_json::{Value, json};

fn khop(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_khop")).current_dir(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(directory: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&khop(directory, &[arguments, &["--json"]].concat())).unwrap()
}

/// A record of a finger of unknown position, 40 minutiae scattered by `seed`.
fn record(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let minutia = |_| Minutia {
        x_px: next(300) as u16,
        y_px: next(350) as u16,
        angle_deg: next(256) as f32 * 360.0 / 256.0,
        kind: MinutiaKind::Ending,
        quality: None,
    };
    let sample = FingerSample {
        position: FingerPosition::Unknown,
        impression: Impression::LivePlain,
        quality: None,
        width_px: 400,
        height_px: 450,
        resolution: Resolution::DPI_500,
        minutiae: (0..40).map(minutia).collect(),
    };
    write_iso_2005(&[sample]).unwrap()
}

#[test]
fn exchanged_fingers_are_found_and_the_price_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for (name, seed) in [("a.fmr", 1), ("b.fmr", 2)] {
        std::fs::write(directory.join(name), record(seed)).unwrap();
    }
    let right = ["--finger", "RIGHT_INDEX=a.fmr", "--finger", "RIGHT_MIDDLE=b.fmr"];
    let wrong = ["--finger", "RIGHT_MIDDLE=a.fmr", "--finger", "RIGHT_INDEX=b.fmr"];
    khop(directory, &[&["enrol", "--data", "store", "--subject", "S1", "--encounter", "S1-0"], &right[..]].concat());
    let verify = [&["verify", "--data", "store", "--subject", "S1"], &wrong[..]].concat();
    let believed = json(directory, &verify);
    assert_eq!((&believed["match"], &believed["labels_tried"]), (&json!(false), &json!(1)));
    let doubting = [&verify[..], &["--doubt-labels"]].concat();
    let doubted = json(directory, &doubting);
    assert_eq!(doubted["match"], json!(true), "{doubted}");
    let moved = json!([["RIGHT_INDEX", "RIGHT_MIDDLE"], ["RIGHT_MIDDLE", "RIGHT_INDEX"]]);
    assert_eq!(doubted["labels_moved"], moved);
    let (tried, cost) = (doubted["labels_tried"].as_f64().unwrap(), doubted["labels_cost"].as_f64().unwrap());
    // As told both ways up, exchanged with each other, each with its other neighbour; the left hand is not enrolled.
    assert_eq!(tried, 5.0);
    assert!((cost - tried.ln()).abs() < 1e-6, "{doubted}");
    let text = khop(directory, &doubting);
    assert!(text.contains("5 readings of the labels tried, 7.0 points taken off"), "{text}");
    assert!(text.contains("labelled RIGHT_INDEX, compared with RIGHT_MIDDLE"), "{text}");

    let identify = [&["identify", "--data", "store"], &wrong[..]].concat();
    assert_eq!(json(directory, &identify)["candidates"], json!([]));
    let found = json(directory, &[&identify[..], &["--doubt-labels"]].concat());
    assert_eq!(found["candidates"][0]["subject"], json!("S1"));
    assert_eq!(found["candidates"][0]["llr"], doubted["llr"]);
}
