//! From the request to its final answer: authentication, redirects, and what counts as success.

use hotcell::Problem;

use crate::answer::{self, Output};
use crate::authentication::Authentication;
use crate::compose;
use crate::faults::{place, refused};
use crate::input::{Call, Input};
use crate::openapi;
use crate::outside::{Request, Response, now, send};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 10;

/// Makes the call.
pub(crate) fn perform(input: Input) -> Result<Output, Problem> {
    let authentication = Authentication::read(input.authentication)?;
    let request = match input.call {
        Call::Http(call) => compose::request(call)?,
        Call::OpenApi(call) => openapi::request(call)?,
    };
    let (request, response, authorization) = converse(request, authentication, input.redirect)?;
    // With `redirect: true` redirects that lead nowhere (304) are answers like others, as the specification has it.
    let accepted = if input.redirect { 200..=399 } else { 200..=299 };
    if !accepted.contains(&response.status) {
        return Err(refused(&request.method, &request.uri, &response, now()));
    }
    let authorization = authorization.filter(|_| input.tell_authorization);
    answer::output(input.output, &request, response, authorization)
}

/// Sends the request and follows redirects. Returns the last request without what authenticated it, its answer, and
/// the authorization that was used.
pub(crate) fn converse(
    mut request: Request,
    mut authentication: Authentication,
    follow: bool,
) -> Result<(Request, Response, Option<answer::Authorization>), Problem> {
    let mut redirects = 0;
    loop {
        let (response, authorization) = authentication.send(&request)?;
        let next = if follow { redirected(&request, &response)? } else { None };
        let Some(next) = next else { return Ok((request, response, authorization)) };
        redirects += 1;
        if redirects > MAX_REDIRECTS {
            let detail = format!("more than {MAX_REDIRECTS} redirects were followed, and the last answer is one more");
            return Err(Problem::new(detail)
                .kind(hotcell::kind::COMMUNICATION)
                .status(response.status)
                .title("Too many redirects"));
        }
        if next.uri.origin() != request.uri.origin() {
            // What authenticates at one host is not for another.
            authentication = Authentication::none();
        }
        request = next;
    }
}

/// The request that a redirect asks for (RFC 9110, section 15.4); none if the answer is no redirect, or says not where to.
fn redirected(request: &Request, response: &Response) -> Result<Option<Request>, Problem> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.header("location") else { return Ok(None) };
    let Ok(mut uri) = request.uri.join(location) else {
        let detail = format!(
            "{} {} was answered with status {}, a redirect to what is no URI",
            request.method,
            place(&request.uri),
            response.status
        );
        return Err(Problem::new(detail)
            .kind(hotcell::kind::COMMUNICATION)
            .status(response.status)
            .title("Redirect leads nowhere"));
    };
    uri.set_fragment(None);
    let mut next = Request { uri, ..request.clone() };
    let becomes_get = match response.status {
        303 => !matches!(request.method.as_str(), "GET" | "HEAD"),
        301 | 302 => request.method == "POST",
        _ => false,
    };
    if becomes_get {
        next.method = "GET".into();
        next.body = None;
        next.remove_header("content-type");
    }
    if next.uri.origin() != request.uri.origin() {
        for name in ["authorization", "cookie", "x-api-key"] {
            next.remove_header(name);
        }
    }
    Ok(Some(next))
}

/// Sends a request as it is.
pub(crate) fn send_plainly(request: &Request) -> Result<Response, Problem> {
    Ok(send(request)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(method: &str, status: u16, location: &str) -> Option<Request> {
        redirect(method, status, location).unwrap()
    }

    fn redirect(method: &str, status: u16, location: &str) -> Result<Option<Request>, Problem> {
        let request = Request {
            method: method.into(),
            uri: url::Url::parse("https://api.example.com/a/b?c#d").unwrap(),
            headers: vec![("Authorization".into(), "Bearer t".into()), ("Content-Type".into(), "text/plain".into())],
            body: Some(b"hi".to_vec()),
        };
        let response = Response { status, headers: vec![("location".into(), location.into())], body: vec![] };
        redirected(&request, &response)
    }

    #[test]
    fn a_redirect_is_resolved_against_the_request() {
        for (location, uri) in [
            ("../x", "https://api.example.com/x"),
            ("/y?z#f", "https://api.example.com/y?z"),
            ("//other.example.com/", "https://other.example.com/"),
        ] {
            assert_eq!(after("GET", 302, location).unwrap().uri.as_str(), uri);
        }
        assert!(after("GET", 304, "/x").is_none());
        let nowhere = redirect("GET", 302, "http://[").unwrap_err();
        assert_eq!((nowhere.status, nowhere.kind.as_deref()), (Some(302), Some(hotcell::kind::COMMUNICATION)));
    }

    #[test]
    fn posts_become_gets_where_servers_expect_it() {
        for (method, status, expected) in [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("PUT", 302, "PUT"),
            ("PUT", 303, "GET"),
            ("HEAD", 303, "HEAD"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
        ] {
            let next = after(method, status, "/x").unwrap();
            assert_eq!(next.method, expected, "{method} {status}");
            assert_eq!(next.body.is_some(), expected != "GET");
        }
    }

    #[test]
    fn another_host_learns_no_credentials() {
        assert!(after("GET", 302, "/x").unwrap().header("authorization").is_some());
        for location in ["https://other.example.com/", "http://api.example.com/", "https://api.example.com:8443/"] {
            assert!(after("GET", 302, location).unwrap().header("authorization").is_none(), "{location}");
        }
    }
}
