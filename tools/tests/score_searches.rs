//! Does a score file of searches say what the searches said, whoever made it, and whose fault it is where it does not?

use std::path::Path;
use std::process::{Command, Output};

use khop_formats::npy;
use serde_json::{Value, json};

fn identification(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_khop"));
    command.current_dir(directory).args(["evaluate", "identification"]).args(arguments).output().unwrap()
}

fn answer(directory: &Path, arguments: &[&str]) -> Value {
    let output = identification(directory, &[arguments, &["--json", "--resamples", "50"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Forty people, three faces each, alike enough that some searches fail.
fn write_faces(directory: &Path) {
    let mut state = 7u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let (mut values, mut labels) = (Vec::new(), String::from("row,subject,sample\n"));
    for person in 0..40 {
        let own: Vec<f32> = (0..64).map(|_| noise()).collect();
        for sample in 0..3 {
            values.extend(own.iter().map(|v| v + 2.2 * noise()));
            labels += &format!("{},{person},{sample}\n", person * 3 + sample);
        }
    }
    std::fs::write(directory.join("x.npy"), npy::write_f32(&[120, 64], &values)).unwrap();
    std::fs::write(directory.join("l.csv"), labels).unwrap();
}

#[test]
fn growth_is_that_of_the_evaluation_but_for_the_time() {
    let directory = tempfile::tempdir().unwrap();
    write_faces(directory.path());
    let vectors = ["--modality", "face", "--vectors", "x.npy", "--labels", "l.csv", "--precision", "f32"];
    let sizes = ["--growth=10,20,40", "--fpir", "0.2", "--growth-csv"];
    let said = answer(directory.path(), &[&vectors[..], &["--scores", "s.csv"], &sizes, &["a.csv"]].concat());
    let read = answer(directory.path(), &[&["--scores-file", "s.csv"], &sizes[..], &["b.csv"]].concat());
    let [said, read] = [&said, &read].map(|found| found["growth"]["sizes"].as_array().unwrap().clone());
    // The whole gallery is the same; its parts are other people, as many of them.
    assert_eq!((said.len(), read.len()), (3, 3));
    for (said, read) in said.iter().zip(&read) {
        for name in ["references", "mated", "non_mated"] {
            assert_eq!(said[name], read[name], "{name}");
        }
        assert!(said["search_median"]["ms"].is_number() && read["search_median"].is_null());
    }
    assert_eq!((&said[0]["mated"], &said[0]["non_mated"]), (&json!(80), &json!(4 * 120)));
    assert_eq!(said[2]["rank1_errors"], read[2]["rank1_errors"]);
    for name in ["errors", "fnir", "false_positives"] {
        assert_eq!(said[2]["fnir_at_fpir"][0][name], read[2]["fnir_at_fpir"][0][name], "{name}");
    }
    let [a, b] = [&said, &read].map(|sizes| sizes[2]["fnir_at_fpir"][0]["threshold"].as_f64().unwrap());
    assert!((a - b).abs() < 1e-6, "{a} {b}: a score, no place in the scale");
    let rows = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap().lines().count();
    assert_eq!((rows("a.csv"), rows("b.csv")), (1 + 3 * 4, 1 + 3 * 2));
    let lists = identification(directory.path(), &["--scores-file", "s.csv", "--candidates-of", "40", "--growth"]);
    assert_eq!(lists.status.code(), Some(2), "candidate lists have no gallery to cut");
}

#[test]
fn the_file_of_an_evaluation_says_what_the_evaluation_said() {
    let directory = tempfile::tempdir().unwrap();
    write_faces(directory.path());
    let vectors = ["--modality", "face", "--vectors", "x.npy", "--labels", "l.csv", "--precision", "f32"];
    let said = answer(directory.path(), &[&vectors[..], &["--scores", "scores.csv", "--cmc", "a.csv"]].concat());
    let read = answer(directory.path(), &["--scores-file", "scores.csv", "--cmc", "b.csv"]);
    assert!(said["rank1_errors"].as_u64().unwrap() > 3, "{said}");
    assert_eq!((&said["mated"], &said["non_mated"]), (&json!(80), &json!(120)));
    assert_eq!(said["non_mated_with_mate_absent"], json!(40), "the references themselves");
    for name in ["mated", "non_mated", "non_mated_with_mate_absent", "references", "rank1_miss", "rank1_errors"] {
        assert_eq!(said[name], read[name], "{name}");
    }
    assert_eq!(said["fnir_at_fpir"][0]["errors"], read["fnir_at_fpir"][0]["errors"]);
    let [a, b] = [&said, &read].map(|found| found["fnir_at_fpir"][0]["threshold"].as_f64().unwrap());
    assert!((a - b).abs() < 1e-9, "{a} {b}");
    assert_eq!(said["miss_by_rank"], read["miss_by_rank"]);
    let cmc = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(cmc("a.csv"), cmc("b.csv"));

    let absent = answer(directory.path(), &["--scores-file", "scores.csv", "--mate-absent-only", "--fpir", "0.25,0.1"]);
    assert_eq!((&absent["mated"], &absent["non_mated"]), (&json!(80), &json!(40)));
    let returned = absent["fnir_at_fpir"][0]["false_positives"].as_u64().unwrap();
    assert!((8..=10).contains(&returned), "at most a quarter of 40; two references find each other: {returned}");
    assert_eq!(absent["fnir_at_fpir"][1]["fnir"], Value::Null, "four expected errors carry no rate");
}

/// Two enrolled people, of whom each is searched for `probes` times, and as many strangers; women have worse probes.
fn two_enrolled(probes: usize) -> String {
    let mut text = String::from("probe,reference,score,mated,sex,quality\n");
    for probe in 0..probes {
        let (sex, own) = if probe % 2 == 0 { ("F", 0.3 + (probe % 10) as f64 / 20.0) } else { ("M", 0.9) };
        let other = 0.1 + (probe % 7) as f64 / 20.0;
        let quality = 30 + probe % 40;
        text += &format!("a{probe},a,{own},1,{sex},{quality}\na{probe},b,{other},0,{sex},{quality}\n");
        text += &format!("x{probe},a,{other},0,{sex},{quality}\nx{probe},b,{},0,{sex},{quality}\n", other / 2.0);
    }
    text
}

#[test]
fn groups_are_compared_at_one_threshold() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("s.csv"), two_enrolled(200)).unwrap();
    let by = ["--scores-file", "s.csv", "--by", "sex", "--by", "quality:20", "--fpir", "0.15"];
    let found = answer(directory.path(), &by);
    assert_eq!((&found["references"], &found["mated"], &found["non_mated"]), (&json!(2), &json!(200), &json!(400)));
    let threshold = found["by"][0]["threshold"].as_f64().unwrap();
    assert_eq!(found["by"][0]["threshold"], found["fnir_at_fpir"][0]["threshold"]);
    let [women, men] = [0, 1].map(|i| &found["by"][0]["groups"][i]);
    assert_eq!((&women["value"], &men["value"]), (&json!("F"), &json!("M")));
    let missed = (0..200).step_by(2).filter(|probe| 0.3 + (probe % 10) as f64 / 20.0 < threshold).count();
    assert_eq!((&women["fnir"]["errors"], &women["fnir"]["trials"]), (&json!(missed), &json!(100)));
    assert_eq!(men["fnir"]["errors"], json!(0));
    assert!(men["fnir"]["ci95"][1].as_f64().unwrap() >= 0.03, "no error in a hundred is not never");
    let errors = |column: usize, rate: &str| -> u64 {
        let groups = found["by"][column]["groups"].as_array().unwrap();
        groups.iter().map(|group| group[rate]["errors"].as_u64().unwrap()).sum()
    };
    for rate in ["fnir", "fpir"] {
        assert_eq!(errors(0, rate), errors(1, rate), "{rate}: groups add up to all");
    }
    assert_eq!(errors(0, "fpir"), found["fnir_at_fpir"][0]["false_positives"].as_u64().unwrap());
    let output = identification(directory.path(), &by);
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in
        ["By sex, at 0.", "By quality, at 0.", "40–59", "no error in 100: below 3.00", "of a gallery of 2; of the"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn what_cannot_be_searched_is_said_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    let whole = two_enrolled(20);
    write("whole.csv", &whole);
    write("lacking.csv", &whole.replace("x3,b,", "x3,c,"));
    write("mateless.csv", "probe,reference,score,mated\np,a,0.5,0\nq,a,0.4,0\n");
    write("alone.csv", "probe,reference,score,mated\np,a,0.5,1\nq,a,0.4,1\n");
    write("header.csv", "probe,reference,score,mated\n");
    let file = |name: &'static str, more: &[&'static str]| [&["--scores-file", name][..], more].concat();
    for (arguments, expected) in [
        (file("lacking.csv", &[]), "lacking.csv: the search of a0 has no score for the reference c; --missing-score"),
        (file("mateless.csv", &[]), "expected at least one mated search, got none"),
        (file("alone.csv", &[]), "expected at least one search among other subjects, got none"),
        (file("header.csv", &[]), "header.csv: expected at least one row, got the header alone"),
        (file("whole.csv", &["--by", "age"]), "whole.csv: no column \"age\"; it has probe, reference"),
        (file("whole.csv", &["--by", "sex:5"]), "whole.csv line 2, sex: expected a number to put into a bin"),
        (file("whole.csv", &["--by", "sex", "--fpir", "1e-3"]), "--by: no rate asked for can be measured"),
    ] {
        let output = identification(directory.path(), &arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {error}");
        assert!(error.starts_with("khop: ") && error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    for wrong in [
        file("whole.csv", &["--fpir", "0"]),
        file("whole.csv", &["--missing-score", "nan"]),
        vec!["--candidates-of", "9"],
    ] {
        assert_eq!(identification(directory.path(), &wrong).status.code(), Some(2), "{wrong:?}");
    }
}
