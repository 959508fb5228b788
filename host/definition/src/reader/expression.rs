//! Runtime expressions: that `${` and `}` belong together. Whether what stands between them is jq, is checked later.

use serde_json::Value;

use super::Node;
use crate::expressions::Site;
use crate::problems::quote;
use crate::yaml::solid;
use crate::{Code, Expression};

impl Node<'_> {
    /// A field that is an expression, bare or in `${ }`.
    pub(crate) fn expression(self) -> Option<Expression> {
        let whole = self.as_str().or_else(|| self.wrong_type("a string that holds an expression"))?;
        let text = whole.trim();
        let Some(body) = text.strip_prefix("${") else {
            return self.bare_expression(text, 0);
        };
        match closing_brace(body) {
            None => self.unterminated(text),
            Some(end) if end + 1 == body.len() => self.bare_expression(body[..end].trim(), 2),
            Some(_) => self.error(Code::NotOneExpression, || {
                let message = format!("`{}` is more than one `${{ }}`; this field is one expression.", quote(text));
                (message, "Put everything into one `${ }`, or leave it out altogether.".into())
            }),
        }
    }

    /// An expression without `${ }`. `before` is how many characters of the scalar stand before it, blanks aside.
    fn bare_expression(self, text: &str, before: usize) -> Option<Expression> {
        if text.is_empty() {
            return self.error(Code::EmptyExpression, || {
                ("The expression is empty.".into(), "Write a jq expression, `.` for the data as it is.".into())
            });
        }
        self.reader.remember(Site {
            source: text.into(),
            node: self.id,
            path: self.path,
            before: before as u32,
            scope: self.reader.scope.get(),
        });
        Some(Expression(text.into()))
    }

    /// Checks the strings of a free-form value. Recursive, as deep as the tree.
    pub(super) fn check_templates(self, value: &Value) -> Option<()> {
        match value {
            Value::String(text) => self.check_template(text),
            // Every item is checked, also after one that is wrong.
            Value::Array(_) => self.elements().map(|item| item.check_item()).fold(Some(()), Option::and),
            Value::Object(_) => self.members().map(|(_, item)| item.check_item()).fold(Some(()), Option::and),
            _ => Some(()),
        }
    }

    fn check_item(self) -> Option<()> {
        if let Some(text) = self.as_str() {
            return self.check_template(text);
        }
        let items = self.elements().map(|item| item.check_item()).fold(Some(()), Option::and);
        let members = self.members().map(|(_, item)| item.check_item()).fold(Some(()), Option::and);
        items.and(members)
    }

    fn check_template(self, text: &str) -> Option<()> {
        let mut rest = text;
        let mut before = 0;
        let mut fine = Some(());
        while let Some(start) = rest.find("${") {
            let body = &rest[start + 2..];
            let Some(end) = closing_brace(body) else { return self.unterminated(&rest[start..]) };
            before += solid(&rest[..start + 2]);
            fine = fine.and(self.bare_expression(body[..end].trim(), before).map(drop));
            before += solid(&body[..=end]);
            rest = &body[end + 1..];
        }
        fine
    }

    fn unterminated<T>(self, text: &str) -> Option<T> {
        self.error(Code::UnterminatedExpression, || {
            let message = format!("The expression `{}` has no closing `}}`.", quote(text));
            (message, "Close it: `${ … }`. Braces, quotes and parentheses inside must be balanced.".into())
        })
    }
}

/// Whether a string is exactly one `${ }`, blanks around it aside.
pub(crate) fn is_expression(text: &str) -> bool {
    text.trim().strip_prefix("${").is_some_and(|body| closing_brace(body).is_some_and(|end| end + 1 == body.len()))
}

/// The place of the `}` that closes an expression. jq's own braces, and its strings and comments with whatever stands in
/// them, are skipped. A comment up to the end of everything would swallow the brace; then there is none.
fn closing_brace(body: &str) -> Option<usize> {
    find_closing_brace(body, true).or_else(|| find_closing_brace(body, false))
}

fn find_closing_brace(body: &str, comments: bool) -> Option<usize> {
    #[derive(PartialEq)]
    enum Inside {
        Braces,
        Parentheses,
        String,
    }
    let mut open: Vec<Inside> = Vec::new();
    let mut characters = body.char_indices();
    while let Some((at, c)) = characters.next() {
        if open.last() == Some(&Inside::String) {
            match c {
                '"' => drop(open.pop()),
                '\\' if matches!(characters.next(), Some((_, '('))) => open.push(Inside::Parentheses),
                _ => {}
            }
            continue;
        }
        match c {
            '}' if open.is_empty() => return Some(at),
            '"' => open.push(Inside::String),
            '{' => open.push(Inside::Braces),
            '(' => open.push(Inside::Parentheses),
            '}' if open.last() == Some(&Inside::Braces) => drop(open.pop()),
            ')' if open.last() == Some(&Inside::Parentheses) => drop(open.pop()),
            '#' if comments => drop(characters.find(|(_, c)| *c == '\n')),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::is_expression;

    #[test]
    fn one_expression_is_told_from_text_with_expressions() {
        for text in ["${ .a }", " ${.a} ", r#"${ "}" }"#, "${ {a: .b} }", r#"${ "\(.a | "}")" }"#, "${}"] {
            assert!(is_expression(text), "{text}");
        }
        for text in ["a ${ .a }", "${ .a } ${ .b }", "${ .a", "$.a", ""] {
            assert!(!is_expression(text), "{text}");
        }
    }
}
