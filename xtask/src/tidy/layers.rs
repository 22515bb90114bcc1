//! Who may import whom? The crates' layers, and where each contained package may be seen.

use super::mask::code;
use super::source::{product_code, word_places};
use super::{Finding, Tree};

/// Every crate of the workspace: folder, package name, and which of ours it may depend on (`["*"]`: any but benches).
const CRATES: [(&str, &str, &[&str]); 15] = [
    ("engine/vocabulary", "khop-vocabulary", &[]),
    ("engine/kernels", "khop-kernels", &[]),
    ("engine/keys", "khop-keys", &[]),
    ("engine/formats", "khop-formats", &["khop-vocabulary"]),
    ("engine/fingerprint", "khop-fingerprint", &["khop-vocabulary", "khop-kernels"]),
    ("engine/face", "khop-face", &["khop-vocabulary", "khop-kernels"]),
    ("engine/index", "khop-index", &["khop-vocabulary", "khop-kernels"]),
    ("engine/store", "khop-store", &["khop-vocabulary", "khop-keys"]),
    ("engine/evaluate", "khop-evaluate", &["khop-vocabulary"]),
    (
        "engine/recognition",
        "khop",
        &[
            "khop-vocabulary",
            "khop-kernels",
            "khop-formats",
            "khop-fingerprint",
            "khop-face",
            "khop-index",
            "khop-store",
        ],
    ),
    ("server", "khop-server", &["khop-vocabulary", "khop-formats", "khop"]),
    ("tools", "khop-tools", &["*"]),
    ("benches", "khop-benches", &["*"]),
    ("benches/rivals", "khop-rivals", &["*"]),
    ("xtask", "xtask", &[]),
];

/// Packages of others that only some crates may depend on.
const AT_HOME: [(&[&str], &[&str]); 7] = [
    (&["redb", "memmap2", "bincode"], &["engine/store"]),
    (&["hnsw_rs"], &["engine/index"]),
    (
        &[
            "serde",
            "serde_json",
            "utoipa",
            "tokio",
            "axum",
            "tower",
            "tower-http",
            "hyper",
            "hyper-util",
            "rustls",
            "tokio-rustls",
        ],
        &["server", "tools"],
    ),
    (&["clap", "csv", "flate2", "indicatif", "nalgebra", "parquet", "tracing-subscriber", "zip"], &["tools"]),
    (&["fprint-bozorth3"], &["benches/rivals"]),
    (&["ndarray"], &["engine/evaluate", "tools"]),
    (
        &["rayon"],
        &["engine/index", "engine/evaluate", "engine/store", "engine/recognition", "server", "tools", "benches"],
    ),
];

/// Packages that only some files of their crate may name.
const CONFINED: [(&str, &str); 3] = [
    ("bincode", "engine/store/src/codec.rs"),
    ("hnsw_rs", "engine/index/src/graph.rs"),
    ("memmap2", "engine/store/src/map.rs"),
];

/// Parts of the standard library that a layer never touches: the low layers know no file, clock or thread.
const ABSENT: [(&str, &[&str]); 10] = [
    ("engine/vocabulary/", &["fs", "net", "process", "time", "thread"]),
    ("engine/kernels/", &["fs", "net", "process", "time", "thread"]),
    ("engine/keys/", &["net", "thread"]),
    ("engine/formats/", &["fs", "net", "process", "time", "thread"]),
    ("engine/fingerprint/", &["fs", "net", "process", "time", "thread"]),
    ("engine/face/", &["fs", "net", "process", "time", "thread"]),
    ("engine/index/", &["fs", "net", "process", "time"]),
    ("engine/evaluate/", &["fs", "net", "process"]),
    ("engine/store/", &["net"]),
    ("engine/recognition/", &["net", "process"]),
];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending("Cargo.toml") {
        let folder = path.trim_end_matches("Cargo.toml").trim_end_matches('/');
        if !folder.is_empty() && !folder.ends_with("/fuzz") {
            manifest(path, folder, text, &mut findings);
        }
    }
    for (path, text) in tree.ending(".rs") {
        let code = code(text);
        sources(path, product_code(path, &code), &mut findings);
    }
    findings
}

