//! What are the golden scores? Every record of `testdata/fingers` compared with every other, as text.

use std::fmt::Write;
use std::path::Path;

use khop_fingerprint::{Comparator, Probe, Reference, Template, meaning};

/// A line for every ordered pair of records: `probe reference similarity score llr`, dashes where a side has no
/// template. Numbers have as many digits as they need to be read back as they were.
pub fn golden_scores(folder: &Path) -> Result<String, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| failed(&error))? {
        let name = entry.map_err(|error| failed(&error))?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".fmr").map(str::to_owned));
    }
    names.sort();
    let template = |name: &String| -> Result<Option<Template>, String> {
        let path = folder.join(format!("{name}.fmr"));
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let record = khop_formats::read_minutiae(&bytes).map_err(|error| format!("{name}: {error}"))?;
        Ok(Template::of(&record.views[0]).ok())
    };
    let templates = names.iter().map(template).collect::<Result<Vec<_>, _>>()?;
    let mut comparator = Comparator::new();
    let mut text = String::from("# probe reference similarity score llr\n");
    for (probe_name, probe) in names.iter().zip(&templates) {
        for (reference_name, reference) in names.iter().zip(&templates) {
            let _ = match (probe, reference) {
                (Some(probe), Some(reference)) => {
                    let (probe, reference) = (Probe::of(probe), Reference::of(reference));
                    let similarity = comparator.compare(&probe, &reference);
                    let (score, llr) = meaning(similarity, &probe, &reference);
                    let numbers = format!("{similarity} {} {}", score.value(), llr.nats());
                    writeln!(text, "{probe_name} {reference_name} {numbers}")
                }
                _ => writeln!(text, "{probe_name} {reference_name} - - -"),
            };
        }
    }
    Ok(text)
}
