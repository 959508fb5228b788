//! Writes a picture as a flowchart of Mermaid.

use std::fmt::Write;

use crate::picture::{From, Item, List, Picture, Role, Section, Shape, To};

const INDENT: &str = "  ";
/// Titles of subgraphs stay on one line, as there is room for one.
const HEAD: &str = "%%{init: {\"flowchart\": {\"wrappingWidth\": 500}}}%%\nflowchart TD\n";

pub(crate) fn write(picture: &Picture) -> String {
    let mut writer = Writer { text: String::new(), depth: 1, exits: 0 };
    writer.text.push_str(HEAD);
    let start =
        if picture.start.is_empty() { "start".to_owned() } else { label(picture.start.iter().map(String::as_str)) };
    writer.line(&format!("start([\"{start}\"])"));
    writer.list(&picture.tasks, None);
    match picture.tasks.items.first() {
        Some(first) => writer.line(&format!("start --> n{}", first.id)),
        None => writer.line("start --> finish"),
    }
    if let Some(last) = picture.tasks.items.last().filter(|last| last.next.is_some()) {
        writer.line(&format!("n{} --> finish", last.id));
    }
    if writer.text.contains(" finish\n") {
        writer.line("finish([\"end\"])");
    }
    writer.text
}

struct Writer {
    text: String,
    depth: usize,
    exits: usize,
}

