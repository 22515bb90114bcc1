//! Do the pages tell the truth? Links lead somewhere, decisions are listed, hazards name tests that exist.

use super::{Finding, Tree};

/// Where the decisions lie, and what each of them must contain.
const DECISIONS: &str = "docs/adr/";
const DECISION_SECTIONS: [&str; 4] = ["## Context", "## Decision", "## Consequences", "## What would change our mind"];

/// What a reader of the change log looks for first.
const CHANGELOG_SECTIONS: [&str; 2] = ["### On disk", "### Scores"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    [decisions(tree), architecture(tree), changelog(tree), hazards(tree), links(tree)].concat()
}

fn decisions(tree: &Tree) -> Vec<Finding> {
    let index_path = format!("{DECISIONS}README.md");
    let index = tree.get(&index_path).unwrap_or("");
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md").filter(|(path, _)| path.starts_with(DECISIONS) && *path != index_path) {
        let name = &path[DECISIONS.len()..];
        if !index.contains(&format!("]({name})")) {
            findings.push(Finding::new(path, 0, format!("not linked from {index_path}")));
        }
        for section in DECISION_SECTIONS.iter().filter(|section| !text.lines().any(|line| line == **section)) {
            findings.push(Finding::new(path, 0, format!("expected a section `{section}`")));
        }
    }
    findings
}

/// The code map names every crate of the workspace.
fn architecture(tree: &Tree) -> Vec<Finding> {
    const PAGE: &str = "ARCHITECTURE.md";
    let page = tree.get(PAGE).unwrap_or("");
    let members = tree.get("Cargo.toml").unwrap_or("").split_once("members = [").map_or("", |(_, rest)| rest);
    let members = members.split_once(']').map_or("", |(list, _)| list);
    let folders = members.split(',').map(|member| member.trim().trim_matches('"')).filter(|member| !member.is_empty());
    let unnamed = folders.filter(|folder| !page.contains(&format!("`{folder}`")));
    unnamed.map(|folder| Finding::new(PAGE, 0, format!("the code map does not name `{folder}`"))).collect()
}

fn changelog(tree: &Tree) -> Vec<Finding> {
    const PAGE: &str = "CHANGELOG.md";
    let Some(page) = tree.get(PAGE) else { return Vec::new() };
    let missing = CHANGELOG_SECTIONS.iter().filter(|section| !page.lines().any(|line| line == **section));
    missing.map(|section| Finding::new(PAGE, 0, format!("expected a section `{section}`"))).collect()
}

/// The last column of every table in the hazards page names tests; each must be a function in some Rust file.
fn hazards(tree: &Tree) -> Vec<Finding> {
    const PAGE: &str = "docs/hazards.md";
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(tree.get(PAGE).unwrap_or("").lines()) {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').collect();
        let Some(tests) = cells.last().filter(|_| line.starts_with('|')) else { continue };
        for name in tests.split('`').skip(1).step_by(2) {
            let declaration = format!("fn {name}(");
            if !tree.ending(".rs").any(|(_, text)| text.contains(&declaration)) {
                findings.push(Finding::new(PAGE, number, format!("no test is called `{name}`")));
            }
        }
    }
    findings
}

/// Links within the repository: the file or folder must be there. Anchors and other sites are not looked at.
fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in (1..).zip(text.lines()) {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
                let target = link.split('#').next().unwrap_or("");
                if !target.is_empty() && !target.contains(':') && !tree.has(&resolve(folder, target)) {
                    findings.push(Finding::new(path, number, format!("the link to {link} leads nowhere")));
                }
            }
        }
    }
    findings
}

/// `target` as seen from `folder`, without `.` and `..`.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        check(&Tree::from(files)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn decisions_are_listed_and_whole() {
        let whole = DECISION_SECTIONS.join("\n");
        let clean: [String; 0] = [];
        assert_eq!(texts([("docs/adr/README.md", "[1](0001-a.md)"), ("docs/adr/0001-a.md", &whole)]), clean);
        let unlisted = texts([("docs/adr/README.md", "0001-a.md"), ("docs/adr/0001-a.md", &whole)]);
        assert_eq!(unlisted, ["docs/adr/0001-a.md: not linked from docs/adr/README.md"]);
        let part = whole.replace("## Consequences", "## Outcome");
        let partial = texts([("docs/adr/README.md", "[1](0001-a.md)"), ("docs/adr/0001-a.md", &part)]);
        assert_eq!(partial, ["docs/adr/0001-a.md: expected a section `## Consequences`"]);
    }

    #[test]
    fn the_code_map_names_every_crate() {
        let workspace = "[workspace]\nmembers = [\n    \"engine/a\",\n    \"b\",\n]\n";
        let found = texts([("Cargo.toml", workspace), ("ARCHITECTURE.md", "| `engine/a` | a |")]);
        assert_eq!(found, ["ARCHITECTURE.md: the code map does not name `b`"]);
    }

    #[test]
    fn the_change_log_speaks_of_disk_and_scores() {
        assert_eq!(texts([("CHANGELOG.md", "### On disk\n")]), ["CHANGELOG.md: expected a section `### Scores`"]);
    }

    #[test]
    fn hazards_name_tests_that_exist() {
        let test = ("engine/a/tests/a.rs", "#[test]\nfn it_holds() {}\n");
        let found = texts([("docs/hazards.md", "| h | c | `it_holds`, `it_does_not` |\n"), test]);
        assert_eq!(found, ["docs/hazards.md:1: no test is called `it_does_not`"]);
    }

    #[test]
    fn links_lead_somewhere() {
        let page = "[a](../README.md#top) [b](https://example.org/x) [c](#here) [d](gone.md) [e](adr/)";
        let index = ("docs/adr/README.md", "");
        let found = texts([("docs/a.md", page), ("README.md", ""), index]);
        assert_eq!(found, ["docs/a.md:1: the link to gone.md leads nowhere"]);
    }
}