fn manifest(path: &str, folder: &str, text: &str, findings: &mut Vec<Finding>) {
    let Some((_, _, ours)) = CRATES.iter().find(|(known, _, _)| *known == folder) else {
        findings.push(Finding::new(path, 0, "a crate without a layer: add it to xtask's table and ARCHITECTURE.md"));
        return;
    };
    if !text.contains("[lints]\nworkspace = true") {
        findings.push(Finding::new(path, 0, "expected `[lints]` with `workspace = true`"));
    }
    for (line, name, table) in dependencies(text) {
        let is_ours = CRATES.iter().any(|(_, package, _)| *package == name);
        if name == "khop-benches" {
            findings.push(Finding::new(path, line, "nobody may depend on the benchmarks"));
        } else if table == Table::Dev {
            continue;
        } else if is_ours && !ours.contains(&"*") && !ours.contains(&name) {
            findings.push(Finding::new(path, line, format!("{folder} may not depend on {name}")));
        }
        for (packages, homes) in AT_HOME {
            if packages.contains(&name) && !homes.contains(&folder) {
                findings.push(Finding::new(path, line, format!("{name} is at home in {} only", homes.join(", "))));
            }
        }
    }
}

fn sources(path: &str, code: &str, findings: &mut Vec<Finding>) {
    for (package, home) in CONFINED {
        if path != home {
            for (line, _) in word_places(code, package) {
                findings.push(Finding::new(path, line, format!("{package} is known to {home} only")));
            }
        }
    }
    for (folder, absent) in ABSENT {
        if path.starts_with(folder) {
            for (line, module) in std_modules(code).into_iter().filter(|(_, module)| absent.contains(module)) {
                findings.push(Finding::new(path, line, format!("std::{module} is not for {folder}")));
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Normal,
    Dev,
}

/// Line, package and kind of each dependency in a manifest, also under `[target.….dependencies]`.
fn dependencies(text: &str) -> Vec<(usize, &str, Table)> {
    let (mut table, mut found) = (None, Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let kind = if header.contains("dev-dependencies") { Table::Dev } else { Table::Normal };
            table = None;
            if header.ends_with("dependencies") {
                table = Some(kind);
            } else if let Some((_, name)) = header.split_once("dependencies.") {
                found.push((number, name, kind));
            }
        } else if let Some(kind) = table {
            let name = line.split(['.', '=', ' ']).next().unwrap_or("");
            if !name.is_empty() && !name.starts_with('#') {
                found.push((number, name.trim_matches('"'), kind));
            }
        }
    }
    found
}

/// Line and name of each module of `std` that the code names, also inside `use std::{…}`.
fn std_modules(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, prefix) in code.match_indices("std::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_items(group).into_iter().map(|item| (line, first_word(item.trim())))),
            None => found.push((line, first_word(rest))),
        }
    }
    found
}

