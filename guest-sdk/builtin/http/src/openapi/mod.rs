//! `call: openapi`: a request as a document of the service describes it. OpenAPI 3.0 and 3.1, and Swagger 2.0.

mod document;
mod operation;
mod parameters;
mod servers;

use hotcell::{Problem, Value, kind};
use serde_json::Map;
use url::Url;

use crate::authentication::Authentication;
use crate::compose::add_defaults;
use crate::faults::{invalid, place, refused};
use crate::input::OpenApiCall;
use crate::outside::{Request, now, read};
use document::Document;

/// The request that `call: openapi` describes.
pub(crate) fn request(call: OpenApiCall) -> Result<Request, Problem> {
    let OpenApiCall { document, operation_id, parameters } = call;
    let (text, base) = fetch(&document.endpoint, document.authentication)?;
    let document = Document::parse(&text, base)?;
    let operation = document.operation(&operation_id)?;
    let mut request = operation.request(parameters.unwrap_or_default())?;
    add_defaults(&mut request);
    Ok(request)
}

/// The document, and where it is, if it is at a URI. A path that is no URI starts at the definition.
fn fetch(endpoint: &str, authentication: Option<Value>) -> Result<(String, Option<Url>), Problem> {
    let not_utf8 = |_| invalid("the OpenAPI document is not UTF-8");
    let uri = match Url::parse(endpoint) {
        Ok(uri) if matches!(uri.scheme(), "http" | "https") => uri,
        Ok(uri) => {
            return Err(invalid(format!(
                "an OpenAPI document cannot be fetched by {:?}; use https, http, or a path relative to the definition",
                uri.scheme()
            )));
        }
        Err(_) => {
            let bytes = read(endpoint)?;
            return Ok((String::from_utf8(bytes).map_err(not_utf8)?, None));
        }
    };
    let headers = vec![("accept".to_owned(), "application/json, application/yaml, */*;q=0.8".to_owned())];
    let mut request = Request { method: "GET".into(), uri, headers, body: None };
    add_defaults(&mut request);
    let authentication = Authentication::read(authentication)?;
    let (request, response, _) = crate::exchange::converse(request, authentication, true)?;
    if !(200..=299).contains(&response.status) {
        return Err(refused("GET", &request.uri, &response, now()));
    }
    let text = String::from_utf8(response.body).map_err(not_utf8)?;
    Ok((text, Some(request.uri)))
}

/// The document is not what it should be.
fn unusable(detail: impl Into<String>) -> Problem {
    Problem::new(detail).kind(kind::CONFIGURATION).status(400).title("Unusable OpenAPI document")
}

/// What a document is called in messages.
fn name_of(base: Option<&Url>) -> String {
    base.map_or_else(|| "the OpenAPI document".into(), |base| format!("the OpenAPI document at {}", place(base)))
}

/// An object's members, or none.
fn members(value: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}
