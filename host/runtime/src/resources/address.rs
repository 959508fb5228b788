//! Where documents are: files and URLs, relative to each other, and as the hosts of Git repositories have them.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use url::Url;

/// Where a document or a folder of documents is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    File(PathBuf),
    Url(Url),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::File(path) => path.display().fmt(f),
            Address::Url(url) => url.fmt(f),
        }
    }
}

impl Address {
    /// What a document that is in this folder means by a URI.
    pub(super) fn refer(&self, uri: &str) -> Result<Address, String> {
        // `file:order.json` is a path like any other.
        let uri = match uri.strip_prefix("file:") {
            Some(path) if !path.starts_with('/') => path,
            _ => uri,
        };
        match Url::parse(uri) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Address::Url(raw(url))),
            // A document that came over the network does not look into this machine.
            Ok(url) if url.scheme() == "file" && matches!(self, Address::File(_)) => {
                url.to_file_path().map(Address::File).map_err(|()| format!("{uri} is not the path of a file here"))
            }
            Ok(url) => Err(format!("{uri}: nothing is loaded by {}; write https, or a relative path", url.scheme())),
            Err(_) if uri.is_empty() || uri.starts_with(['/', '\\']) => Err(format!(
                "{uri:?} is not relative to the document that it stands in; write a relative path or a URL"
            )),
            Err(_) => self.join(uri),
        }
    }

    /// The address as a URL: that of a file is absolute.
    pub(super) fn url(&self) -> Option<Url> {
        match self {
            Address::File(path) => Url::from_file_path(absolute(path)?).ok(),
            Address::Url(url) => Some(url.clone()),
        }
    }

    /// What stands at a URL, if that can be loaded at all.
    pub(super) fn of_url(url: Url) -> Option<Address> {
        match url.scheme() {
            "http" | "https" => Some(Address::Url(raw(url))),
            "file" => url.to_file_path().ok().map(Address::File),
            _ => None,
        }
    }

    /// Whether it is a file in this folder or below it, by its path: links are followed, as whoever placed them may.
    pub(super) fn is_within(&self, folder: &Path) -> bool {
        match self {
            Address::File(path) => {
                matches!((absolute(path), absolute(folder)), (Some(path), Some(folder)) if path.starts_with(&folder))
            }
            Address::Url(_) => false,
        }
    }

    /// A path from this folder.
    pub(super) fn join(&self, path: &str) -> Result<Address, String> {
        match self {
            Address::File(folder) => Ok(Address::File(folder.join(path))),
            Address::Url(url) => {
                let mut folder = url.clone();
                if !folder.path().ends_with('/') {
                    folder.set_path(&format!("{}/", url.path()));
                }
                folder.join(path).map(Address::Url).map_err(|error| format!("{path} is not a URL below {url}: {error}"))
            }
        }
    }

    /// The folder of a document whose address was told as text.
    pub(super) fn folder_of(origin: &str) -> Address {
        match Url::parse(origin) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Address::Url(url.join(".").unwrap_or(url)),
            _ => Address::File(Path::new(origin).parent().unwrap_or(Path::new(".")).to_owned()),
        }
    }

    /// The document of a function: this one, or the one in this folder.
    pub(super) fn function(self) -> Result<Address, String> {
        let named = match &self {
            Address::File(path) => path.to_string_lossy().into_owned(),
            Address::Url(url) => url.path().to_owned(),
        };
        let is_document = [".yaml", ".yml", ".json"].iter().any(|extension| named.ends_with(extension));
        if is_document { Ok(self) } else { self.join("function.yaml") }
    }
}

/// A path from the root, without `.` and `..`. Nothing if there is no current folder to start at.
fn absolute(path: &Path) -> Option<PathBuf> {
    let mut absolute = PathBuf::new();
    for part in std::path::absolute(path).ok()?.components() {
        match part {
            Component::ParentDir => drop(absolute.pop()),
            Component::CurDir => {}
            part => absolute.push(part),
        }
    }
    Some(absolute)
}

/// The address of what people see at a host of Git repositories, as it is read by programs ("File Structure" in
/// `dsl.md`). Any other address stays what it is.
fn raw(url: Url) -> Url {
    let segments: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let raw = match (url.host_str(), segments.as_slice()) {
        (Some("github.com"), [owner, repository, kind @ ("tree" | "blob"), reference, path @ ..]) => {
            github(owner, repository, reference, path, *kind == "blob")
        }
        (Some("github.com"), [owner, repository]) => github(owner, repository, "HEAD", &[], false),
        // As the guide names a function: `https://github.com/myorg/functions/validate@v1.0.0`.
        (Some("github.com"), [owner, repository, path @ .., last]) if last.contains('@') => {
            let (name, reference) = last.rsplit_once('@').expect("it has one");
            github(owner, repository, reference, &[path, &[name]].concat(), false)
        }
        (Some(_), segments) => gitlab(&url, segments),
        _ => None,
    };
    raw.unwrap_or(url)
}

