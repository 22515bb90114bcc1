//! How is each operation done? The request read in full first; then the job, which is nothing but calls of the engine.

use khop::{
    Claim, DuplicateCheck, Effort, Encounter, EncounterKey, Enrolment, GalleryId, Identification, Mode, Realm, Score,
    Search,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Answer, PersonIds, Verified};
use super::biometric::{BiometricData, nothing_to_compare, probe};
use super::call::Call;
use super::candidate::{self, BAND};
use super::content::{Content, galleries};
use super::document::Document;
use super::encounter::{EncounterBody, Free};
use super::filter::Conditions;
use super::job::{Job, job};
use super::operation::Operation;
use super::words::BiometricType;
use crate::once::Once;
use crate::problem::Problem;

/// Most candidates of one search, and how many there are by default.
const CANDIDATES: (usize, usize) = (1000, 10);
/// Most lines of one page of a gallery, and how many there are by default.
const PAGE: (usize, usize) = (10_000, 1000);

/// Reads a request; what it asks for is still to be done.
pub(crate) fn prepare(call: &Call) -> Result<Job, Problem> {
    match call.operation {
        Operation::CreateEncounterNoIds | Operation::CreateEncounterNoId | Operation::CreateEncounter => create(call),
        Operation::ReadAllEncounters => read_all(call),
        Operation::ReadEncounter => read(call),
        Operation::UpdateEncounter => update(call),
        Operation::DeleteEncounter => delete(call),
        Operation::DeleteAll => delete_all(call),
        Operation::MergeEncounter => merge(call),
        Operation::MoveEncounter => move_encounter(call),
        Operation::UpdateEncounterStatus => update_status(call),
        Operation::UpdateEncounterGalleries => update_galleries(call),
        Operation::ReadTemplate => read_templates(call),
        Operation::Identify => identify(call),
        Operation::IdentifyFromId => identify_person(call),
        Operation::IdentifyFromEncounterId => identify_encounter(call),
        Operation::VerifyFromId => verify_person(call),
        Operation::VerifyFromBio => verify_samples(call),
        Operation::ReadGalleries => read_galleries(),
        Operation::ReadGalleryContent => read_gallery(call),
        Operation::ReadTaskStatus | Operation::RedeliverTaskResult => {
            Err(Problem::field("callback", "expected none: what is asked about a task is answered at once"))
        }
    }
}

/// Does a job under a name, once. A change is told what it was told before; what changes nothing is done again.
pub(crate) fn done_once(
    once: &Once,
    operation: Operation,
    job: Job,
    realm: &Realm,
    effort: Effort,
) -> Result<Answer, Problem> {
    if !operation.is_change() {
        return job(realm, effort);
    }
    let words = move |enrolments: &[Enrolment]| match enrolments.first() {
        Some(Enrolment { subject, encounter, .. }) if operation.names_an_encounter() => {
            let key = EncounterKey { subject: subject.clone(), encounter: encounter.clone() };
            Answer::json(&PersonIds::from(key)).told()
        }
        _ => Answer::Done.told(),
    };
    let told = once.run(realm, words, |realm| job(realm, effort).map(Answer::told))?;
    Ok(if operation.names_an_encounter() { Answer::Json(told) } else { Answer::Done })
}

/// OSIA creates without a search; the client asks for one when it wants it.
fn create(call: &Call) -> Result<Job, Problem> {
    let (key, content) = (call.encounter("personId")?, Content::of(call.body()?)?);
    job(move |realm, _| {
        realm.enrol(content.named(key.clone(), None), DuplicateCheck::Skip)?;
        Ok(Answer::json(&PersonIds::from(key)))
    })
}

fn update(call: &Call) -> Result<Job, Problem> {
    let (key, content) = (call.encounter("personId")?, Content::of(call.body()?)?);
    job(move |realm, _| {
        revise(realm, &key, |old| Ok(content.clone().named(key.clone(), Document::of(&old).created())))?;
        Ok(Answer::json(&PersonIds::from(key)))
    })
}

/// Puts an encounter's new form in its place.
fn revise(
    realm: &Realm,
    key: &EncounterKey,
    change: impl Fn(Encounter) -> Result<Encounter, Problem>,
) -> Result<(), Problem> {
    realm.revise(key, DuplicateCheck::Skip, change).map(drop)
}

fn read_all(call: &Call) -> Result<Job, Problem> {
    let subject = call.person("personId")?;
    job(move |realm, _| {
        let ids = realm.encounters_of(&subject)?.into_iter();
        let read = ids.map(|encounter| body(realm, &EncounterKey { subject: subject.clone(), encounter }));
        Ok(Answer::json(&read.collect::<Result<Vec<_>, _>>()?))
    })
}

fn read(call: &Call) -> Result<Job, Problem> {
    let key = call.encounter("personId")?;
    job(move |realm, _| Ok(Answer::json(&body(realm, &key)?)))
}

fn body(realm: &Realm, key: &EncounterKey) -> Result<EncounterBody, Problem> {
    let encounter = realm.read(key)?;
    Ok(Document::of(&encounter).filled(&encounter))
}

