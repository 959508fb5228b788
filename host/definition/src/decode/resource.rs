//! Endpoints, URI templates, external resources.

use super::authentication::policy_or_name;
use crate::problems::quote;
use crate::reader::Node;
use crate::{Code, Endpoint, ExternalResource, Template};

/// "External Resource"
pub(super) fn external_resource(node: Node<'_>) -> Option<ExternalResource> {
    let resource = node.object(&["name", "endpoint"])?;
    let name = resource.optional("name", Node::text);
    Some(ExternalResource { name, endpoint: resource.required("endpoint", endpoint)? })
}

/// "Endpoint"
pub(super) fn endpoint(node: Node<'_>) -> Option<Endpoint> {
    if !node.is_object() {
        if node.as_str().is_none() {
            return node.wrong_type("a string that holds a URI, or an object with `uri`");
        }
        return Some(Endpoint { uri: uri(node)?, authentication: None });
    }
    let endpoint = node.object(&["uri", "authentication"])?;
    let uri = endpoint.required("uri", uri);
    let authentication = endpoint.optional("authentication", policy_or_name);
    Some(Endpoint { uri: uri?, authentication })
}

/// A URI, a URI template, or an expression that yields a URI.
pub(super) fn uri(node: Node<'_>) -> Option<Template> {
    let text = node.string()?;
    let template = node.template()?;
    // With an expression in it, only its value can tell.
    let Some(problem) = (!text.contains("${")).then(|| problem_of(text)).flatten() else { return Some(template) };
    node.error(Code::InvalidUri, || (format!("`{}` {}.", quote(text), problem.0), problem.1.into()))
}

/// "URI Template": a URI reference in which `{name}` stands for a top-level property, whatever the name is.
fn problem_of(text: &str) -> Option<(&'static str, &'static str)> {
    if text.is_empty() {
        return Some(("is empty", "Write a URI."));
    }
    if text.contains(char::is_whitespace) {
        return Some(("has blanks in it, which a URI cannot have", "Remove them, or write %20."));
    }
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let unbalanced = ("has a brace without its partner", "Write `{name}`, or %7B and %7D for braces themselves.");
        let Some((name, behind)) = rest[at..].strip_prefix('{').and_then(|body| body.split_once('}')) else {
            return Some(unbalanced);
        };
        if name.contains('{') {
            return Some(unbalanced);
        }
        if name.is_empty() {
            return Some(("has braces without a name", "Write the name of a property of the data: `{petId}`."));
        }
        if name.starts_with(['+', '#', '/', ';', '?', '&', '=', ',', '!', '@', '|']) {
            let help = "Only `{name}` is supported; write anything else as an expression: ${ \"https://…\\(.name)\" }.";
            return Some(("uses an operator of RFC 6570", help));
        }
        rest = behind;
    }
    None
}