fn github(owner: &str, repository: &str, reference: &str, path: &[&str], is_document: bool) -> Option<Url> {
    // A commit and a version tag are no branches.
    let is_commit = reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_version = semver::Version::parse(reference.strip_prefix('v').unwrap_or(reference)).is_ok();
    let branch = if is_commit || is_version || reference == "HEAD" { "" } else { "refs/heads/" };
    let end = if is_document || path.is_empty() { "" } else { "/" };
    let path = path.join("/");
    Url::parse(&format!("https://raw.githubusercontent.com/{owner}/{repository}/{branch}{reference}/{path}{end}")).ok()
}

/// `/group/project/-/tree/main/folder`, at whichever host.
fn gitlab(url: &Url, segments: &[&str]) -> Option<Url> {
    let at = segments.iter().position(|segment| *segment == "-")?;
    let (project, rest) = (&segments[..at], &segments[at + 1..]);
    let [kind @ ("tree" | "blob"), reference, path @ ..] = rest else { return None };
    let end = if *kind == "blob" || path.is_empty() { "" } else { "/" };
    let mut raw = url.clone();
    raw.set_path(&format!("{}/-/raw/{reference}/{}{end}", project.join("/"), path.join("/")));
    Some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refer(folder: &str, uri: &str) -> String {
        let folder = if folder.contains("://") {
            Address::Url(Url::parse(folder).unwrap())
        } else {
            Address::File(folder.into())
        };
        folder.refer(uri).map_or_else(|error| error, |address| address.to_string())
    }

    fn function(folder: &str, uri: &str) -> String {
        let Address::Url(url) = Address::File(folder.into()).refer(uri).unwrap() else { panic!("{uri}") };
        Address::Url(url).function().unwrap().to_string()
    }

    #[test]
    fn a_relative_path_starts_where_it_is_written() {
        assert_eq!(refer("flows", "schemas/order.json"), "flows/schemas/order.json");
        assert_eq!(
            refer("https://example.com/a/f/", "schemas/order.json"),
            "https://example.com/a/f/schemas/order.json"
        );
        assert_eq!(refer("https://example.com/a/f", "../order.json"), "https://example.com/a/order.json");
        assert_eq!(refer("flows", "file:///srv/catalog"), "/srv/catalog");
        assert_eq!(refer("flows", "file:schemas/order.json"), "flows/schemas/order.json");
    }

    #[test]
    fn neither_absolute_paths_nor_other_schemes_nor_files_of_this_machine_from_elsewhere_are_read() {
        for (folder, uri) in [
            ("flows", "/etc/passwd"),
            ("flows", ""),
            ("flows", "ftp://example.com/x"),
            ("flows", "data:text/plain,x"),
            ("https://example.com/a/", "file:///etc/passwd"),
            ("https://example.com/a/", "/etc/passwd"),
        ] {
            assert!(refer(folder, uri).contains("write"), "{folder} {uri}: {}", refer(folder, uri));
        }
    }

    #[test]
    fn what_people_see_of_a_repository_becomes_what_programs_read() {
        for (seen, read) in [
            (
                "https://github.com/serverlessworkflow/catalog/tree/main",
                "https://raw.githubusercontent.com/serverlessworkflow/catalog/refs/heads/main/",
            ),
            ("https://github.com/org/catalog", "https://raw.githubusercontent.com/org/catalog/HEAD/"),
            (
                "https://github.com/org/catalog/tree/v1.2.0/sub",
                "https://raw.githubusercontent.com/org/catalog/v1.2.0/sub/",
            ),
            (
                "https://github.com/org/catalog/blob/main/a/function.yaml",
                "https://raw.githubusercontent.com/org/catalog/refs/heads/main/a/function.yaml",
            ),
            ("https://gitlab.com/group/sub/catalog/-/tree/main", "https://gitlab.com/group/sub/catalog/-/raw/main/"),
            ("https://example.com/catalog", "https://example.com/catalog"),
        ] {
            assert_eq!(refer("flows", seen), read);
        }
    }

    #[test]
    fn a_function_is_a_document_or_stands_in_a_folder() {
        for (seen, read) in [
            ("https://example.com/f/function.yaml", "https://example.com/f/function.yaml"),
            ("https://example.com/f", "https://example.com/f/function.yaml"),
            (
                "https://github.com/myorg/functions/validateEmailAddress@v1.0.0",
                "https://raw.githubusercontent.com/myorg/functions/v1.0.0/validateEmailAddress/function.yaml",
            ),
        ] {
            assert_eq!(function("flows", seen), read);
        }
    }
}
