//! What may a registry's integrator rely on? The OSIA part of the OpenAPI document, made from the table of operations.

use serde_json::Value;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::path::{
    HttpMethod, Operation as Described, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{OpenApi, PathItem, Ref, RefOr, Required};
use utoipa::{Modify, OpenApi as _};

use super::answer::{PersonIds, TaskName, Verified};
use super::biometric::{BiometricComputedData, BiometricData};
use super::candidate::CandidateBody;
use super::encounter::EncounterBody;
use super::fault::OsiaError;
use super::operation::Operation;
use super::perform::{IdentifyRequest, VerifyFromBioRequest, VerifyFromIdRequest};
use super::words::TaskStatus;

/// The types of OSIA.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    EncounterBody,
    BiometricData,
    BiometricComputedData,
    PersonIds,
    TaskName,
    Verified,
    CandidateBody,
    OsiaError,
    IdentifyRequest,
    VerifyFromIdRequest,
    VerifyFromBioRequest,
    TaskStatus,
)))]
struct Types;

/// Adds the operations of OSIA and their types to a document.
pub(crate) struct OsiaOperations;

impl Modify for OsiaOperations {
    fn modify(&self, document: &mut OpenApi) {
        document.merge(Types::openapi());
        for operation in Operation::ALL {
            let method = match operation.method().as_str() {
                "GET" => HttpMethod::Get,
                "PUT" => HttpMethod::Put,
                "DELETE" => HttpMethod::Delete,
                _ => HttpMethod::Post,
            };
            let item = PathItem::new(method, described(operation));
            match document.paths.paths.get_mut(operation.path()) {
                Some(there) => there.merge_operations(item),
                None => _ = document.paths.paths.insert(operation.path().to_owned(), item),
            }
        }
    }
}

fn described(operation: Operation) -> Described {
    let name = serde_json::to_value(operation).ok().and_then(|name| name.as_str().map(str::to_owned));
    let (summary, details) = words(operation);
    let mut described = OperationBuilder::new()
        .tag("osia")
        .operation_id(name)
        .summary(Some(summary))
        .description((!details.is_empty()).then_some(details))
        .request_body(body(operation));
    for parameter in parameters(operation) {
        described = described.parameter(parameter);
    }
    let done = ResponseBuilder::new().description("Done");
    described = match success(operation) {
        Some(Content { schema: Some(schema), .. }) if operation == Operation::ReadGalleryContent => {
            let csv = ObjectBuilder::new().schema_type(Type::String).build();
            let done = done.content("application/json", content(schema)).content("text/csv", content(csv));
            described.response("200", done.build())
        }
        Some(body) => described.response("200", done.content("application/json", body).build()),
        None => described.response("204", done.build()),
    };
    if !operation.is_about_tasks() {
        let promised = ResponseBuilder::new().description("Promised: the answer goes to the callback");
        let promised = promised.content("application/json", content(Ref::from_schema_name("osia.TaskId")));
        described = described.response("202", promised.build());
    }
    for (status, why) in [
        ("400", "The request cannot be read or used"),
        ("401", "No valid credential"),
        ("403", "Not allowed"),
        ("404", "There is no such person, encounter, gallery or task"),
        ("409", "There is one of this name already"),
        ("413", "The body is too large"),
        ("500", "The service failed"),
        ("503", "Not now: try again"),
    ] {
        let error = content(Ref::from_schema_name("osia.Error"));
        let response = ResponseBuilder::new().description(why).content("application/json", error);
        described = described.response(status, response.build());
    }
    described.build()
}

fn content(schema: impl Into<RefOr<Schema>>) -> Content {
    ContentBuilder::new().schema(Some(schema.into())).build()
}

fn list_of(item: impl Into<RefOr<Schema>>) -> Content {
    content(ArrayBuilder::new().items(item.into()).build())
}

fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).build().into()
}

fn body(operation: Operation) -> Option<RequestBody> {
    let (body, required) = match operation {
        Operation::Identify => (content(Ref::from_schema_name("osia.IdentifyRequest")), Required::True),
        Operation::VerifyFromId => (content(Ref::from_schema_name("osia.VerifyFromIdRequest")), Required::True),
        Operation::VerifyFromBio => (content(Ref::from_schema_name("osia.VerifyFromBioRequest")), Required::True),
        Operation::UpdateEncounterGalleries => (list_of(text()), Required::True),
        Operation::IdentifyFromId | Operation::IdentifyFromEncounterId => {
            let filter = ObjectBuilder::new().schema_type(Type::Object).description(Some(
                "Conditions on biographicData, contextualData and encounterType, each a value, a list of values, or a \
                 bound under a name that ends in Min or Max; biometricType says which traits are compared",
            ));
            (content(Schema::Object(filter.build())), Required::False)
        }
        _ if operation.names_an_encounter() => (content(Ref::from_schema_name("osia.Encounter")), Required::True),
        _ => return None,
    };
    Some(RequestBodyBuilder::new().content("application/json", body).required(Some(required)).build())
}

fn success(operation: Operation) -> Option<Content> {
    let of = |name: &str| Ref::from_schema_name(format!("osia.{name}"));
    Some(match operation {
        Operation::ReadAllEncounters => list_of(of("Encounter")),
        Operation::ReadEncounter => content(of("Encounter")),
        Operation::ReadTemplate => list_of(of("BiometricComputedData")),
        Operation::Identify | Operation::IdentifyFromId | Operation::IdentifyFromEncounterId => {
            list_of(of("Candidate"))
        }
        Operation::VerifyFromId | Operation::VerifyFromBio => content(of("VerifyResult")),
        Operation::ReadGalleries => list_of(text()),
        Operation::ReadGalleryContent => list_of(of("PersonIds")),
        Operation::ReadTaskStatus => content(of("TaskStatus")),
        _ if operation.names_an_encounter() => content(of("PersonIds")),
        _ => return None,
    })
}

