//! What a registry wants before it answers: the header `WWW-Authenticate` (RFC 9110, section 11.6.1).

/// How to authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// With a user name and a password.
    Basic,
    /// With a token, which the realm gives.
    Bearer {
        /// Where to ask for it.
        realm: String,
        /// For whom.
        service: Option<String>,
        /// For what.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The first challenge that can be answered.
    pub(crate) fn parse(header: &str) -> Option<Challenge> {
        let (scheme, parameters) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (name, value) in parameters_of(parameters) {
            match name.as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        realm.map(|realm| Challenge::Bearer { realm, service, scope })
    }
}

/// `name=value` and `name="value, with \" in it"`, between commas.
fn parameters_of(text: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
        let (value, left) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, left) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), left)
            }
        };
        parameters.push((name, value));
        rest = left;
    }
    parameters
}

/// The text up to the closing quotation mark, and what follows it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_with_their_parameters_in_any_order_and_form() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.into(),
                service: service.map(Into::into),
                scope: scope.map(Into::into),
            })
        };
        for (header, challenge) in [
            (
                r#"Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull,push""#,
                bearer(
                    "https://auth.example.com/token",
                    Some("registry.example.com"),
                    Some("repository:a/b:pull,push"),
                ),
            ),
            (r#"bearer service=x, realm="https://a.test/\"t""#, bearer("https://a.test/\"t", Some("x"), None)),
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            ("Bearer", None),
            ("Negotiate abc", None),
            ("Bearer realm=\"unclosed", bearer("unclosed", None, None)),
        ] {
            assert_eq!(Challenge::parse(header), challenge, "{header}");
        }
    }
}