impl Writer {
    fn line(&mut self, line: &str) {
        for _ in 0..self.depth {
            self.text.push_str(INDENT);
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Tasks, and then the arrows between them: an arrow to something that was not mentioned yet would place it.
    fn list(&mut self, list: &List, role: Option<Role>) {
        for item in &list.items {
            self.item(item);
        }
        if role == Some(Role::Branches) {
            return;
        }
        for (index, item) in list.items.iter().enumerate() {
            if let (Some(next), Some(following)) = (&item.next, list.items.get(index + 1)) {
                self.arrow(&format!("n{}", item.id), "-->", next, &format!("n{}", following.id));
            }
            for jump in &item.jumps {
                let from = match jump.from {
                    From::Handler => format!("n{}h", item.id),
                    From::Task | From::Case(_) => format!("n{}", item.id),
                };
                let said = match jump.from {
                    From::Case(row) => item.cases.get(row).map_or(jump.label.as_str(), String::as_str),
                    From::Task | From::Handler => &jump.label,
                };
                match jump.to {
                    To::Item(target) => {
                        if let Some(target) = list.items.get(target) {
                            self.arrow(&from, "-->", said, &format!("n{}", target.id));
                        }
                    }
                    // Each has its own: one for all would be drawn inside the first list that mentions it.
                    To::End | To::Exit => {
                        self.exits += 1;
                        let word = if jump.to == To::End { "end" } else { "exit" };
                        let exit = format!("x{}([\"{word}\"])", self.exits);
                        self.arrow(&from, "-->", said, &exit);
                    }
                }
            }
        }
        // Mermaid knows no arrow from a subgraph to itself.
        if let (Some(Role::Repeated), Some(first), Some(last)) = (role, list.items.first(), list.items.last())
            && (first.id != last.id || first.sections.is_empty())
        {
            self.arrow(&format!("n{}", last.id), "-.->", "next", &format!("n{}", first.id));
        }
    }

    fn arrow(&mut self, from: &str, arrow: &str, said: &str, to: &str) {
        if said.is_empty() {
            self.line(&format!("{from} {arrow} {to}"));
        } else {
            self.line(&format!("{from} {arrow}|\"{}\"| {to}", escaped(said)));
        }
    }

    fn item(&mut self, item: &Item) {
        let id = item.id;
        let said = [item.kind.as_str(), item.name.as_str()].into_iter().chain(item.notes.iter().map(String::as_str));
        if item.sections.is_empty() {
            let (open, close) = brackets(item.shape);
            self.line(&format!("n{id}{open}\"{}\"{close}", label(said)));
            return;
        }
        self.open(&format!("n{id}"), &title(said));
        for (index, section) in item.sections.iter().enumerate() {
            self.section(item, index, section);
        }
        for (index, pair) in item.sections.windows(2).enumerate() {
            let [upper, lower] = pair else { continue };
            if upper.role == Role::Before || lower.role == Role::After {
                let (Some(from), Some(to)) =
                    (place(item, index, upper, Ends::Last), place(item, index + 1, lower, Ends::First))
                else {
                    continue;
                };
                self.arrow(&from, "-->", "", &to);
            }
        }
        self.close();
        if item.sections.iter().any(|section| section.role == Role::Handler) {
            self.arrow(&format!("n{id}t"), "-.->", "on error", &format!("n{id}h"));
            if let Some(retry) = item.sections.iter().find_map(|section| section.retry.as_ref()) {
                self.arrow(&format!("n{id}h"), "-.->", retry, &format!("n{id}t"));
            }
        }
    }

    fn section(&mut self, item: &Item, index: usize, section: &Section) {
        let id = item.id;
        match section.role {
            Role::Attempt => self.open(&format!("n{id}t"), "attempt"),
            Role::Handler => {
                let said = section.notes.iter().map(String::as_str);
                // A subgraph without content is not drawn.
                if section.list.items.is_empty() {
                    self.line(&format!("n{id}h[\"{}\"]", label(said)));
                    return;
                }
                self.open(&format!("n{id}h"), &title(said));
            }
            Role::Before | Role::After => {
                let said = section.notes.iter().map(String::as_str);
                if section.list.items.is_empty() {
                    self.line(&format!("n{id}s{index}[\"{}\"]", label(said)));
                    return;
                }
                self.open(&format!("n{id}s{index}"), &title(said));
            }
            Role::Once | Role::Repeated | Role::Branches => {
                if section.list.items.is_empty() {
                    self.line(&format!("n{id}e[\"nothing\"]"));
                }
                self.list(&section.list, Some(section.role));
                return;
            }
        }
        if section.list.items.is_empty() {
            self.line(&format!("n{id}e[\"nothing\"]"));
        }
        self.list(&section.list, Some(section.role));
        self.close();
    }

    fn open(&mut self, id: &str, said: &str) {
        self.line(&format!("subgraph {id}[\"{said}\"]"));
        self.depth += 1;
        self.line("direction TB");
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("end");
    }
}

/// An end of a section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    First,
    Last,
}

/// What an arrow to or from a section leads to.
fn place(item: &Item, index: usize, section: &Section, end: Ends) -> Option<String> {
    let id = item.id;
    let items = &section.list.items;
    match section.role {
        Role::Before | Role::After => Some(format!("n{id}s{index}")),
        Role::Attempt => Some(format!("n{id}t")),
        Role::Handler => Some(format!("n{id}h")),
        Role::Once | Role::Repeated | Role::Branches => {
            let item = if end == Ends::First { items.first() } else { items.last() };
            item.map(|item| format!("n{}", item.id)).or_else(|| Some(format!("n{id}e")))
        }
    }
}

fn brackets(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Call | Shape::Do | Shape::For | Shape::Fork | Shape::Try => ("[", "]"),
        Shape::Set => ("[/", "/]"),
        Shape::Switch => ("{", "}"),
        Shape::Wait => ("{{", "}}"),
        Shape::Emit => (">", "]"),
        Shape::Listen => ("[\\", "\\]"),
        Shape::Raise => ("[/", "\\]"),
        Shape::Workflow => ("[[", "]]"),
        Shape::Process => ("[(", ")]"),
        Shape::More => ("(", ")"),
    }
}

/// Lines of a label, escaped.
fn label<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    lines.filter(|line| !line.is_empty()).map(escaped).collect::<Vec<_>>().join("<br/>")
}

/// The same on one line.
fn title<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    lines.filter(|line| !line.is_empty()).map(escaped).collect::<Vec<_>>().join(" · ")
}

/// Text that Mermaid takes for nothing but text: everything that could be syntax, HTML or Markdown becomes an entity.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '.' | ',' | '-' | '/' | ':' | '=' | '+' => escaped.push(c),
            c if c.is_ascii_punctuation() => write!(escaped, "#{};", c as u32).expect("a string takes everything"),
            c => escaped.push(c),
        }
    }
    escaped
}
