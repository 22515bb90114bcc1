//! Does `khop import` enrol all that can be enrolled, name the rest, and go on after it was killed?

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use khop::{FaceVector, FingerSample, ModelId};
use khop_evaluate::synth::{Population, PopulationOptions};
use khop_formats::{npy, write_iso_2005};
use serde_json::Value;
use tempfile::TempDir;

const MODEL: &str = "khop-synth-512";

fn khop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_khop"));
    command.args(arguments);
    command
}

/// What a command that ends with this status prints: its result as JSON, if any, and its error.
fn run(arguments: &[&str], status: i32) -> (Value, String) {
    let output = khop(arguments).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{error}");
    assert!(error.is_empty() == (status == 0), "{error}");
    (serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), error)
}

/// A directory for one test: a store, and what is imported into it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), contents).unwrap();
        self.text(name)
    }

    /// Imports with these arguments into the store, as JSON.
    fn import(&self, arguments: &[&str], status: i32) -> (Value, String) {
        let data = self.text("store");
        run(&[&["import", "--data", &data, "--json", "--threads", "1"], arguments].concat(), status)
    }

    fn encounters(&self) -> Value {
        run(&["inspect", "--json", &self.text("store")], 0).0["files"][0]["realms"][0]["encounters"].clone()
    }
}

fn population() -> Population {
    Population::new(11, PopulationOptions::default())
}

/// A good record of one finger.
fn finger(person: u64, encounter: u32) -> Vec<u8> {
    let fingers: Vec<FingerSample> = population().person(person).fingers(encounter);
    let best = fingers.into_iter().max_by_key(|finger| finger.minutiae.len()).unwrap();
    write_iso_2005(&[best]).unwrap()
}

fn counts(told: &Value, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| told[name].as_u64().unwrap_or_else(|| panic!("{name} in {told}"))).collect()
}

/// A manifest of two people with two impressions each, and one capture that failed.
fn manifest(place: &Place) -> String {
    let mut csv = String::from("dataset,extractor,finger,impression,path\n");
    for person in 0..2 {
        for impression in 1..=2 {
            let name = format!("{person}_{impression}.fmr");
            place.write(&name, finger(person, impression));
            csv += &format!("d,x,{person},{impression},{name}\n");
        }
    }
    place.write("m.csv", csv + "d,x,2,1,\n")
}

#[test]
fn every_refusal_is_named_and_nothing_else_is_lost() {
    let place = Place::new();
    let manifest = manifest(&place);
    let good = std::fs::read(place.path("0_1.fmr")).unwrap();
    let mut empty =
        FingerSample { minutiae: Vec::new(), ..khop_formats::read_minutiae(&good).unwrap().views[0].clone() };
    empty.quality = None;
    let bad: [(&str, Vec<u8>, &str); 5] = [
        ("cut", good[..40].to_vec(), "at byte"),
        ("magic", b"FIR\x00010\x00 an image".to_vec(), "format identifier at byte 0: expected \"FMR\\0\""),
        ("none", write_iso_2005(&[empty]).unwrap(), "expected at least one minutia, got none"),
        ("long", vec![0; (1 << 20) + 1], "expected a record of at most 1048576 bytes"),
        ("a finger", good.clone(), "found ' ' at character"),
    ];
    let mut csv = std::fs::read_to_string(&manifest).unwrap();
    for (name, bytes, _) in &bad {
        place.write(&format!("{name}.fmr"), bytes);
        csv += &format!("d,x,{name},1,{name}.fmr\n");
    }
    place.write("m.csv", csv + "d,x,missing,1,missing.fmr\n");

    let report = place.text("failures.csv");
    let (told, error) = place.import(&["--manifest", &manifest, "--failures", &report], 1);
    assert_eq!(counts(&told, &["enrolled", "already_there", "not_captured", "failed"]), [4, 0, 1, 6]);
    assert_eq!(error, format!("khop: 6 encounters were refused, all others are enrolled; see {report}\n"));
    let reasons = std::fs::read_to_string(&report).unwrap();
    for (name, _, expected) in bad.iter().chain([&("missing", Vec::new(), "No such file")]) {
        let line = reasons.lines().find(|line| line.starts_with(&format!("d-x-{name}-1,")));
        assert!(line.is_some_and(|line| line.replace("\"\"", "\"").contains(expected)), "{name}: {reasons}");
    }
    assert_eq!(reasons.lines().count(), 7);
    assert_eq!(place.encounters(), 4);

    let (told, _) = place.import(&["--manifest", &manifest, "--where", "finger=0|1"], 0);
    assert_eq!(counts(&told, &["enrolled", "already_there", "failed"]), [0, 4, 0]);
}

#[test]
fn the_same_name_for_something_else_is_refused() {
    let place = Place::new();
    let manifest = manifest(&place);
    place.import(&["--manifest", &manifest, "--no-check"], 0);
    place.write("0_1.fmr", finger(7, 0));
    let (told, _) = place.import(&["--manifest", &manifest], 1);
    assert_eq!(counts(&told, &["enrolled", "already_there", "failed"]), [0, 3, 1]);
    let expected = "encounter: d-0/d-x-0-1 is enrolled already, with other samples";
    assert_eq!(told["failures"][0]["reason"], expected);
}

