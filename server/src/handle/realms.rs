//! Which tenants and flights are there? Realms made, listed and destroyed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use khop::RealmId;

use crate::body::{Body, InPath};
use crate::principal::Principal;
use crate::problem::Problem;
use crate::service::Service;
use crate::wire::field::at;
use crate::wire::realm::{PurgeAnswer, RealmAnswer, RealmRequest, RealmsAnswer};

/// Every realm that can be reached and that the key is for.
#[utoipa::path(get, path = "/admin/v1/realms", tag = "admin",
    responses((status = 200, description = "All of them", body = RealmsAnswer)))]
pub(crate) async fn list_realms(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<RealmsAnswer>, Problem> {
    let mut realms = service.work(|engine| Ok(engine.realms())).await?;
    realms.retain(|realm| principal.is_granted(realm.id.as_str()));
    Ok(Json(RealmsAnswer::of(&realms)))
}

/// Make a realm. With an expiry it is a flight: unreachable and purged when its time is over.
#[utoipa::path(put, path = "/admin/v1/realms/{realm}", tag = "admin",
    params(("realm" = String, Path)),
    request_body = RealmRequest, responses((status = 201, description = "Made", body = RealmAnswer)))]
pub(crate) async fn create_realm(
    State(service): State<Service>,
    InPath(realm): InPath<String>,
    Body(request): Body<RealmRequest>,
) -> Result<(StatusCode, Json<RealmAnswer>), Problem> {
    let id = RealmId::new(realm).map_err(at("realm"))?;
    let expires_at_unix_s = request.expires_at_unix_s(unix_now_s())?;
    let job = move |engine: &khop::Engine| {
        engine.create_realm(&id, expires_at_unix_s)?;
        engine.realm(&id)?.status()
    };
    let status = service.work(job).await?;
    Ok((StatusCode::CREATED, Json((&status).into())))
}

/// Destroy a realm and everything enrolled in it.
#[utoipa::path(delete, path = "/admin/v1/realms/{realm}", tag = "admin",
    params(("realm" = String, Path)), responses((status = 200, description = "Destroyed", body = PurgeAnswer)))]
pub(crate) async fn drop_realm(
    State(service): State<Service>,
    InPath(realm): InPath<String>,
) -> Result<Json<PurgeAnswer>, Problem> {
    let id = RealmId::new(realm).map_err(at("realm"))?;
    let purge = service.work(move |engine| engine.drop_realm(&id)).await?;
    Ok(Json(purge.into()))
}

/// Seconds since 1970 by this machine's clock.
fn unix_now_s() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |elapsed| elapsed.as_secs())
}
