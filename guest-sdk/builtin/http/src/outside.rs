//! What stands outside the cell.

use crate::faults::Failure;

/// A request as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// In upper case.
    pub(crate) method: String,
    /// An absolute URI.
    pub(crate) uri: url::Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Sets a header, in the place of those of the same name.
    pub(crate) fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.remove_header(name);
        self.headers.push((name.into(), value.into()));
    }

    pub(crate) fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The first header of this name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[cfg(target_arch = "wasm32")]
mod cell {
    use super::{Failure, Request, Response};
    use crate::bindings::hotcell::builtin::http as imports;

    pub(crate) fn send(request: &Request) -> Result<Response, Failure> {
        let request = imports::Request {
            method: request.method.clone(),
            uri: request.uri.to_string(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let response = imports::send(&request).map_err(failure)?;
        Ok(Response { status: response.status, headers: response.headers, body: response.body })
    }

    fn failure(failure: imports::Failure) -> Failure {
        match failure {
            imports::Failure::Denied(reason) => Failure::Denied(reason),
            imports::Failure::Invalid(reason) => Failure::Invalid(reason),
            imports::Failure::Unreachable(reason) => Failure::Unreachable(reason),
            imports::Failure::Late(reason) => Failure::Late(reason),
            imports::Failure::TooLarge(reason) => Failure::TooLarge(reason),
        }
    }

    pub(crate) fn read(path: &str) -> Result<Vec<u8>, Failure> {
        imports::read(path).map_err(failure)
    }

    pub(crate) fn kept_token(key: &str) -> Option<String> {
        imports::kept_token(key)
    }

    pub(crate) fn keep_token(key: &str, token: &str, lifetime: u64) {
        imports::keep_token(key, token, lifetime);
    }

    pub(crate) fn forget_token(key: &str) {
        imports::forget_token(key);
    }

    pub(crate) fn now() -> u64 {
        imports::now()
    }

    pub(crate) fn random() -> u64 {
        imports::random()
    }
}

/// On the host there is nothing outside: what is tested here is what needs nothing of it.
#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::{Failure, Request, Response};

    pub(crate) fn send(_: &Request) -> Result<Response, Failure> {
        Err(Failure::Unreachable("there is no network outside a cell".into()))
    }

    pub(crate) fn read(_: &str) -> Result<Vec<u8>, Failure> {
        Err(Failure::Denied("there are no files outside a cell".into()))
    }

    pub(crate) fn kept_token(_: &str) -> Option<String> {
        None
    }

    pub(crate) fn keep_token(_: &str, _: &str, _: u64) {}

    pub(crate) fn forget_token(_: &str) {}

    pub(crate) fn now() -> u64 {
        0
    }

    pub(crate) fn random() -> u64 {
        4
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) use cell::{forget_token, keep_token, kept_token, now, random, read, send};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{forget_token, keep_token, kept_token, now, random, read, send};