/// An array of faces of persons 0, 1, 2 …, one each, and its labels.
fn faces(place: &Place, people: u64, change: impl Fn(u64, &mut [f32])) -> (String, String) {
    let mut values = Vec::new();
    let mut labels = String::from("row,subject,sample,label_ok\n");
    for person in 0..people {
        let mut face = population().person(person).face(0);
        change(person, &mut face);
        assert!(person != 0 || FaceVector::new(ModelId::new(MODEL).unwrap(), face.clone()).is_ok());
        values.extend(face);
        labels += &format!("{person},P{person},1,{}\n", u64::from(person != 1));
    }
    let vectors = place.write("f.npy", npy::write_f32(&[people as usize, 512], &values));
    (vectors, place.write("f.csv", labels))
}

#[test]
fn vectors_that_are_none_are_named() {
    let place = Place::new();
    let (vectors, labels) = faces(&place, 6, |person, face| match person {
        2 => face[100] = f32::NAN,
        3 => face[7] = f32::INFINITY,
        4 => face.fill(0.0),
        _ => {}
    });
    let arguments = ["--vectors", &vectors, "--labels", &labels, "--model", MODEL, "--gallery", "G"];
    let (told, _) = place.import(&[&arguments[..], &["--clean"]].concat(), 1);
    assert_eq!(counts(&told, &["enrolled", "failed"]), [2, 3]);
    let reasons = told["failures"].to_string();
    for expected in ["number 100 is not", "number 7 is not", "expected a non-zero vector"] {
        assert!(reasons.contains(expected), "{expected}: {reasons}");
    }
    let (told, _) = place.import(&arguments, 1);
    assert_eq!(counts(&told, &["enrolled", "already_there", "failed"]), [1, 2, 3]);
}

#[test]
fn vectors_of_another_kind_are_refused_before_anything_is_done() {
    let place = Place::new();
    let (vectors, labels) = faces(&place, 2, |_, _| {});
    let with = |vectors: &str, model: &str, more: &[&str], status| {
        let arguments = ["--vectors", vectors, "--labels", &labels, "--model", model];
        place.import(&[&arguments[..], more].concat(), status)
    };
    let (_, error) = with(&vectors, "nobody-512", &[], 1);
    assert!(error.contains("nobody-512 has no calibration") && error.lines().count() == 1, "{error}");
    with(&vectors, MODEL, &[], 0);
    let (_, error) = with(&vectors, "nobody-512", &["--no-check"], 1);
    assert!(error.contains(&format!("expected {MODEL} with 512 numbers, got nobody-512 with 512")), "{error}");
    let other = place.write("other.npy", npy::write_f32(&[2, 128], &[0.1; 256]));
    let (_, error) = with(&other, MODEL, &[], 1);
    assert!(error.contains(&format!("expected {MODEL} with 512 numbers, got {MODEL} with 128")), "{error}");
    let short = place.write("short.npy", npy::write_f32(&[2, 63], &[0.1; 126]));
    let (_, error) = with(&short, MODEL, &[], 1);
    assert!(
        error.contains("short.npy: shape: expected two dimensions, the second from 64 to 4096, got [2, 63]"),
        "{error}"
    );
    let few = place.write("few.npy", npy::write_f32(&[1, 512], &[0.1; 512]));
    let (_, error) = with(&few, MODEL, &[], 1);
    assert!(error.contains("f.csv: row 1 is labelled, but ") && error.contains("few.npy has 1 rows"), "{error}");
    assert_eq!(place.encounters(), 2);
}

#[test]
fn a_wrong_request_is_one_clear_line() {
    let place = Place::new();
    let manifest = manifest(&place);
    let error = |arguments: &[&str], status| place.import(arguments, status).1;
    let unknown = error(&["--manifest", &manifest, "--where", "sensor=a"], 1);
    assert!(unknown.contains("no column \"sensor\"; it has dataset, extractor, finger, impression, path"), "{unknown}");
    let realm = error(&["--manifest", &manifest, "--realm", "flight"], 1);
    assert_eq!(realm, "khop: realm: flight does not exist; create it first\n");
    place.import(&["--manifest", &manifest, "--realm", "flight", "--create-realm"], 0);
    let twice = place.write("t.csv", "dataset,extractor,finger,impression,path\na-b,x,c,1,\na,b-x,c,1,\n");
    let twice = error(&["--manifest", &twice], 1);
    assert!(twice.contains("encounter a-b-x-c-1: expected different encounters"), "{twice}");
    assert!(error(&[], 2).contains("--manifest"));
    assert!(error(&["--manifest", &manifest, "--gallery", "ALL"], 2).contains("reserved"));
    assert!(error(&["--vectors", "x.npy"], 2).contains("--labels"));
    assert!(error(&["--manifest", &manifest, "--vectors", "x.npy"], 2).contains("cannot be used with"));
}

