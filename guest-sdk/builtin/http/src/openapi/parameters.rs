//! How the value of a parameter is written: OpenAPI's `style` and `explode`, Swagger's `collectionFormat`.

use hotcell::Value;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Map;

use crate::compose::text;

/// Everything but what RFC 3986 leaves unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
    /// Swagger: the body as a whole.
    Body,
    /// Swagger: a field of a form.
    Form,
}

impl Place {
    pub(super) fn of(parameter: &Value) -> Option<Self> {
        Some(match parameter["in"].as_str()? {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            "cookie" => Place::Cookie,
            "body" => Place::Body,
            "formData" => Place::Form,
            _ => return None,
        })
    }
}

/// A value in a path, encoded.
pub(super) fn in_path(name: &str, value: Value, parameter: &Value) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let explode = parameter["explode"].as_bool().unwrap_or(false);
    let value = as_content(value, parameter);
    let parts = |between: &str| match &value {
        Value::Array(items) => items.iter().map(|item| encode(&text(item.clone()))).collect::<Vec<_>>().join(between),
        Value::Object(members) => {
            let sign = if explode { "=" } else { "," };
            let pairs = members.iter().map(|(name, value)| encode(name) + sign + &encode(&text(value.clone())));
            pairs.collect::<Vec<_>>().join(between)
        }
        scalar => encode(&text(scalar.clone())),
    };
    match (parameter["style"].as_str(), &value) {
        (Some("label"), _) => format!(".{}", parts(if explode { "." } else { "," })),
        (Some("matrix"), Value::Array(_)) if explode => {
            format!(";{name}={}", parts(&format!(";{name}=")))
        }
        (Some("matrix"), Value::Object(_)) if explode => format!(";{}", parts(";")),
        (Some("matrix"), _) => format!(";{name}={}", parts(",")),
        _ => parts(separator(parameter).unwrap_or(",")),
    }
}

/// A value in a query, as pairs that are not encoded yet.
pub(super) fn in_query(name: &str, value: Value, parameter: &Value) -> Vec<(String, String)> {
    let pair = |value: String| vec![(name.to_owned(), value)];
    let style = parameter["style"].as_str().unwrap_or("form");
    let explode = match parameter["collectionFormat"].as_str() {
        Some(format) => format == "multi",
        // Swagger separates by commas unless it says otherwise.
        None if parameter.get("type").is_some() => false,
        None => parameter["explode"].as_bool().unwrap_or(style == "form" || style == "deepObject"),
    };
    match as_content(value, parameter) {
        Value::Array(items) if explode => items.into_iter().map(|item| (name.to_owned(), text(item))).collect(),
        Value::Array(items) => {
            let between = separator(parameter).unwrap_or(match style {
                "spaceDelimited" => " ",
                "pipeDelimited" => "|",
                _ => ",",
            });
            pair(items.into_iter().map(text).collect::<Vec<_>>().join(between))
        }
        Value::Object(members) if style == "deepObject" => {
            members.into_iter().map(|(member, value)| (format!("{name}[{member}]"), text(value))).collect()
        }
        Value::Object(members) if explode => members.into_iter().map(|(name, value)| (name, text(value))).collect(),
        Value::Object(members) => pair(flat(members)),
        scalar => pair(text(scalar)),
    }
}

/// A value in a cookie: what would begin another cookie, or is not allowed in one (RFC 6265, section 4.1.1), is encoded.
pub(super) fn in_cookie(value: Value, parameter: &Value) -> String {
    const FORBIDDEN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b';').add(b'\\').add(b'%');
    utf8_percent_encode(&in_header(value, parameter), FORBIDDEN).to_string()
}

/// A value in a header.
pub(super) fn in_header(value: Value, parameter: &Value) -> String {
    let explode = parameter["explode"].as_bool().unwrap_or(false);
    match as_content(value, parameter) {
        Value::Array(items) => {
            items.into_iter().map(text).collect::<Vec<_>>().join(separator(parameter).unwrap_or(","))
        }
        Value::Object(members) if explode => {
            members.into_iter().map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(",")
        }
        Value::Object(members) => flat(members),
        scalar => text(scalar),
    }
}

/// A parameter with `content` instead of a schema is written as that says, which is JSON.
fn as_content(value: Value, parameter: &Value) -> Value {
    match parameter.get("content") {
        Some(_) => Value::String(value.to_string()),
        None => value,
    }
}

/// `a,1,b,2`
fn flat(members: Map<String, Value>) -> String {
    members.into_iter().flat_map(|(name, value)| [name, text(value)]).collect::<Vec<_>>().join(",")
}

/// `collectionFormat`
fn separator(parameter: &Value) -> Option<&'static str> {
    Some(match parameter["collectionFormat"].as_str()? {
        "ssv" => " ",
        "tsv" => "\t",
        "pipes" => "|",
        _ => ",",
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The table "Style Examples" of OpenAPI 3.0.
    #[test]
    fn values_in_a_path_are_written_in_the_style_that_the_document_says() {
        let (array, object) = (json!(["blue", "black"]), json!({"R": 100, "G": 200}));
        for (style, explode, value, expected) in [
            ("simple", false, &json!("a/b"), "a%2Fb"),
            ("simple", false, &array, "blue,black"),
            ("simple", false, &object, "R,100,G,200"),
            ("simple", true, &object, "R=100,G=200"),
            ("label", false, &array, ".blue,black"),
            ("label", true, &array, ".blue.black"),
            ("label", true, &object, ".R=100.G=200"),
            ("matrix", false, &array, ";color=blue,black"),
            ("matrix", true, &array, ";color=blue;color=black"),
            ("matrix", false, &object, ";color=R,100,G,200"),
            ("matrix", true, &object, ";R=100;G=200"),
        ] {
            let parameter = json!({"style": style, "explode": explode});
            assert_eq!(in_path("color", value.clone(), &parameter), expected, "{style} {explode} {value}");
        }
    }

    #[test]
    fn values_in_a_query_are_written_in_the_style_that_the_document_says() {
        let (array, object) = (json!(["blue", "black"]), json!({"R": 100, "G": 200}));
        for (parameter, value, expected) in [
            (json!({}), &array, vec![("color", "blue"), ("color", "black")]),
            (json!({"explode": false}), &array, vec![("color", "blue,black")]),
            (json!({"style": "spaceDelimited", "explode": false}), &array, vec![("color", "blue black")]),
            (json!({"style": "pipeDelimited"}), &array, vec![("color", "blue|black")]),
            (json!({}), &object, vec![("R", "100"), ("G", "200")]),
            (json!({"explode": false}), &object, vec![("color", "R,100,G,200")]),
            (json!({"style": "deepObject"}), &object, vec![("color[R]", "100"), ("color[G]", "200")]),
            (json!({"content": {"application/json": {}}}), &object, vec![("color", r#"{"R":100,"G":200}"#)]),
            (json!({"type": "array"}), &array, vec![("color", "blue,black")]),
            (
                json!({"type": "array", "collectionFormat": "multi"}),
                &array,
                vec![("color", "blue"), ("color", "black")],
            ),
            (json!({"type": "array", "collectionFormat": "pipes"}), &array, vec![("color", "blue|black")]),
        ] {
            let written = in_query("color", value.clone(), &parameter);
            let written: Vec<_> = written.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(written, expected, "{parameter} {value}");
        }
    }
}
