//! Has a score moved? The records of `testdata/fingers`, compared as they always were.

#[path = "../examples/golden_scores/scores.rs"]
mod scores;

use std::path::Path;

#[test]
fn no_score_has_moved() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fingers");
    let path = folder.join("scores.txt");
    let stored = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let now = scores::golden_scores(&folder).unwrap();
    let moved: Vec<String> =
        stored.lines().zip(now.lines()).filter(|(a, b)| a != b).map(|(a, b)| format!("- {a}\n+ {b}")).collect();
    let (before, after) = (stored.lines().count(), now.lines().count());
    assert!(
        moved.is_empty() && before == after,
        "{} of {before} golden scores differ, {after} lines now.\n{}\nWhere that is meant: `cargo xtask golden`, a line \
         under *Scores* in CHANGELOG.md, and say why in the commit.",
        moved.len(),
        moved[..moved.len().min(10)].join("\n")
    );
}

#[test]
fn the_golden_scores_tell_what_they_should() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fingers");
    let text = scores::golden_scores(&folder).unwrap();
    let score = |probe: &str, reference: &str| -> Option<f32> {
        let start = format!("{probe} {reference} ");
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {start}"));
        line.split(' ').nth(3).unwrap().parse().ok()
    };
    for mate in ["index-b", "untold-b", "fine-b"] {
        assert!(score("index-a", mate).unwrap() > 40.0, "{mate}: {:?}", score("index-a", mate));
    }
    assert!(score("thumb-a", "thumb-b").unwrap() > 40.0 && score("index-a", "partial-b").unwrap() > 20.0);
    for stranger in ["thumb-a", "hard-a", "stranger-a", "one-minutia", "turned-b"] {
        assert!(score("index-a", stranger).unwrap() < 20.0, "{stranger}: {:?}", score("index-a", stranger));
    }
    assert_eq!((score("no-minutia", "index-a"), score("index-a", "no-minutia")), (None, None));
    assert!(score("crowd-255", "crowd-255").is_some());
}