/// The items of a `use` group, given what stands behind its `{`.
fn group_items(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    items
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn texts(path: &str, text: &str) -> Vec<String> {
        check(&Tree::from([(path, text)])).iter().map(|finding| finding.text.clone()).collect()
    }

    fn is_clean(path: &str, text: &str) {
        let found = texts(path, text);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn layers_point_down() {
        let up = format!("[dependencies]\nkhop-index.workspace = true\n{LINTS}");
        assert_eq!(texts("engine/store/Cargo.toml", &up), ["engine/store may not depend on khop-index"]);
        assert_eq!(texts("server/Cargo.toml", &up), ["server may not depend on khop-index"]);
        is_clean("engine/recognition/Cargo.toml", &up);
        is_clean("tools/Cargo.toml", &up);
    }

    #[test]
    fn tests_may_look_further() {
        let dev = format!("[dev-dependencies]\nkhop-evaluate.workspace = true\n{LINTS}");
        is_clean("engine/recognition/Cargo.toml", &dev);
        let build = dev.replace("dev-", "build-");
        assert_eq!(texts("engine/store/Cargo.toml", &build), ["engine/store may not depend on khop-evaluate"]);
        let target = dev.replace("dev-", "target.'cfg(unix)'.");
        assert_eq!(texts("engine/store/Cargo.toml", &target), ["engine/store may not depend on khop-evaluate"]);
        let own_table = format!("[dependencies.khop-face]\npath = \"../face\"\n{LINTS}");
        assert_eq!(texts("engine/store/Cargo.toml", &own_table), ["engine/store may not depend on khop-face"]);
        let benches = format!("[dev-dependencies]\nkhop-benches = {{ path = \"\" }}\n{LINTS}");
        assert_eq!(texts("tools/Cargo.toml", &benches), ["nobody may depend on the benchmarks"]);
    }

    #[test]
    fn packages_stay_at_home() {
        let serde = format!("[dependencies]\nserde = \"1\"\n{LINTS}");
        assert_eq!(texts("engine/store/Cargo.toml", &serde), ["serde is at home in server, tools only"]);
        is_clean("server/Cargo.toml", &serde);
        for (package, folder) in
            [("tokio", "engine/recognition"), ("redb", "engine/recognition"), ("rayon", "engine/fingerprint")]
        {
            let text = format!("[dependencies]\n{package}.workspace = true\n{LINTS}");
            assert!(texts(&format!("{folder}/Cargo.toml"), &text)[0].starts_with(package));
        }
    }

    #[test]
    fn every_crate_has_a_layer_and_the_lints() {
        assert!(texts("engine/new/Cargo.toml", LINTS)[0].contains("without a layer"));
        assert!(texts("tools/Cargo.toml", "[dependencies]\n")[0].contains("[lints]"));
        is_clean("engine/formats/fuzz/Cargo.toml", "[dependencies]\nlibfuzzer-sys = \"0.4\"\n");
    }

    #[test]
    fn contained_packages_are_named_in_one_file() {
        let text = "//! Which?\nuse hnsw_rs::prelude::Hnsw;\n";
        is_clean("engine/index/src/graph.rs", text);
        assert_eq!(texts("engine/index/src/plane.rs", text), ["hnsw_rs is known to engine/index/src/graph.rs only"]);
        is_clean("engine/index/src/plane.rs", "//! Not hnsw_rs.\n");
        assert_eq!(texts("engine/store/src/segment.rs", "fn f() { bincode::x() }").len(), 1);
        assert_eq!(texts("engine/store/src/segment.rs", "use memmap2::Mmap;").len(), 1);
    }

    #[test]
    fn low_layers_know_no_file_clock_or_thread() {
        assert_eq!(texts("engine/formats/src/npy.rs", "use std::fs::File;"), ["std::fs is not for engine/formats/"]);
        assert_eq!(texts("engine/face/src/a.rs", "use std::{fmt, fs::File};"), ["std::fs is not for engine/face/"]);
        assert_eq!(texts("engine/index/src/a.rs", "let t = std::time::Instant::now();").len(), 1);
        assert_eq!(texts("engine/fingerprint/src/a.rs", "std::thread::spawn(f);").len(), 1);
        is_clean("engine/formats/src/npy.rs", "use std::{fmt, io::{self, fs}, mem};\n// std::fs\nlet s = \"std::fs\";");
        is_clean("engine/formats/src/npy.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n");
        is_clean("engine/store/src/a.rs", "use std::fs::File;");
    }

    #[test]
    fn groups_of_modules_are_taken_apart() {
        let modules = |code| std_modules(code).into_iter().map(|(_, module)| module).collect::<Vec<_>>();
        assert_eq!(modules("use std::{a::{b, c}, d, e::f}; std::g::h; my_std::i"), ["a", "d", "e", "g"]);
    }
}
