//! May this traveller board? The gate's one question; whatever fails, the answer is "undetermined".

use axum::Json;
use axum::extract::State;
use khop::{Realm, Search};

use crate::body::{Body, InPath};
use crate::problem::Problem;
use crate::service::Service;
use crate::wire::boarding::{BoardingAnswer, BoardingRequest};
use crate::wire::sample::samples;

/// Search the flight's list for the traveller.
///
/// Only `match` lets a traveller board. `no_match`, `undetermined` and every status but 200 go to a human. When
/// anything fails the problem carries `"decision": "undetermined"`, with status 503 unless the request is at fault.
#[utoipa::path(post, path = "/boarding/v1/flights/{realm}/identify", tag = "boarding",
    params(("realm" = String, Path, description = "The flight's realm")),
    request_body = BoardingRequest,
    responses((status = 200, description = "The whole list was searched", body = BoardingAnswer)))]
pub(crate) async fn board(
    State(service): State<Service>,
    InPath(flight): InPath<String>,
    Body(request): Body<BoardingRequest>,
) -> Result<Json<BoardingAnswer>, Problem> {
    let probe = samples(request.samples)?;
    let job = move |realm: &Realm, effort| realm.identify(&probe, &Search { limit: 1, effort, ..Search::default() });
    let found = service.search_in(flight, job).await?;
    BoardingAnswer::try_from(found).map(Json)
}
