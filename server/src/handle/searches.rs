//! Who is this, and is it who it claims to be?

use axum::Json;
use axum::extract::State;
use khop::{Effort, Search};

use crate::body::{Body, InPath};
use crate::problem::Problem;
use crate::service::Service;
use crate::wire::sample::samples;
use crate::wire::search::{IdentifyRequest, SearchAnswer, VerifyAnswer, VerifyRequest};

/// Compare samples with one claimed person (1:1).
#[utoipa::path(post, path = "/enrolment/v1/realms/{realm}/verify", tag = "enrolment",
    params(("realm" = String, Path)),
    request_body = VerifyRequest, responses((status = 200, description = "Yes or no", body = VerifyAnswer)))]
pub(crate) async fn verify(
    State(service): State<Service>,
    InPath(realm): InPath<String>,
    Body(request): Body<VerifyRequest>,
) -> Result<Json<VerifyAnswer>, Problem> {
    let claim = request.claim()?;
    let probe = samples(request.samples)?;
    let verification = service.work_in(realm, move |realm| realm.verify(&claim, &probe)).await?;
    Ok(Json(verification.into()))
}

/// Search a gallery for the person (1:N). An error is never to be read as "nobody".
#[utoipa::path(post, path = "/enrolment/v1/realms/{realm}/identify", tag = "enrolment", operation_id = "identify_samples",
    params(("realm" = String, Path)),
    request_body = IdentifyRequest, responses((status = 200, description = "A completed search", body = SearchAnswer)))]
pub(crate) async fn identify(
    State(service): State<Service>,
    InPath(realm): InPath<String>,
    Body(request): Body<IdentifyRequest>,
) -> Result<Json<SearchAnswer>, Problem> {
    let search = request.search()?;
    let encounter = request.encounter()?;
    let probe = samples(request.samples)?;
    let job = move |realm: &khop::Realm, effort: Effort| {
        let search = Search { effort: Effort { loss: search.effort.loss, ..effort }, ..search };
        match &encounter {
            Some(encounter) => realm.identify_encounter(encounter, &search),
            None => realm.identify(&probe, &search),
        }
    };
    Ok(Json(service.search_in(realm, job).await?.into()))
}
