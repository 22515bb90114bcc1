//! Is each Rust file as the house wants it? Its first line, size, name, words, and where `unsafe` may stand.

use super::mask::code;
use super::{Finding, Tree};

const MAX_LINES: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"];

/// The only files with `unsafe`: vector instructions, and mapping a file.
const UNSAFE_PATHS: [&str; 2] = ["engine/kernels/src/", "engine/store/src/map.rs"];

/// The crates of those files may allow `unsafe` in a module; all others forbid it.
const UNSAFE_CRATES: [&str; 2] = ["engine/kernels/", "engine/store/"];

const FORBIDDEN_MACROS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];
const PRINTING_MACROS: [&str; 4] = ["println!", "eprintln!", "print!", "eprint!"];

/// This folder spells out the words that it looks for.
const OWN_FOLDER: &str = "xtask/src/tidy/";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".rs") {
        shape(path, text, &mut findings);
        let code = code(text);
        unsafe_code(path, text, &code, &mut findings);
        macros(path, &code, &mut findings);
        if !path.starts_with(OWN_FOLDER) {
            words(path, text, &mut findings);
        }
    }
    findings
}

fn shape(path: &str, text: &str, findings: &mut Vec<Finding>) {
    if !text.starts_with("//! ") {
        findings.push(Finding::new(path, 1, "expected `//! ` and the question that this file answers"));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        findings.push(Finding::new(path, 0, format!("{lines} lines, expected at most {MAX_LINES}: split it by noun")));
    }
    let parts = path.trim_end_matches(".rs").split(['/', '_', '-']);
    for part in parts.filter(|part| EMPTY_NAMES.contains(part)) {
        findings.push(Finding::new(path, 0, format!("`{part}` in a name says nothing: name the noun inside")));
    }
}

fn unsafe_code(path: &str, text: &str, code: &str, findings: &mut Vec<Finding>) {
    let is_crate_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    let wanted = if UNSAFE_CRATES.iter().any(|folder| path.starts_with(folder)) { "deny" } else { "forbid" };
    if is_crate_root && !code.contains(&format!("#![{wanted}(unsafe_code)]")) {
        findings.push(Finding::new(path, 0, format!("expected `#![{wanted}(unsafe_code)]`")));
    }
    for (line, column) in word_places(code, "unsafe") {
        if !UNSAFE_PATHS.iter().any(|allowed| path.starts_with(allowed)) {
            let allowed = UNSAFE_PATHS.join(" and ");
            findings.push(Finding::new(path, line, format!("`unsafe` is allowed under {allowed} only")));
        } else if !is_function_pointer(code, line, column) && !is_justified(text, code, line) {
            findings.push(Finding::new(path, line, "`unsafe` without a `// SAFETY:` comment above it"));
        }
    }
}

/// `unsafe fn(…)` names a type and does nothing.
fn is_function_pointer(code: &str, line: usize, column: usize) -> bool {
    let rest = &code.lines().nth(line - 1).unwrap_or("")[column + "unsafe".len()..];
    rest.trim_start().strip_prefix("fn").is_some_and(|rest| rest.trim_start().starts_with('('))
}

/// Whether `SAFETY:` (or a doc comment's `# Safety`) stands on the line or in the comments right above the statement.
fn is_justified(text: &str, code: &str, line: usize) -> bool {
    let justifies = |line: &str| line.contains("// SAFETY:") || line.contains("/// # Safety");
    let (texts, codes): (Vec<&str>, Vec<&str>) = (text.lines().collect(), code.lines().collect());
    if justifies(texts[line - 1]) {
        return true;
    }
    for above in (0..line - 1).rev() {
        let (text, code) = (texts[above].trim(), codes[above].trim());
        if justifies(text) {
            return true;
        }
        let ends_a_statement = code.ends_with([';', '{', '}', ',']) || text.is_empty();
        if ends_a_statement && !text.starts_with("//") {
            return false;
        }
    }
    false
}

