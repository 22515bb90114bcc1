//! Whom did the survivors turn out to be? Compared references grouped by subject, best first.

use std::collections::HashSet;

use khop_vocabulary::{Candidate, EncounterKey, Outcome, Score, SubjectId};

use crate::Error;
use crate::evidence::Fused;
use crate::references::References;
use crate::request::Search;
use crate::search::{CompletedSearch, by_evidence};

/// Candidates of a completed search, one a subject, highest evidence first.
///
/// Everyone who is more than clear is listed, whatever the limit: the caller cuts the list after the decision.
/// Others are listed while there is room.
pub(crate) fn candidates(
    references: &References<'_>,
    search: &mut CompletedSearch,
    except: Option<&SubjectId>,
    Search { limit, only, .. }: &Search,
) -> Result<Vec<Candidate>, Error> {
    search.found.sort_unstable_by(by_evidence);
    let thresholds = references.core.policy.thresholds(search.searched);
    let mut found: Vec<Candidate> = Vec::new();
    let mut seen: HashSet<SubjectId> = HashSet::new();
    for compared in &search.found {
        let fused = &compared.fused;
        let Some(EncounterKey { subject, encounter }) = references.identity(compared.record)? else { continue };
        if except == Some(&subject) || seen.contains(&subject) {
            continue;
        }
        let Fused { score, llr, verified, ref evidence, .. } = *fused;
        let evidence = evidence.clone();
        let candidate = Candidate { subject: subject.clone(), encounter, score, llr, verified, evidence };
        let more_than_clear = thresholds.outcome(&candidate) > Outcome::Clear;
        if (more_than_clear || found.len() <= *limit) && references.is_one_of(compared.record, only.as_ref())? {
            seen.insert(subject);
            found.push(candidate);
        }
    }
    Ok(found)
}

/// Drops candidates below the caller's threshold and beyond the limit; says whether any were cut by the limit.
pub(crate) fn cut(candidates: &mut Vec<Candidate>, limit: usize, threshold: Option<Score>) -> bool {
    if let Some(threshold) = threshold {
        candidates.retain(|c| c.score >= threshold);
    }
    let more = candidates.len() > limit;
    candidates.truncate(limit);
    more
}
