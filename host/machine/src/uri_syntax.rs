//! What a URI is (RFC 3986).

/// Whether a text is a URI, with a scheme.
pub(crate) fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && is_relative_or_rest(rest))
}

/// Whether a text is a URI, or one without its beginning. The empty one is none here.
pub(crate) fn is_uri_reference(text: &str) -> bool {
    // "A path segment that contains a colon character cannot be used as the first segment" (section 4.2).
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    if first.contains(':') { is_uri(text) } else { !text.is_empty() && is_relative_or_rest(text) }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// What stands behind a scheme: authority, path, query, fragment.
fn is_relative_or_rest(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, path) = match path.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", path),
    };
    let is_query = |text| has_only(text, |byte| is_path(byte) || byte == b'?');
    // An address of IPv6 stands in brackets.
    let is_authority = has_only(authority, |byte| (is_path(byte) && byte != b'/') || matches!(byte, b'[' | b']'));
    is_authority && has_only(path, is_path) && is_query(query) && is_query(fragment)
}

/// `pchar` and the slash.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

/// Whether all bytes are allowed, or parts of `%XX`.
fn has_only(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let mut parts = text.split('%');
    let plain = |part: &str| part.bytes().all(&allowed);
    parts.next().is_none_or(plain)
        && parts.all(|part| {
            let is_encoded = part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
            is_encoded && plain(&part[2..])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_told_from_references_and_from_other_texts() {
        for uri in ["https://example.com/a?b=c/d?#e", "urn:a:b", "mailto:a@b.c", "http://[::1]:80/", "a:", "x:%20"] {
            assert!(is_uri(uri) && is_uri_reference(uri), "{uri}");
        }
        for reference in ["/a/b", "a/b", "//host", "a/b:c", "?q", "#f", "com.example.orders", "./a:b"] {
            assert!(!is_uri(reference) && is_uri_reference(reference), "{reference}");
        }
        for neither in
            ["", "a b", "1:x", "%", "%2", "%zz", "a:b c", "https://exa mple.com", "ä", "/a[b]", "{x}", "<a>", "%2ä"]
        {
            assert!(!is_uri(neither) && !is_uri_reference(neither), "{neither}");
        }
    }
}
