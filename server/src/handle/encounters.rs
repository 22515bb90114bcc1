//! Who is enrolled? Enrolment with duplicate check, reading back, erasure, cases and galleries of a realm.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use khop::{DuplicateCheck, EncounterId, EncounterKey, Enrolment, Realm, SubjectId};
use serde_json::{Value, json};

use crate::body::{InPath, InQuery, Text, read};
use crate::once::Once;
use crate::policy::Right;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::service::Service;
use crate::wire::encounter::{EncounterAnswer, EnrolRequest};
use crate::wire::enrolment::{CasesAnswer, CasesQuery, EnrolAnswer, ErasureAnswer, GalleriesAnswer};
use crate::wire::field::at;

/// Enrol an encounter, after looking for the same person under other subjects.
///
/// Whoever may not see scores is told `clear` or `adjudicate`, and nothing more. It is stored whatever the decision;
/// `adjudicate` and `hit` open a case. After an error with status 500 or above send it again under the same
/// `Idempotency-Key`: it is done once, and told the same for a day. Without one, ask for the encounter first: it may have
/// been stored.
#[utoipa::path(post, path = "/enrolment/v1/realms/{realm}/encounters", tag = "enrolment",
    params(("realm" = String, Path, description = "A tenant or a flight"),
        ("Idempotency-Key" = Option<String>, Header, description = "A name for this request, of your own")),
    request_body = EnrolRequest, responses((status = 201, description = "Enrolled", body = EnrolAnswer)))]
pub(crate) async fn enrol(
    State(service): State<Service>,
    InPath(realm): InPath<String>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Text(body): Text,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let once = Once::of(&headers, &["enrol", &body])?;
    let request: EnrolRequest = read(body.as_bytes())?;
    let check = if request.check.unwrap_or(true) { DuplicateCheck::Search } else { DuplicateCheck::Skip };
    let encounter = request.encounter()?;
    let enrol = move |realm: &Realm| realm.enrol(encounter, check).map(told).map_err(Problem::from);
    let words = |enrolments: &[Enrolment]| enrolments.first().cloned().map_or(Value::Null, told);
    let once_or_plainly = move |realm: &Realm| {
        Ok(match once {
            Some(once) => once.run(realm, words, enrol),
            None => enrol(realm),
        })
    };
    let answer = service.work_in(realm, once_or_plainly).await??;
    let answer = if principal.may(Right::Search) { answer } else { clear_or_under_review(&answer) };
    Ok((StatusCode::CREATED, Json(answer)))
}

fn told(enrolment: Enrolment) -> Value {
    serde_json::to_value(EnrolAnswer::from(enrolment)).expect("maps have text for keys, and numbers are finite")
}

/// As an enrolment station is told it: names, and whether a human will look. Neither whom it looks like nor how much.
fn clear_or_under_review(answer: &Value) -> Value {
    let decision = answer["decision"].as_str().map(|decision| if decision == "clear" { "clear" } else { "adjudicate" });
    let mut told = json!({"encounter_id": answer["encounter_id"], "subject_id": answer["subject_id"]});
    if let Some(decision) = decision {
        told["decision"] = decision.into();
    }
    told
}

/// What is known of an encounter. Never its samples.
#[utoipa::path(get, path = "/enrolment/v1/realms/{realm}/subjects/{subject}/encounters/{encounter}", tag = "enrolment",
    params(("realm" = String, Path), ("subject" = String, Path), ("encounter" = String, Path)),
    responses((status = 200, description = "Its metadata", body = EncounterAnswer)))]
pub(crate) async fn read_encounter(
    State(service): State<Service>,
    InPath((realm, subject, encounter)): InPath<(String, String, String)>,
) -> Result<Json<EncounterAnswer>, Problem> {
    let key = encounter_key(&subject, &encounter)?;
    let encounter = service.work_in(realm, move |realm| realm.read(&key)).await?;
    Ok(Json((&encounter).into()))
}

/// Erase one encounter: no search finds it from now on.
#[utoipa::path(delete, path = "/enrolment/v1/realms/{realm}/subjects/{subject}/encounters/{encounter}", tag = "enrolment",
    params(("realm" = String, Path), ("subject" = String, Path), ("encounter" = String, Path)),
    responses((status = 200, description = "Erased", body = ErasureAnswer)))]
pub(crate) async fn erase_encounter(
    State(service): State<Service>,
    InPath((realm, subject, encounter)): InPath<(String, String, String)>,
) -> Result<Json<ErasureAnswer>, Problem> {
    let key = encounter_key(&subject, &encounter)?;
    let erasure = service.work_in(realm, move |realm| realm.erase_encounter(&key)).await?;
    Ok(Json(erasure.into()))
}

/// Erase a person: every encounter of the subject, at once.
#[utoipa::path(delete, path = "/enrolment/v1/realms/{realm}/subjects/{subject}", tag = "enrolment",
    params(("realm" = String, Path), ("subject" = String, Path)),
    responses((status = 200, description = "Erased", body = ErasureAnswer)))]
pub(crate) async fn erase_subject(
    State(service): State<Service>,
    InPath((realm, subject)): InPath<(String, String)>,
) -> Result<Json<ErasureAnswer>, Problem> {
    let id = SubjectId::new(subject).map_err(at("subject"))?;
    let erasure = service.work_in(realm, move |realm| realm.erase_subject(&id)).await?;
    Ok(Json(erasure.into()))
}

/// Cases a human is to decide, oldest first.
#[utoipa::path(get, path = "/enrolment/v1/realms/{realm}/cases", tag = "enrolment",
    params(("realm" = String, Path), CasesQuery),
    responses((status = 200, description = "One page of them", body = CasesAnswer)))]
pub(crate) async fn list_cases(
    State(service): State<Service>,
    InPath(realm): InPath<String>,
    InQuery(query): InQuery<CasesQuery>,
) -> Result<Json<CasesAnswer>, Problem> {
    let page = query.page()?;
    let cases = service.work_in(realm, |realm| realm.cases()).await?;
    Ok(Json(page.of(cases)))
}

/// Galleries that at least one encounter of the realm belongs to. `ALL` is not listed.
#[utoipa::path(get, path = "/enrolment/v1/realms/{realm}/galleries", tag = "enrolment",
    params(("realm" = String, Path)),
    responses((status = 200, description = "Their names", body = GalleriesAnswer)))]
pub(crate) async fn list_galleries(
    State(service): State<Service>,
    InPath(realm): InPath<String>,
) -> Result<Json<GalleriesAnswer>, Problem> {
    let galleries = service.work_in(realm, |realm| realm.galleries()).await?;
    Ok(Json(GalleriesAnswer::of(&galleries)))
}

fn encounter_key(subject: &str, encounter: &str) -> Result<EncounterKey, Problem> {
    let subject = SubjectId::new(subject).map_err(at("subject"))?;
    Ok(EncounterKey { subject, encounter: EncounterId::new(encounter).map_err(at("encounter"))? })
}