fn macros(path: &str, code: &str, findings: &mut Vec<Finding>) {
    for name in FORBIDDEN_MACROS {
        for (line, _) in word_places(code, name) {
            findings.push(Finding::new(path, line, format!("`{name}` does not belong in the repository")));
        }
    }
    if path.starts_with("engine/") {
        for name in PRINTING_MACROS {
            for (line, _) in word_places(product_code(path, code), name) {
                findings.push(Finding::new(path, line, format!("`{name}` in the engine, which returns what it knows")));
            }
        }
    }
}

/// The standard's words, in comments too: ISO/IEC 2382-37 and 19795-1 say non-mated, FMR, FNMR.
fn words(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (number, line) in (1..).zip(text.lines()) {
        let lower = line.to_lowercase();
        // `--impostors` is the name of an option of `khop evaluate` that scripts rely on.
        let outside_the_option = if path.starts_with("tools/") { lower.replace("impostors", "") } else { lower };
        for (word, instead) in [("genuine", "mated"), ("impostor", "non-mated")] {
            if outside_the_option.contains(word) {
                findings.push(Finding::new(path, number, format!("`{word}`: the standard says {instead}")));
            }
        }
        for (word, instead) in [("FAR", "FMR or FPIR"), ("FRR", "FNMR or FNIR")] {
            if !word_places(line, word).is_empty() {
                findings.push(Finding::new(path, number, format!("`{word}`: the standard says {instead}")));
            }
        }
    }
}

/// The masked code without its tests: nothing for a test file, else what stands before `#[cfg(test)] mod … {`.
pub fn product_code<'a>(path: &str, code: &'a str) -> &'a str {
    let is_test = ["/tests/", "/tests.rs", "/benches/", "/fuzz/", "/examples/"].iter().any(|part| path.contains(part));
    if is_test {
        return "";
    }
    let starts_tests = |rest: &str| {
        let item = rest.trim_start().lines().next().unwrap_or("");
        item.starts_with("mod ") && item.ends_with('{')
    };
    let attribute = "#[cfg(test)]";
    let tests = code.match_indices(attribute).find(|(at, _)| starts_tests(&code[at + attribute.len()..]));
    tests.map_or(code, |(at, _)| &code[..at])
}

