//! What can go wrong, as problems.

use hotcell::{Problem, kind};

use crate::outside::Response;

/// Why a request has no answer. Each comes with a sentence for the workflow's author.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "only hotcell fails in all these ways"))]
pub(crate) enum Failure {
    Denied(String),
    Invalid(String),
    Unreachable(String),
    Late(String),
    TooLarge(String),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(detail) => {
                Problem::new(detail).kind(kind::AUTHORIZATION).status(403).title("Request not allowed")
            }
            Failure::Invalid(detail) => invalid(detail),
            Failure::Unreachable(detail) => {
                Problem::new(detail).kind(kind::COMMUNICATION).status(500).title("Service not reachable")
            }
            Failure::Late(detail) => {
                Problem::new(detail).kind(kind::COMMUNICATION).status(504).title("Service did not answer in time")
            }
            Failure::TooLarge(detail) => {
                Problem::new(detail).kind(kind::COMMUNICATION).status(500).title("Too much data")
            }
        }
    }
}

/// The definition, or what its expressions yielded, is no request.
pub(crate) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(detail).kind(kind::CONFIGURATION).status(400).title("Invalid request")
}

/// The service answered, but not with what was asked for.
pub(crate) fn refused(method: &str, uri: &url::Url, response: &Response, now: u64) -> Problem {
    let place = place(uri);
    let status = response.status;
    let detail = match (status, response.header("location")) {
        (300..=399, Some(_)) => {
            format!(
                "{method} {place} was answered with status {status}, a redirect; to follow it, set `redirect: true`"
            )
        }
        _ => format!("{method} {place} was answered with status {status}{}", name_of(status)),
    };
    let problem = Problem::new(detail).kind(kind::COMMUNICATION).status(status).title("Service answered with an error");
    match response.header("retry-after").and_then(|value| retry_after(value, now)) {
        Some(seconds) if matches!(status, 429 | 503) => problem.with("retryAfter", seconds),
        _ => problem,
    }
}

/// Where a URI leads, without what may be secret in it.
pub(crate) fn place(uri: &url::Url) -> &str {
    &uri[..url::Position::AfterPath]
}

/// The longest wait that a server can impose, in seconds: one day.
const MAX_RETRY_AFTER: u64 = 24 * 60 * 60;

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
fn retry_after(value: &str, now: u64) -> Option<u64> {
    let value = value.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            let date = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            u64::try_from(date.as_millis()).ok()?.saturating_sub(now).div_ceil(1000)
        }
    };
    Some(seconds.min(MAX_RETRY_AFTER))
}

fn name_of(status: u16) -> &'static str {
    match status {
        400 => " (Bad Request)",
        401 => " (Unauthorized)",
        403 => " (Forbidden)",
        404 => " (Not Found)",
        405 => " (Method Not Allowed)",
        409 => " (Conflict)",
        415 => " (Unsupported Media Type)",
        422 => " (Unprocessable Content)",
        429 => " (Too Many Requests)",
        500 => " (Internal Server Error)",
        502 => " (Bad Gateway)",
        503 => " (Service Unavailable)",
        504 => " (Gateway Timeout)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now = 784_111_770_000;
        assert_eq!(retry_after(" 120 ", now), Some(120));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(7));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now + 60_000), Some(0));
        assert_eq!(retry_after("99999999999", now), Some(MAX_RETRY_AFTER));
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn a_problem_tells_where_the_request_went_but_not_its_query() {
        let uri = url::Url::parse("https://api.example.com/pets/7?key=s3cret").unwrap();
        let response = Response { status: 404, headers: vec![], body: vec![] };
        let problem = refused("GET", &uri, &response, 0);
        assert_eq!(problem.status, Some(404));
        assert_eq!(
            problem.detail.as_deref(),
            Some("GET https://api.example.com/pets/7 was answered with status 404 (Not Found)")
        );
    }
}