fn delete(call: &Call) -> Result<Job, Problem> {
    let key = call.encounter("personId")?;
    job(move |realm, _| {
        realm.erase_encounter(&key)?;
        Ok(Answer::Done)
    })
}

fn delete_all(call: &Call) -> Result<Job, Problem> {
    let subject = call.person("personId")?;
    job(move |realm, _| {
        realm.erase_subject(&subject)?;
        Ok(Answer::Done)
    })
}

fn merge(call: &Call) -> Result<Job, Problem> {
    let (source, target) = (call.person("personIdSource")?, call.person("personIdTarget")?);
    job(move |realm, _| {
        realm.merge(&source, &target)?;
        Ok(Answer::Done)
    })
}

fn move_encounter(call: &Call) -> Result<Job, Problem> {
    let (key, target) = (call.encounter("personIdSource")?, call.person("personIdTarget")?);
    if key.subject == target {
        return Err(Problem::field("personIdTarget", "expected another person than personIdSource"));
    }
    job(move |realm, _| {
        realm.encounters_of(&target)?;
        revise(realm, &key, |old| Ok(Encounter { subject: target.clone(), ..old }))?;
        Ok(Answer::Done)
    })
}

fn update_status(call: &Call) -> Result<Job, Problem> {
    let key = call.encounter("personId")?;
    let is_active = match call.text("status") {
        Some("ACTIVE") => true,
        Some("INACTIVE") => false,
        _ => return Err(Problem::field("status", "expected ACTIVE or INACTIVE in the query")),
    };
    job(move |realm, _| {
        revise(realm, &key, |old| Ok(Encounter { is_active, document: touched(&old), ..old }))?;
        Ok(Answer::Done)
    })
}

fn update_galleries(call: &Call) -> Result<Job, Problem> {
    let (key, galleries) = (call.encounter("personId")?, galleries(&call.body::<Vec<String>>()?, "galleries")?);
    job(move |realm, _| {
        revise(realm, &key, |old| Ok(Encounter { galleries: galleries.clone(), document: touched(&old), ..old }))?;
        Ok(Answer::Done)
    })
}

/// The document of an encounter that is changed now.
fn touched(encounter: &Encounter) -> Vec<u8> {
    let document = Document::of(encounter);
    let created = document.clone().created();
    document.dated(created).to_bytes()
}

fn read_templates(call: &Call) -> Result<Job, Problem> {
    let key = call.encounter("personId")?;
    let names = ["biometricType", "biometricSubType", "instance", "templateFormat", "qualityFormat"];
    let wanted = names.map(|name| call.text(name).map(str::to_owned));
    job(move |realm, _| {
        let is_wanted = |item: &BiometricData| {
            let own = [
                Some(item.biometric_type.to_string()),
                item.biometric_sub_type.map(|sub_type| sub_type.to_string()),
                item.instance.clone(),
                item.template_format.clone(),
                item.quality_format.clone(),
            ];
            wanted.iter().zip(own).all(|(wanted, own)| wanted.is_none() || *wanted == own)
        };
        let items = body(realm, &key)?.biometric_data.into_iter().filter(is_wanted);
        Ok(Answer::json(&items.filter_map(BiometricData::computed).collect::<Vec<_>>()))
    })
}

/// Whose are these samples?
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = osia::IdentifyRequest)]
pub(crate) struct IdentifyRequest {
    #[schema(value_type = Object)]
    filter: Free,
    biometric_data: Vec<BiometricData>,
}

fn identify(call: &Call) -> Result<Job, Problem> {
    let request: IdentifyRequest = call.body()?;
    let conditions = Conditions::of(&request.filter, "filter")?;
    let probe = probe("biometricData", &request.biometric_data, conditions.types.as_deref())?;
    let search = conditions.narrow(search(call)?);
    job(move |realm, effort| {
        let search = within(search, effort);
        let found = realm.identify(&probe, &search)?;
        Ok(Answer::json(&candidate::told(realm, &search.gallery, found.candidates)))
    })
}

/// Everybody like one person, whichever encounter of theirs says so.
fn identify_person(call: &Call) -> Result<Job, Problem> {
    let (subject, enrolled) = (call.person("personId")?, Enrolled::of(call)?);
    job(move |realm, effort| {
        let encounters = realm.encounters_of(&subject)?.into_iter();
        let keys = encounters.map(|encounter| EncounterKey { subject: subject.clone(), encounter });
        enrolled.identify(realm, keys, effort)
    })
}

fn identify_encounter(call: &Call) -> Result<Job, Problem> {
    let (key, enrolled) = (call.encounter("personId")?, Enrolled::of(call)?);
    job(move |realm, effort| enrolled.identify(realm, [key], effort))
}

/// A search with what is enrolled.
struct Enrolled {
    search: Search,
    types: Option<Vec<BiometricType>>,
}

impl Enrolled {
    fn of(call: &Call) -> Result<Self, Problem> {
        let mut conditions = Conditions::of(&call.body::<Free>()?, "filter")?;
        let types = conditions.types.take();
        Ok(Self { search: conditions.narrow(search(call)?), types })
    }