/// Line (from 1) and byte column (from 0) of each place where `word` stands alone.
pub fn word_places(text: &str, word: &str) -> Vec<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (at, _) in line.match_indices(word) {
            let before = line[..at].chars().next_back().is_some_and(is_word);
            let after = line[at + word.len()..].chars().next().is_some_and(is_word) && !word.ends_with('!');
            if !before && !after {
                places.push((number, at));
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(path: &str, text: &str, line: usize, words: &str) {
        let found = check(&Tree::from([(path, text)]));
        let [finding] = &found[..] else { panic!("expected one finding, got {found:?}") };
        assert_eq!(finding.line, line, "{finding}");
        assert!(finding.text.contains(words), "{finding}");
    }

    fn is_clean(path: &str, text: &str) {
        let found = check(&Tree::from([(path, text)]));
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_file_begins_with_its_question() {
        is_clean("tools/src/a.rs", "//! Which?\nfn f() {}\n");
        is_found("tools/src/a.rs", "fn f() {}\n", 1, "the question");
        is_found("tools/src/a.rs", "// Which?\n", 1, "the question");
    }

    #[test]
    fn a_file_is_not_too_long() {
        is_clean("tools/src/a.rs", &format!("//! Which?\n{}", "\n".repeat(599)));
        is_found("tools/src/a.rs", &format!("//! Which?\n{}", "\n".repeat(600)), 0, "601 lines");
    }

    #[test]
    fn a_name_says_something() {
        for path in ["tools/src/utils.rs", "tools/src/session_manager.rs", "tools/tests/common/mod.rs"] {
            is_found(path, "//! Which?\n", 0, "says nothing");
        }
        is_clean("tools/src/commonplace.rs", "//! Which?\n");
    }

    #[test]
    fn unsafe_stays_in_its_two_places() {
        let text = "//! Which?\nfn f() {\n    // SAFETY: none needed.\n    unsafe { g() }\n}\n";
        is_clean("engine/kernels/src/avx2.rs", text);
        is_clean("engine/store/src/map.rs", text);
        is_found("engine/store/src/segment.rs", text, 4, "only");
        is_found("engine/index/src/plane.rs", text, 4, "only");
        is_clean("engine/index/src/plane.rs", "//! Which?\n// unsafe\nconst A: &str = \"unsafe\";\n");
    }

    #[test]
    fn unsafe_gives_its_reason() {
        let path = "engine/kernels/src/avx2.rs";
        is_found(path, "//! Which?\nfn f() {\n    unsafe { g() }\n}\n", 3, "SAFETY");
        let first_only = "//! Which?\nfn f() {\n    // SAFETY: yes.\n    unsafe { g() };\n    unsafe { h() }\n}\n";
        is_found(path, first_only, 5, "SAFETY");
        let by_arms = "//! Which?\n// SAFETY: a.\nA => unsafe { g() },\nB => unsafe { h() },\n";
        is_found(path, by_arms, 4, "SAFETY");
        is_clean(path, "//! Which?\n// SAFETY: yes,\n// really.\nlet x =\n    unsafe { g() };\n");
        is_clean(path, "//! Which?\n/// # Safety\n/// AVX2.\n#[target_feature(enable = \"avx2\")]\nunsafe fn f() {}\n");
        is_clean(path, "//! Which?\ntype F = unsafe fn(&[u8]) -> u8;\n");
        is_found(path, "//! Which?\n\nunsafe fn f() {}\n", 3, "SAFETY");
    }

    #[test]
    fn every_crate_root_forbids_unsafe() {
        is_clean("engine/index/src/lib.rs", "//! Which?\n#![forbid(unsafe_code)]\n");
        is_found("engine/index/src/lib.rs", "//! Which?\n", 0, "forbid");
        is_found("engine/index/src/lib.rs", "//! Which?\n#![deny(unsafe_code)]\n", 0, "forbid");
        is_clean("engine/kernels/src/lib.rs", "//! Which?\n#![deny(unsafe_code)]\n");
        is_found("engine/kernels/src/lib.rs", "//! Which?\n// #![deny(unsafe_code)]\n", 0, "deny");
    }

    #[test]
    fn unfinished_code_is_found() {
        for text in ["todo!()", "unimplemented!()", "dbg!(x)"] {
            is_found("tools/src/a.rs", &format!("//! Which?\nfn f() {{ {text} }}\n"), 2, "belong");
        }
        is_clean("tools/src/a.rs", "//! No todo!() here.\nconst A: &str = \"dbg!\";\n");
    }

    #[test]
    fn the_engine_prints_nothing() {
        is_found("engine/index/src/a.rs", "//! Which?\nfn f() { println!(); }\n", 2, "engine");
        is_clean("tools/src/a.rs", "//! Which?\nfn f() { println!(); }\n");
        let in_test = "//! Which?\n#[cfg(test)]\nmod tests {\n    fn f() { println!(); }\n}\n";
        is_clean("engine/index/src/a.rs", in_test);
        is_clean("engine/index/tests/a.rs", "//! Which?\nfn f() { println!(); }\n");
    }

    #[test]
    fn the_standards_words_are_used() {
        is_found("tools/src/a.rs", "//! Which?\n// a genuine pair\n", 2, "mated");
        is_found("engine/evaluate/src/a.rs", "//! Which?\nlet impostors = 1;\n", 2, "non-mated");
        is_found("tools/src/a.rs", "//! Which?\nlet impostor_scores = 1;\n", 2, "non-mated");
        is_clean("tools/src/a.rs", "//! Which?\n/// `--impostors all`\nimpostors: Impostors,\n");
        is_found("tools/src/a.rs", "//! Which?\n// FAR\n", 2, "FMR");
        is_found("tools/src/a.rs", "//! Which?\n// FRR\n", 2, "FNMR");
        is_clean("tools/src/a.rs", "//! Which?\n// as far as FARO goes\n");
    }

    #[test]
    fn a_test_module_ends_the_product_code() {
        let code = "a\n#[cfg(test)]\nuse b;\nc\n#[cfg(test)]\nmod tests {\nd";
        assert_eq!(product_code("engine/index/src/a.rs", code), "a\n#[cfg(test)]\nuse b;\nc\n");
        assert_eq!(product_code("engine/index/tests/a.rs", code), "");
    }
}
