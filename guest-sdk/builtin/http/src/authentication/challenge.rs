//! What a service asks for: `WWW-Authenticate` (RFC 9110, section 11.6.1).

use crate::outside::Response;

/// One way to authenticate that a service offers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// All challenges of an answer. What cannot be read ends the header that it stands in.
pub(crate) fn challenges(response: &Response) -> Vec<Challenge> {
    let headers = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    headers.flat_map(|(_, value)| parse(value)).collect()
}

fn parse(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        if end == 0 {
            return found;
        }
        let (token, behind) = rest.split_at(end);
        rest = behind.trim_start_matches([' ', '\t']);
        let Some(value) = rest.strip_prefix('=') else {
            found.push(Challenge { scheme: token.into(), parameters: Vec::new() });
            continue;
        };
        let (Some((value, behind)), Some(challenge)) =
            (value_of(value.trim_start_matches([' ', '\t'])), found.last_mut())
        else {
            return found;
        };
        challenge.parameters.push((token.into(), value));
        rest = behind;
    }
}

/// A token, or a text in quotes.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !is_token(c)).unwrap_or(text.len());
        return Some((text[..end].into(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_stand_in_one_header() {
        let found = parse(r#"Basic realm="a, \"b\"", Digest realm=x , nonce = "n=", qop="auth,auth-int",, Negotiate"#);
        let schemes: Vec<&str> = found.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["Basic", "Digest", "Negotiate"]);
        assert_eq!(found[0].get("REALM"), Some("a, \"b\""));
        assert_eq!((found[1].get("nonce"), found[1].get("qop")), (Some("n="), Some("auth,auth-int")));
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for header in ["", "\"", "=x", "Digest realm=\"open", "realm=x", "Digest realm=\"a\\"] {
            assert!(parse(header).iter().all(|challenge| challenge.get("realm").is_none()), "{header}");
        }
    }
}
