//! Secrets from the command line.

use anyhow::{Context, bail};
use serde_json::{Map, Value};

/// Reads what `--secret` gives: `NAME=VALUE`, `NAME=@FILE`, or `NAME` for an environment variable. A value that is a
/// JSON object is one, so that `$secrets.db.password` works; any other is text.
pub(crate) fn read(arguments: &[String]) -> anyhow::Result<Map<String, Value>> {
    arguments.iter().map(|argument| read_one(argument)).collect()
}

fn read_one(argument: &str) -> anyhow::Result<(String, Value)> {
    let (name, given) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    };
    if name.is_empty() {
        bail!("--secret {argument}: a secret needs a name; write NAME=VALUE, NAME=@FILE, or NAME");
    }
    let text = match given {
        None => std::env::var(name).with_context(|| {
            format!("--secret {name}: there is no environment variable {name}; set it, or write {name}=@FILE")
        })?,
        Some(value) => match value.strip_prefix('@') {
            Some(file) => {
                let text =
                    std::fs::read_to_string(file).with_context(|| format!("--secret {name}: could not read {file}"))?;
                // Editors end a file with a line break, which no secret means.
                text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).to_owned()).unwrap_or(text)
            }
            None => value.to_owned(),
        },
    };
    let value = match serde_json::from_str(&text) {
        Ok(object @ Value::Object(_)) => object,
        _ => Value::String(text),
    };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_text_unless_it_is_an_object() {
        let secrets = read(&["a=12".into(), "b={\"user\":\"u\"}".into(), "c=x=y".into()]).unwrap();
        assert_eq!(Value::Object(secrets), json!({"a": "12", "b": {"user": "u"}, "c": "x=y"}));
    }

    #[test]
    fn a_file_loses_its_last_line_break() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "line\n\n").unwrap();
        let secrets = read(&[format!("k=@{}", file.path().display())]).unwrap();
        assert_eq!(secrets["k"], "line\n");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = read(&["HOTCELL_TEST_NO_SUCH_VARIABLE".into()]).unwrap_err();
        assert!(error.to_string().contains("there is no environment variable HOTCELL_TEST_NO_SUCH_VARIABLE"));
    }
}
