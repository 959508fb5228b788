//! Where the service is.

use hotcell::{Problem, Value};
use url::Url;

use super::document::{Document, Version};
use super::operation::Operation;
use super::{members, name_of, unusable};

impl Operation<'_> {
    /// The URI to which the path is added.
    pub(super) fn server(&self) -> Result<String, Problem> {
        match self.document.version {
            Version::Two => self.swagger_server(),
            Version::Three => {
                let written = [&self.operation["servers"], &self.item["servers"], &self.document.root["servers"]];
                let first = written.into_iter().find_map(|servers| servers.get(0));
                let relative = match first {
                    Some(server) => with_variables(server)?,
                    None => "/".into(),
                };
                absolute(self.document, &relative)
            }
        }
    }

    /// `schemes`, `host` and `basePath`; what is left out is where the document is.
    fn swagger_server(&self) -> Result<String, Problem> {
        let root = &self.document.root;
        let path = root["basePath"].as_str().unwrap_or("/");
        let schemes = [&self.operation["schemes"], &root["schemes"]];
        let schemes = schemes.into_iter().find_map(Value::as_array);
        let offers = |scheme: &str| schemes.is_some_and(|schemes| schemes.iter().any(|offered| offered == scheme));
        let Some(host) = root["host"].as_str() else { return absolute(self.document, path) };
        let of_document = self.document.base.as_ref().map_or("https", |base| base.scheme());
        let scheme = match (offers("https"), offers("http")) {
            (true, _) => "https",
            (false, true) => "http",
            (false, false) => of_document,
        };
        Ok(format!("{scheme}://{host}/{}", path.trim_start_matches('/')))
    }
}

/// The URL of a server, its variables replaced by their defaults.
fn with_variables(server: &Value) -> Result<String, Problem> {
    let mut url = server["url"].as_str().unwrap_or("/").to_owned();
    for (name, variable) in members(&server["variables"]) {
        let default = match &variable["default"] {
            Value::String(text) => text.clone(),
            Value::Null => return Err(unusable(format!("the variable {name:?} of a server has no default"))),
            other => other.to_string(),
        };
        url = url.replace(&format!("{{{name}}}"), &default);
    }
    Ok(url)
}

/// Servers may be relative to the document.
fn absolute(document: &Document, url: &str) -> Result<String, Problem> {
    if let Ok(absolute) = Url::parse(url) {
        return Ok(absolute.into());
    }
    let joined = document.base.as_ref().and_then(|base| base.join(url).ok());
    joined.map(Into::into).ok_or_else(|| {
        unusable(format!(
            "{} does not say where the service is: its server is {url:?}; give an absolute URI under `servers`",
            name_of(document.base.as_ref())
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(root: &str, base: Option<&str>) -> Result<String, Problem> {
        let base = base.map(|base| Url::parse(base).unwrap());
        let paths = r#""paths": {"/a": {"get": {"operationId": "a"}}}"#;
        let document = Document::parse(&format!("{{{root}, {paths}}}"), base).unwrap();
        document.operation("a").unwrap().server()
    }

    #[test]
    fn servers_may_be_relative_and_have_variables() {
        let base = Some("https://docs.example.com/specs/api.json");
        let three = |servers: &str| server(&format!(r#""openapi": "3.0.0", "servers": {servers}"#), base).unwrap();
        assert_eq!(three(r#"[{"url": "https://api.example.com/v1"}]"#), "https://api.example.com/v1");
        assert_eq!(three(r#"[{"url": "/v2"}]"#), "https://docs.example.com/v2");
        assert_eq!(three(r#"[{"url": "v3"}]"#), "https://docs.example.com/specs/v3");
        assert_eq!(three("[]"), "https://docs.example.com/");
        let variables = r#"[{"url": "https://{env}.example.com/{v}", "variables": {"env": {"default": "eu"}, "v": {"default": 1}}}]"#;
        assert_eq!(three(variables), "https://eu.example.com/1");
        assert!(server(r#""openapi": "3.0.0""#, None).is_err());
    }

    #[test]
    fn swagger_has_schemes_host_and_base_path() {
        let base = Some("http://docs.example.com/api.json");
        let two = |members: &str| server(&format!(r#""swagger": "2.0"{members}"#), base).unwrap();
        assert_eq!(two(""), "http://docs.example.com/");
        assert_eq!(two(r#", "basePath": "/v2""#), "http://docs.example.com/v2");
        assert_eq!(two(r#", "host": "api.example.com", "basePath": "/v2""#), "http://api.example.com/v2");
        assert_eq!(two(r#", "host": "api.example.com", "schemes": ["http", "https"]"#), "https://api.example.com/");
    }
}