    /// The best of what is found with each of these encounters; their subject is left out.
    fn identify(
        self,
        realm: &Realm,
        keys: impl IntoIterator<Item = EncounterKey>,
        effort: Effort,
    ) -> Result<Answer, Problem> {
        let search = within(self.search, effort);
        let (mut best, mut is_searched) = (Vec::<khop::Candidate>::new(), false);
        for key in keys {
            let mut probe = realm.read(&key)?.samples;
            probe.retain(|sample| self.types.as_ref().is_none_or(|types| types.contains(&BiometricType::of(sample))));
            if probe.is_empty() {
                continue;
            }
            let search = Search { except: Some(key.subject), ..search.clone() };
            let Identification { candidates, .. } = realm.identify(&probe, &search)?;
            is_searched = true;
            for candidate in candidates {
                match best.iter_mut().find(|known| known.subject == candidate.subject) {
                    Some(known) if known.llr < candidate.llr => *known = candidate,
                    Some(_) => (),
                    None => best.push(candidate),
                }
            }
        }
        if !is_searched {
            return Err(nothing_to_compare("biometricData"));
        }
        best.sort_by(|a, b| b.llr.nats().total_cmp(&a.llr.nats()));
        best.truncate(search.limit);
        Ok(Answer::json(&candidate::told(realm, &search.gallery, best)))
    }
}

/// What the path and the query say of a search.
fn search(call: &Call) -> Result<Search, Problem> {
    let mode = match call.text("accuracyLevel") {
        None => None,
        Some("exact") => Some(Mode::Exact),
        Some("certified") => Some(Mode::Certified),
        Some(_) => return Err(Problem::field("accuracyLevel", "expected exact or certified; both miss nobody")),
    };
    Ok(Search {
        gallery: call.gallery()?,
        limit: call.number("maxNbCand", 1..=CANDIDATES.0)?.unwrap_or(CANDIDATES.1),
        threshold: threshold(call)?,
        effort: Effort { mode, ..Effort::default() },
        ..Search::default()
    })
}

/// The search, as long as somebody waits for it.
fn within(search: Search, effort: Effort) -> Search {
    Search { effort: Effort { mode: search.effort.mode, ..effort }, ..search }
}

/// Are these samples of the person named?
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = osia::VerifyFromIdRequest)]
pub(crate) struct VerifyFromIdRequest {
    biometric_data: Vec<BiometricData>,
}

fn verify_person(call: &Call) -> Result<Job, Problem> {
    let request: VerifyFromIdRequest = call.body()?;
    let probe = probe("biometricData", &request.biometric_data, None)?;
    let claim = Claim { gallery: call.gallery()?, ..Claim::of(call.person("personId")?) };
    let threshold = threshold(call)?;
    job(move |realm, _| Ok(verified(&realm.verify(&claim, &probe)?, threshold)))
}

/// Are these samples of one person?
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = osia::VerifyFromBioRequest)]
pub(crate) struct VerifyFromBioRequest {
    biometric_data1: Vec<BiometricData>,
    biometric_data2: Vec<BiometricData>,
}

fn verify_samples(call: &Call) -> Result<Job, Problem> {
    let request: VerifyFromBioRequest = call.body()?;
    let first = probe("biometricData1", &request.biometric_data1, None)?;
    let second = probe("biometricData2", &request.biometric_data2, None)?;
    let threshold = threshold(call)?;
    job(move |realm, _| Ok(verified(&realm.compare(&first, &second)?, threshold)))
}

/// The score asked for. Scores are told in bands, and so they are asked for: the next band up.
fn threshold(call: &Call) -> Result<Option<Score>, Problem> {
    let threshold = call.number("threshold", 0.0..=200.0_f32)?;
    Ok(threshold.map(|threshold| Score::new((threshold / BAND).ceil() * BAND)))
}

/// The policy's threshold decides, unless the request has one.
fn verified(verification: &khop::Verification, threshold: Option<Score>) -> Answer {
    let decision = threshold.map_or(verification.is_match, |threshold| verification.score >= threshold);
    Answer::json(&Verified { decision })
}

fn read_galleries() -> Result<Job, Problem> {
    job(move |realm, _| Ok(Answer::json(&realm.galleries()?.iter().map(GalleryId::as_str).collect::<Vec<_>>())))
}

fn read_gallery(call: &Call) -> Result<Job, Problem> {
    let (gallery, wants_csv) = (call.gallery()?, call.wants_csv);
    let offset = call.number("offset", 0..=u64::MAX >> 1)?.unwrap_or(0);
    let limit = call.number("limit", 1..=PAGE.0)?.unwrap_or(PAGE.1);
    job(move |realm, _| {
        let members = realm.members(&gallery, offset, limit)?;
        if wants_csv {
            let line = |key: &EncounterKey| format!("{}, {}\n", key.subject, key.encounter);
            return Ok(Answer::Csv(format!("PersonId, encounterId\n{}", members.iter().map(line).collect::<String>())));
        }
        Ok(Answer::json(&members.into_iter().map(PersonIds::from).collect::<Vec<_>>()))
    })
}