/// A population directory: everybody has a face and all fingers but the left thumb; the last one is person 0 again,
/// under another name.
fn people(place: &Place, count: u64) -> String {
    let directory = place.path("people");
    std::fs::create_dir(&directory).unwrap();
    let columns: Vec<String> = (1..=10).map(|finger| format!("finger_{finger}")).collect();
    let mut csv = format!("subject,encounter,year_of_birth,sex,region,{},face_row\n", columns.join(","));
    let mut values = Vec::new();
    for row in 0..count {
        let (number, encounter) = if row == count - 1 { (0, 1) } else { (row, 0) };
        let population = population();
        let person = population.person(number);
        let mut files = vec![String::new(); 10];
        for finger in person.fingers(encounter) {
            if finger.position.code() != 6 {
                let name = format!("{row}_{}.fmr", finger.position.code());
                std::fs::write(directory.join(&name), write_iso_2005(std::slice::from_ref(&finger)).unwrap()).unwrap();
                files[usize::from(finger.position.code()) - 1] = name;
            }
        }
        values.extend(person.face(encounter));
        let year = person.attributes.year_of_birth.unwrap();
        csv += &format!("S{row},E{row},{year},F,HN,{},{row}\n", files.join(","));
    }
    std::fs::write(directory.join("people.csv"), csv).unwrap();
    std::fs::write(directory.join("faces.npy"), npy::write_f32(&[count as usize, 512], &values)).unwrap();
    std::fs::write(directory.join("model.txt"), format!("{MODEL}\n")).unwrap();
    directory.to_str().unwrap().to_owned()
}

#[test]
fn a_hidden_duplicate_is_found() {
    let place = Place::new();
    let population = people(&place, 12);
    let (told, _) = place.import(&["--population", &population, "--in-flight", "1"], 0);
    assert_eq!(counts(&told, &["enrolled", "clear", "to_review", "duplicates"]), [12, 11, 0, 1]);
    let (told, _) = place.import(&["--population", &population], 0);
    assert_eq!(counts(&told, &["enrolled", "already_there"]), [0, 12]);

    let csv = place.path("people/people.csv");
    let text = std::fs::read_to_string(&csv).unwrap();
    std::fs::write(&csv, text.replacen("S3,E3,", "S3,new,19x", 1).replacen(",F,HN", ",X,HN", 1)).unwrap();
    let (told, _) = place.import(&["--population", &population], 1);
    let reasons = told["failures"].to_string();
    assert!(reasons.contains("people.csv line 5, year_of_birth: expected a year, got"), "{reasons}");
    assert!(reasons.contains("people.csv line 2, sex: expected F or M, got"), "{reasons}");
}

/// Two of the records are pipes that nobody has written to yet: the import stands still there and is killed.
#[test]
#[cfg(target_os = "linux")]
fn killed_in_the_middle_it_goes_on_where_it_was() {
    use std::os::unix::fs::OpenOptionsExt;
    const BEFORE: u64 = 6;
    const O_NONBLOCK: i32 = 0o4000;
    let place = Place::new();
    let mut csv = String::from("dataset,extractor,finger,impression,path\n");
    for person in 0..12 {
        csv += &format!("d,x,{person},1,{person}.fmr\n");
        let path = place.path(&format!("{person}.fmr"));
        if (BEFORE..BEFORE + 2).contains(&person) {
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        } else {
            std::fs::write(path, finger(person, 0)).unwrap();
        }
    }
    let (manifest, data) = (place.write("m.csv", csv), place.text("store"));
    let arguments = ["import", "--json", "--data", &data, "--manifest", &manifest, "--in-flight", "2"];
    let mut import = khop(&arguments).stdout(Stdio::null()).spawn().unwrap();
    let mut open = |person: u64| {
        // succeeds once the import reads it: both workers are then past everything before
        let path = place.path(&format!("{person}.fmr"));
        loop {
            match std::fs::OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(&path) {
                Ok(pipe) => break pipe,
                Err(_) => assert!(import.try_wait().unwrap().is_none(), "the import ended before it was killed"),
            }
            std::thread::yield_now();
        }
    };
    let pipes = [open(BEFORE), open(BEFORE + 1)];

    let (_, error) = run(&arguments, 1);
    assert!(error.contains(&data) && error.lines().count() == 1, "a second process: {error}");

    import.kill().unwrap(); // SIGKILL
    import.wait().unwrap();
    drop(pipes);
    for person in BEFORE..BEFORE + 2 {
        let path = place.path(&format!("{person}.fmr"));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, finger(person, 0)).unwrap();
    }
    let (told, _) = run(&arguments, 0);
    assert_eq!(counts(&told, &["enrolled", "already_there", "failed"]), [12 - BEFORE, BEFORE, 0]);
    assert_eq!(place.encounters(), 12);
}

#[test]
fn the_table_for_people() {
    let place = Place::new();
    let manifest = manifest(&place);
    let (data, manifest) = (place.text("store"), Path::new(&manifest));
    let output = khop(&["import", "--data", &data, "--manifest"]).arg(manifest).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["enrolled                  4", "  duplicate found         0", "not captured              1"] {
        assert!(text.contains(line), "{text}");
    }
}
