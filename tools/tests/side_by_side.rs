//! Does `khop evaluate compare` set the score files of engines side by side, and say what is wrong with them?

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn compare(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_khop"));
    command.current_dir(directory).args(["evaluate", "compare"]).args(arguments).output().unwrap()
}

fn answer(directory: &Path, arguments: &[&str]) -> Value {
    let output = compare(directory, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every pair within two data sets of eight fingers with four impressions; both data sets number fingers from 1.
/// The score of a pair says how good the engine is and never repeats.
fn pairs() -> Vec<(&'static str, [u32; 4])> {
    let mut pairs = Vec::new();
    for set in ["wet", "dry"] {
        let samples: Vec<[u32; 2]> = (1..=8).flat_map(|finger| (1..=4).map(move |i| [finger, i])).collect();
        for (place, &[finger1, impression1]) in samples.iter().enumerate() {
            for &[finger2, impression2] in &samples[place + 1..] {
                pairs.push((set, [finger1, impression1, finger2, impression2]));
            }
        }
    }
    pairs
}

fn score(set: &str, [f1, i1, f2, i2]: [u32; 4], boost: f64) -> f64 {
    let draw = f64::from((f1 * 7919 + i1 * 104_729 + f2 * 1_299_709 + i2 * 15_485_863) % 10_007) / 10_007.0;
    let wet = if set == "wet" { 0.15 } else { 0.0 };
    draw * 0.6 + if f1 == f2 { boost - wet - 0.1 * f64::from(f1 % 3) } else { 0.0 }
}

/// As our own `--scores` writes them.
fn named(boost: f64) -> String {
    let row = |(set, of): (&str, [u32; 4])| {
        let ([f1, i1, f2, i2], mated) = (of, u8::from(of[0] == of[2]));
        format!("{set}/{f1}_{i1},{set}/{f2}_{i2},{},{mated}\n", score(set, of, boost))
    };
    let rows: String = pairs().into_iter().map(row).collect();
    format!("probe,reference,score,mated\n{rows}")
}

/// As a peer does, backwards.
fn fingers(boost: f64) -> String {
    let row = |(set, of): (&str, [u32; 4])| {
        let [f1, i1, f2, i2] = of;
        format!("{set},{f2},{i2},{f1},{i1},{}\n", 1000.0 * score(set, of, boost))
    };
    let rows: String = pairs().into_iter().rev().map(row).collect();
    format!("dataset,finger1,impression1,finger2,impression2,score\n{rows}")
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn engines_of_two_layouts_side_by_side() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    write("ours.csv", named(0.6).as_bytes());
    write("peer.csv.gz", &packed(&fingers(0.45)));
    write("same.csv", fingers(0.6).as_bytes());
    let files = ["ours.csv", "peer.csv.gz", "again=same.csv"];
    let written =
        ["--by", "dataset", "--svg", "det.svg", "--csv", "rates.csv", "--report", "r.html", "--fmr", "1e-2,1e-4"];
    let found = answer(directory.path(), &[&files[..], &written].concat());
    assert_eq!((&found["mated"], &found["non_mated"], &found["subjects"]), (&json!(96), &json!(896), &json!(16)));
    let [ours, peer, again] = [0, 1, 2].map(|i| &found["engines"][i]);
    assert_eq!((&ours["name"], &peer["name"], &again["name"]), (&json!("ours"), &json!("peer"), &json!("again")));
    assert_eq!(found["fmr_not_measured"], json!([1e-4]), "896 comparisons do not carry 1e-4");
    // The same scores on another scale, in another order and direction, in the other layout: nothing differs.
    let (rate, nothing) = (&ours["fnmr_at_fmr"][0], json!({"rate": 0.0, "ci95": [0.0, 0.0], "settled": false}));
    assert_eq!((&again["eer"]["difference"], &again["fnmr_at_fmr"][0]["difference"]), (&nothing, &nothing));
    assert_eq!((&again["eer"]["rate"], &again["fnmr_at_fmr"][0]["ci95"]), (&ours["eer"]["rate"], &rate["ci95"]));
    let [a, b] = [rate, &again["fnmr_at_fmr"][0]].map(|line| line["threshold"].as_f64().unwrap());
    assert!((a * 1000.0 - b).abs() < 1e-9, "thresholds are the engine's own scores: {a} {b}");
    // Counted by hand at that threshold.
    let all = pairs();
    let count = |is_mated: bool| {
        let of_kind = all.iter().filter(|(_, of)| (of[0] == of[2]) == is_mated);
        of_kind.filter(|(set, of)| score(set, *of, 0.6) >= a).count()
    };
    assert_eq!(rate["errors"], json!(96 - count(true)));
    assert_eq!(rate["false_matches"], json!(count(false)));
    assert!(count(false) <= 8, "one in a hundred of 896 is 8");
    let worse = &peer["fnmr_at_fmr"][0]["difference"];
    assert!(worse["rate"].as_f64().unwrap() > 0.1 && worse["settled"] == json!(true), "{worse}");
    let names: Vec<&str> = (0..2).map(|i| found["datasets"][i]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["dry", "wet"]);
    assert_eq!(found["datasets"][0]["mated"], json!(48), "finger 1 of one set is not finger 1 of the other");
    let of_set = |set: usize| found["datasets"][set]["engines"][0]["eer"]["rate"].as_f64().unwrap();
    assert!(of_set(1) > of_set(0), "wet fingers are harder");

    let svg = std::fs::read_to_string(directory.path().join("det.svg")).unwrap();
    assert!(["ours", "peer", "again"].iter().all(|name| svg.contains(&format!(">{name}</text>"))), "{svg}");
    let page = std::fs::read_to_string(directory.path().join("r.html")).unwrap();
    assert_eq!(
        (page.matches("<table>").count(), page.matches("<tr><td>EER</td>").count()),
        (3, 9),
        "both sets and each"
    );
    assert!(page.contains("<tr><td>FNMR at FMR 1e-2</td><td>peer</td>") && page.contains(">settled"), "{page}");
    let csv = std::fs::read_to_string(directory.path().join("rates.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 3 * 3 * 2, "EER and one FNMR, of three engines, on both sets and each");
    assert!(csv.lines().any(|line| line.starts_with("wet,peer,1e-2,")), "{csv}");
    let text = String::from_utf8(compare(directory.path(), &[&files[..], &written[..2]].concat()).stdout).unwrap();
    for expected in ["3 engines on 96 mated and 896 non-mated", "FNMR at FMR 1e-4: not measured", "By data set: EER /"]
    {
        assert!(text.contains(expected), "{text}");
    }
    assert!(text.lines().any(|line| line.starts_with("  peer ") && line.contains(" *")), "{text}");
}

#[test]
fn one_file_is_measured_alone() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    write("ours.csv", named(0.6).as_bytes());
    write("peer.csv.gz", &packed(&fingers(0.45)));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_khop"));
        command.current_dir(directory.path()).args(["evaluate", "verification"]).args(arguments).output().unwrap()
    };
    let alone = |file: &str| -> Value {
        let output = run(&["--scores-file", file, "--csv", "det.csv", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // What it says of a file is what the comparison of engines says of it.
    let both = answer(directory.path(), &["ours.csv", "peer.csv.gz", "--fmr", "1e-2", "--by", "dataset"]);
    for (place, file) in ["ours.csv", "peer.csv.gz"].into_iter().enumerate() {
        let (found, engine) = (alone(file), &both["engines"][place]);
        assert_eq!((&found["eer"], &found["eer_threshold"]), (&engine["eer"]["rate"], &engine["eer"]["threshold"]));
        let (line, expected) = (&found["fnmr_at_fmr"][0], &engine["fnmr_at_fmr"][0]);
        for name in ["fmr", "threshold", "errors", "false_matches", "ci95"] {
            assert_eq!(line[name], expected[name], "{file} {name}");
        }
        assert_eq!((&found["mated"], &found["samples"], &found["subjects"]), (&json!(96), &json!(64), &json!(16)));
        assert_eq!(found["comparator"], engine["name"]);
        assert_eq!(found["comparisons_per_s_per_core"], Value::Null, "nothing was compared");
        for (set, name) in ["dry", "wet"].into_iter().enumerate() {
            let expected = &both["datasets"][set]["engines"][place]["eer"]["rate"];
            assert_eq!((&found["datasets"][set]["name"], &found["datasets"][set]["eer"]), (&json!(name), expected));
        }
    }
    let csv = std::fs::read_to_string(directory.path().join("det.csv")).unwrap();
    let highest = csv.lines().filter_map(|line| line.split(',').nth(1)?.parse::<f64>().ok()).fold(0.0, f64::max);
    assert!(highest > 500.0, "thresholds in the peer's own scores: {highest}");
    for wrong in [&["--scores-file", "ours.csv", "--impostors", "fvc"][..], &["--missing-score", "0"]] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let nothing = run(&[]);
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(1), 0));
}

#[test]
fn what_cannot_be_compared_is_said_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    let whole = fingers(0.5);
    write("whole.csv", whole.as_bytes());
    let lacking: String =
        whole.lines().filter(|line| !line.starts_with("wet,8,4,")).map(|l| format!("{l}\n")).collect();
    write("lacking.csv", lacking.as_bytes());
    write("nan.csv", format!("{whole}dry,1,1,9,1,NaN\n").as_bytes());
    write("other.csv", b"a,b\n1,2\n");
    write("cut.csv.gz", &packed(&whole)[..200]);
    for (arguments, expected) in [
        (&["whole.csv", "lacking.csv"][..], "lacking.csv: no score for wet/8_4 and wet/1_1 and 30 more; --missing-"),
        (&["whole.csv", "nan.csv"], "nan.csv line 994, score: expected a finite number, got \"NaN\""),
        (&["whole.csv", "other.csv"], "other.csv: expected the columns probe, reference"),
        (&["whole.csv", "cut.csv.gz"], "cut.csv.gz after line "),
        (&["whole.csv", "missing.csv"], "missing.csv: No such file"),
        (&["whole.csv", "whole.csv"], "two engines are called whole: name them, NAME=FILE"),
        (&["whole.csv", "lacking.csv", "--missing-score", "nan"], "--missing-score: expected a finite number"),
    ] {
        let output = compare(directory.path(), arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {error}");
        assert!(error.starts_with("khop: ") && error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let found = answer(directory.path(), &["whole.csv", "lacking.csv", "--missing-score", "0"]);
    assert_eq!((&found["engines"][0]["missing"], &found["engines"][1]["missing"]), (&json!(0), &json!(31)));
    for wrong in [&["whole.csv"][..], &["whole.csv", "lacking.csv", "--fmr", "0"]] {
        assert_eq!(compare(directory.path(), wrong).status.code(), Some(2), "{wrong:?}");
    }
}
