//! HTTP Digest access authentication (RFC 7616).

use hotcell::Problem;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use url::Position;

use super::challenge::{Challenge, challenges};
use crate::answer::Authorization;
use crate::exchange::send_plainly;
use crate::outside::{Request, Response, random};

/// A user who answers challenges.
pub(crate) struct Digest {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// How the answer is hashed, the better one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Sha256,
    Md5,
}

impl Digest {
    /// Asks, and answers the challenge that comes back. A service that does not challenge has answered already.
    pub(crate) fn send(&self, request: &Request) -> Result<(Response, Option<Authorization>), Problem> {
        let response = send_plainly(request)?;
        if response.status != 401 {
            return Ok((response, None));
        }
        let best = challenges(&response)
            .into_iter()
            .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("digest"))
            .filter_map(|challenge| Some((algorithm(&challenge)?, challenge)))
            .min_by_key(|(algorithm, _)| *algorithm);
        let Some((algorithm, challenge)) = best else { return Ok((response, None)) };
        let cnonce = format!("{:016x}", random());
        let Some(parameter) = self.answer(request, &challenge, algorithm, &cnonce) else { return Ok((response, None)) };
        let authorization = Authorization { scheme: "Digest".into(), parameter };
        let response = send_plainly(&super::authorized(request, &authorization))?;
        Ok((response, Some(authorization)))
    }

    /// The parameters of the header; nothing if the challenge asks for what is not known here.
    fn answer(&self, request: &Request, challenge: &Challenge, algorithm: Algorithm, cnonce: &str) -> Option<String> {
        let (realm, nonce) = (challenge.get("realm")?, challenge.get("nonce")?);
        let qop = match challenge.get("qop") {
            // RFC 2069, from before there was a choice.
            None => None,
            Some(offered) => Some(offered.split(',').map(str::trim).find(|qop| qop.eq_ignore_ascii_case("auth"))?),
        };
        let hash = |parts: &[&str]| hash(algorithm, &parts.join(":"));
        let uri = &request.uri[Position::BeforePath..Position::AfterQuery];
        let named = challenge.get("algorithm");
        let mut secret = hash(&[&self.username, realm, &self.password]);
        if named.is_some_and(|name| name.to_ascii_lowercase().ends_with("-sess")) {
            secret = hash(&[&secret, nonce, cnonce]);
        }
        let asked = hash(&[&request.method, uri]);
        let count = "00000001";
        let response = match qop {
            Some(qop) => hash(&[&secret, nonce, count, cnonce, qop, &asked]),
            None => hash(&[&secret, nonce, &asked]),
        };
        let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let mut parameters = vec![
            format!("username={}", quote(&self.username)),
            format!("realm={}", quote(realm)),
            format!("nonce={}", quote(nonce)),
            format!("uri={}", quote(uri)),
            format!("response=\"{response}\""),
        ];
        parameters.extend(named.map(|name| format!("algorithm={name}")));
        if let Some(qop) = qop {
            parameters.extend([format!("qop={qop}"), format!("nc={count}"), format!("cnonce=\"{cnonce}\"")]);
        }
        parameters.extend(challenge.get("opaque").map(|opaque| format!("opaque={}", quote(opaque))));
        Some(parameters.join(", "))
    }
}

fn algorithm(challenge: &Challenge) -> Option<Algorithm> {
    match challenge.get("algorithm").unwrap_or("MD5").to_ascii_uppercase().as_str() {
        "SHA-256" | "SHA-256-SESS" => Some(Algorithm::Sha256),
        "MD5" | "MD5-SESS" => Some(Algorithm::Md5),
        _ => None,
    }
}

fn hash(algorithm: Algorithm, text: &str) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match algorithm {
        Algorithm::Sha256 => hex(&Sha256::digest(text)),
        Algorithm::Md5 => hex(&Md5::digest(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(challenge: &str) -> String {
        let request = Request {
            method: "GET".into(),
            uri: url::Url::parse("http://www.example.org/dir/index.html").unwrap(),
            headers: vec![],
            body: None,
        };
        let headers = vec![("www-authenticate".into(), challenge.into())];
        let challenge = challenges(&Response { status: 401, headers, body: vec![] }).remove(0);
        let user = Digest { username: "Mufasa".into(), password: "Circle of Life".into() };
        let algorithm = algorithm(&challenge).unwrap();
        user.answer(&request, &challenge, algorithm, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ").unwrap()
    }

    /// The example of RFC 7616, section 3.9.1.
    #[test]
    fn the_example_of_the_rfc_is_answered_as_it_says() {
        let challenge = |algorithm: &str| {
            format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        let md5 = answered(&challenge("MD5"));
        assert!(md5.contains("response=\"8ca523f5e9506fed4657c9700eebdbec\""), "{md5}");
        let sha = answered(&challenge("SHA-256"));
        assert!(sha.contains("response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""), "{sha}");
        assert!(sha.contains("qop=auth, nc=00000001") && sha.contains("opaque=\"FQhe/"), "{sha}");
    }
}
