//! The host's side of `hotcell:builtin/http`. What a call may reach, its [`Host`](crate::Host) decides.

use std::time::Duration;

use jiff::Timestamp;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Error, Result};

use super::cell::Cell;
use crate::{HttpFailure, HttpRequest};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../guest-sdk/builtin/http/wit",
        world: "http-caller",
        imports: {
            "hotcell:builtin/http.send": async | trappable,
            "hotcell:builtin/http.read": async | trappable,
            "hotcell:builtin/http.kept-token": async | trappable,
            default: trappable,
        },
    });
}

use bindings::hotcell::builtin::http;

/// Links the interface.
pub(super) fn add_to_linker(linker: &mut Linker<Cell>) -> Result<()> {
    http::add_to_linker::<_, HasSelf<_>>(linker, |cell| cell)
}

impl http::Host for Cell {
    async fn send(&mut self, request: http::Request) -> Result<Result<http::Response, http::Failure>> {
        let http::Request { method, uri, headers, body } = request;
        let answer = self.host.http(HttpRequest { method, uri, headers, body }).await;
        let answer =
            answer.map(|answer| http::Response { status: answer.status, headers: answer.headers, body: answer.body });
        Ok(answer.map_err(to_guest))
    }

    async fn read(&mut self, path: String) -> Result<Result<Vec<u8>, http::Failure>> {
        Ok(self.host.read(&path).await.map_err(to_guest))
    }

    async fn kept_token(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.host.kept_token(&key).await)
    }

    fn keep_token(&mut self, key: String, token: String, lifetime: u64) -> Result<()> {
        self.host.keep_token(key, token, Duration::from_millis(lifetime));
        Ok(())
    }

    fn forget_token(&mut self, key: String) -> Result<()> {
        self.host.forget_token(&key);
        Ok(())
    }

    fn now(&mut self) -> Result<u64> {
        Ok(Timestamp::now().as_millisecond().try_into().unwrap_or(0))
    }

    fn random(&mut self) -> Result<u64> {
        getrandom::u64().map_err(|error| Error::msg(format!("no random numbers: {error}")))
    }
}

fn to_guest(failure: HttpFailure) -> http::Failure {
    match failure {
        HttpFailure::Denied(reason) => http::Failure::Denied(reason),
        HttpFailure::Invalid(reason) => http::Failure::Invalid(reason),
        HttpFailure::Unreachable(reason) => http::Failure::Unreachable(reason),
        HttpFailure::Late(reason) => http::Failure::Late(reason),
        HttpFailure::TooLarge(reason) => http::Failure::TooLarge(reason),
    }
}
