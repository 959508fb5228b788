//! Problems that commands tell: problem details on standard output, and an exit code that is not 0.

use hotcell_definition::Problem;
use serde_json::Value;

use super::json;
use crate::PayloadKind;

/// The problem, if what a failed command wrote to its standard output is one: a JSON object whose `type` is a string and whose `status`
/// is a number of three digits. Both have to be there, so that a result which was only half done is not taken for one.
pub(super) fn problem(output: &[u8], max_values: usize) -> Option<Problem> {
    let text = std::str::from_utf8(output).ok()?;
    let Ok(Value::Object(mut members)) = json::read(PayloadKind::Output, text, max_values) else { return None };
    let status = members.get("status")?.as_u64().filter(|status| (100..1_000).contains(status))?;
    let kind = members.get("type")?.as_str().filter(|kind| !kind.is_empty())?.to_owned();
    let mut text = |name: &str| members.shift_remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (title, detail) = (text("title"), text("detail"));
    for member in ["type", "status", "instance"] {
        members.shift_remove(member);
    }
    let status = u16::try_from(status).ok()?;
    Some(Problem { kind, status, title, detail, instance: None, extensions: members })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_details_keep_all_of_their_members() {
        let told = br#"{"type":"urn:x","status":422,"title":"Refused","detail":"no","order":"O-1","instance":"/"}"#;
        let problem = problem(told, 100).unwrap();
        assert_eq!((problem.kind.as_str(), problem.status), ("urn:x", 422));
        assert_eq!((problem.title.as_deref(), problem.detail.as_deref()), (Some("Refused"), Some("no")));
        assert_eq!((problem.extensions.len(), &problem.extensions["order"]), (1, &Value::from("O-1")));
        assert_eq!(problem.instance, None);
    }

    #[test]
    fn anything_else_is_no_problem() {
        for output in [
            "",
            "[]",
            "{}",
            r#"{"status":422}"#,
            r#"{"type":"urn:x"}"#,
            r#"{"type":"","status":422}"#,
            r#"{"type":"urn:x","status":"422"}"#,
            r#"{"type":"urn:x","status":7}"#,
            r#"{"type":"urn:x","status":422} and more"#,
        ] {
            assert!(problem(output.as_bytes(), 100).is_none(), "{output}");
        }
        assert!(problem(b"\xff", 100).is_none());
    }
}
