//! How components elsewhere are named.

use std::fmt;
use std::str::FromStr;

use hotcell_sandbox::Digest;
use url::Url;

/// A component that is not a file here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ComponentReference {
    /// In an OCI registry.
    Oci(OciReference),
    /// At a URL.
    Url(UrlReference),
}

/// A WebAssembly artifact in an OCI registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OciReference {
    /// The registry: a host and, unless it is the usual one, a port.
    pub registry: String,
    /// The repository in it: `team/price`.
    pub repository: String,
    /// The tag. `latest` if there is neither a tag nor a digest.
    pub tag: Option<String>,
    /// The digest of the manifest.
    pub digest: Option<Digest>,
}

/// A file at a URL, by its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UrlReference {
    /// Where it is: `https`, or `http`, which the digest makes good.
    pub url: Url,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// A text that names no component elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}: {reason}")]
pub struct InvalidReference {
    text: String,
    reason: String,
}

const OCI: &str = "oci://";

impl ComponentReference {
    /// Whether a text is to be read as a reference rather than as a path.
    pub fn is_one(text: &str) -> bool {
        text.contains("://") || text.starts_with("oci:")
    }
}

impl FromStr for ComponentReference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let invalid = |reason: String| InvalidReference { text: text.into(), reason };
        if text.len() > 2_000 {
            return Err(InvalidReference { text: text.chars().take(80).collect(), reason: "this is too long".into() });
        }
        let (named, digest) = match text.rsplit_once("@sha256:") {
            Some((named, digits)) => {
                let digest = format!("sha256:{digits}").parse::<Digest>();
                (named, Some(digest.map_err(|error| invalid(error.to_string()))?))
            }
            None => (text, None),
        };
        if let Some(named) = named.strip_prefix(OCI) {
            return OciReference::parse(named, digest).map(ComponentReference::Oci).map_err(invalid);
        }
        let url = Url::parse(named).map_err(|error| invalid(format!("this is not a URL: {error}")))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(invalid(format!(
                "components come from `oci://`, from `https://` or from a path, not from `{}:`",
                url.scheme()
            )));
        }
        let digest = digest.ok_or_else(|| {
            invalid(
                "a component at a URL is named with its digest, so that it cannot change unseen: add `@sha256:` and what \
                 `sha256sum` prints for the file"
                    .into(),
            )
        })?;
        Ok(ComponentReference::Url(UrlReference { url, digest }))
    }
}

impl OciReference {
    fn parse(named: &str, digest: Option<Digest>) -> Result<Self, String> {
        let form = "write `oci://registry.example.com/team/price:1.2.0`, and `@sha256:…` behind it to pin it";
        let (registry, path) = named.split_once('/').ok_or_else(|| format!("there is no repository in it; {form}"))?;
        let is_host = !registry.is_empty()
            && Url::parse(&format!("https://{registry}/")).is_ok_and(|url| {
                url.has_host() && url.username().is_empty() && url.password().is_none() && url.path() == "/"
            });
        if !is_host {
            return Err(format!("{registry:?} is not the host of a registry; {form}"));
        }
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_repository(repository) {
            return Err(format!(
                "{repository:?} is not a repository: lower-case letters and digits, with . _ - between them, and / between names; \
                 {form}"
            ));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(format!("{tag:?} is not a tag: at most 128 letters, digits, and . _ - in them; {form}"));
        }
        let tag = tag.map(str::to_owned).or_else(|| digest.is_none().then(|| "latest".into()));
        Ok(OciReference { registry: registry.to_ascii_lowercase(), repository: repository.into(), tag, digest })
    }

    /// What stands behind `/manifests/`: the digest, or else the tag.
    pub(crate) fn target(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".into(),
        }
    }
}

/// `name` in the OCI distribution specification.
fn is_repository(text: &str) -> bool {
    text.len() <= 255
        && text.split('/').all(|name| {
            let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            name.starts_with(is_inner)
                && name.ends_with(is_inner)
                && name.chars().all(|c| is_inner(c) || matches!(c, '.' | '_' | '-'))
                && !name.contains("..")
        })
}

/// `reference` in the OCI distribution specification.
fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

impl fmt::Display for ComponentReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ComponentReference::Oci(oci) => oci.fmt(f),
            ComponentReference::Url(UrlReference { url, digest }) => write!(f, "{url}@{digest}"),
        }
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OCI}{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn references_are_read_as_they_are_written() {
        for text in [
            "oci://registry.example.com/price:1.2.0".to_owned(),
            "oci://localhost:5000/team/sub/price:latest".to_owned(),
            "oci://[::1]:5000/price:v1".to_owned(),
            format!("oci://registry.example.com/team/price:1.2.0@sha256:{DIGITS}"),
            format!("oci://registry.example.com/team/price@sha256:{DIGITS}"),
            format!("https://example.com/a%20b/price.wasm?x=1@sha256:{DIGITS}"),
        ] {
            assert_eq!(text.parse::<ComponentReference>().expect(&text).to_string(), text);
        }
        let unnamed: ComponentReference = "oci://Registry.Example.com/price".parse().unwrap();
        assert_eq!(unnamed.to_string(), "oci://registry.example.com/price:latest");
    }

    #[test]
    fn what_is_no_reference_says_how_to_write_one() {
        for (text, part) in [
            ("oci://registry.example.com", "no repository"),
            ("oci:///price", "not the host"),
            ("oci://user:pass@example.com/price", "not the host"),
            ("oci://example.com/Price", "lower-case"),
            ("oci://example.com/a/../b", "not a repository"),
            ("oci://example.com/a//b", "not a repository"),
            ("oci://example.com/price:-x", "not a tag"),
            ("oci://example.com/price@sha256:12", "64 hexadecimal digits"),
            ("https://example.com/price.wasm", "sha256sum"),
            ("ftp://example.com/price.wasm", "not from `ftp:`"),
        ] {
            let error = text.parse::<ComponentReference>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