/// Names in the path first, then what the query may hold.
fn parameters(operation: Operation) -> Vec<Parameter> {
    let in_path = operation.path().split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = in_path.map(|name| {
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9._:-]{1,64}$"));
        parameter(name, ParameterIn::Path, Required::True, Schema::Object(schema.build()), "")
    });
    let query =
        |name, required, schema, description| parameter(name, ParameterIn::Query, required, schema, description);
    let number = |min: f64, max: Option<f64>, kind| {
        let object = ObjectBuilder::new().schema_type(kind).minimum(Some(min)).maximum(max);
        Schema::Object(object.build())
    };
    let words = |words: &[&str]| {
        let object = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.to_vec()));
        Schema::Object(object.build())
    };
    let digit = || number(0.0, Some(9.0), Type::Integer);
    let mut list: Vec<Parameter> = path.collect();
    list.push(query("transactionId", Required::True, text(), "The id of the transaction; told to the callback"));
    if operation.is_about_tasks() {
        return list;
    }
    let callback = "Where the answer goes, instead of into the response; of an origin that the operator named";
    list.push(query("callback", Required::False, text(), callback));
    list.push(query("priority", Required::False, digit(), "Of what is done later, 9 first; 5 by default"));
    match operation {
        Operation::UpdateEncounterStatus => {
            list.push(query("status", Required::True, words(&["ACTIVE", "INACTIVE"]), ""));
        }
        Operation::ReadTemplate => {
            for name in ["biometricType", "biometricSubType", "instance", "templateFormat", "qualityFormat"] {
                list.push(query(name, Required::False, text(), "Only items that have this"));
            }
        }
        Operation::ReadGalleryContent => {
            list.push(query(
                "offset",
                Required::False,
                number(0.0, None, Type::Integer),
                "How many to leave out; 0 by default",
            ));
            let limit = number(1.0, Some(10_000.0), Type::Integer);
            list.push(query("limit", Required::False, limit, "How many to list; 1000 by default"));
        }
        Operation::Identify | Operation::IdentifyFromId | Operation::IdentifyFromEncounterId => {
            let most = number(1.0, Some(1000.0), Type::Integer);
            list.push(query("maxNbCand", Required::False, most, "Most candidates; 10 by default"));
            let level = "How faces are scanned: in bytes, or in half bytes first, with a bound; both miss nobody";
            list.push(query("accuracyLevel", Required::False, words(&["exact", "certified"]), level));
        }
        _ => (),
    }
    let is_search = matches!(operation.path().split('/').nth(2), Some("identify" | "verify"));
    if is_search {
        let threshold =
            "The lowest score taken, −10·log10 of a false match rate, rounded up to tens; the policy's by default";
        list.push(query("threshold", Required::False, number(0.0, Some(200.0), Type::Number), threshold));
        list.push(query("serviceLevel", Required::False, digit(), "Accepted, and without effect"));
    }
    list
}

fn parameter(name: &str, place: ParameterIn, required: Required, schema: Schema, description: &str) -> Parameter {
    let described = (!description.is_empty()).then_some(description);
    let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
    parameter.schema(Some(schema)).description(described).example(None::<Value>).build()
}

/// What an operation does, in a line, and what else to know.
fn words(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::CreateEncounterNoIds => {
            ("Enrol a new person", "Searches nobody: identify says who is there already.")
        }
        Operation::CreateEncounterNoId => ("Enrol an encounter of a person", "The person is made where there is none."),
        Operation::CreateEncounter => ("Enrol an encounter of a person under this id", ""),
        Operation::ReadAllEncounters => ("Read every encounter of a person", ""),
        Operation::ReadEncounter => ("Read an encounter", ""),
        Operation::UpdateEncounter => ("Put another encounter in its place", "Searches see one or the other."),
        Operation::DeleteEncounter => ("Erase an encounter", "With its last encounter a person is gone."),
        Operation::DeleteAll => ("Erase a person", ""),
        Operation::MergeEncounter => ("Give all encounters of one person to another", "All of them, or none."),
        Operation::MoveEncounter => ("Give an encounter of one person to another", ""),
        Operation::UpdateEncounterStatus => ("Let an encounter take part in searches, or not", ""),
        Operation::UpdateEncounterGalleries => ("Say which galleries an encounter is in", ""),
        Operation::ReadTemplate => ("Read what is compared of an encounter", ""),
        Operation::Identify => ("Search a gallery for a person", "ALL stands for every gallery."),
        Operation::IdentifyFromId => ("Search a gallery for others like a person", "With every encounter of theirs."),
        Operation::IdentifyFromEncounterId => ("Search a gallery for others like an encounter", ""),
        Operation::VerifyFromId => ("Compare samples with a person in a gallery", ""),
        Operation::VerifyFromBio => ("Compare samples with samples", ""),
        Operation::ReadGalleries => ("List the galleries", "ALL is not listed."),
        Operation::ReadGalleryContent => ("List who is in a gallery", ""),
        Operation::ReadTaskStatus => ("Say how far a task is", ""),
        Operation::RedeliverTaskResult => ("Tell the answer of a task once more", ""),
    }
}
