//! Builds the tree from the parser's events, with a stack of its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Known;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use serde_json::Value;

use super::limits::{MAX_ALIASES, MAX_DEPTH, MAX_KEY_CHARACTERS, MAX_TEXT_BYTES, MAX_VALUES};
use super::tree::{Entry, Kind, Node, NodeId, Tree, Weight};
use super::{scalar, syntax};
use crate::pointer::Pointer;
use crate::problems::{Problems, Wording, quote};
use crate::{Code, Place, Related, Severity};

/// The document cannot be read any further. The problem has been added.
struct Stop;

pub(super) fn build(text: &str, problems: &mut Problems) -> Option<Tree> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        simple_key_max_lookahead: MAX_KEY_CHARACTERS,
    };
    let mut builder = Builder {
        text,
        problems,
        nodes: Vec::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
        aliases: 0,
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.take(event, &span).ok()?,
            Err(error) => {
                let place = place(error.marker(), error.marker());
                let pointer = pointer(&builder.open);
                let (code, message, help) = syntax::explain(&error, line_at(text, place.offset as usize));
                builder.problems.add(Severity::Error, code, place, || Wording {
                    pointer,
                    message,
                    help,
                    related: None,
                });
                return None;
            }
        }
    }
    match builder.root {
        Some(root) if !is_blank(&builder.nodes[root.0 as usize]) => Some(Tree { nodes: builder.nodes, root }),
        _ => {
            let help = || "Start with `document:`, which names the workflow, and `do:`, which lists its tasks.".into();
            builder.refuse(Code::EmptyDocument, Place::START, "The document is empty.", help).ok()
        }
    }
}

fn is_blank(node: &Node) -> bool {
    node.place.length == 0 && matches!(node.kind, Kind::Scalar(Value::Null))
}

/// A collection that is not closed yet.
struct Open {
    node: NodeId,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    Sequence(Vec<NodeId>),
    Mapping {
        entries: Vec<Entry>,
        /// Where each name stood first.
        names: HashMap<Box<str>, Place>,
        /// The name whose value comes next.
        name: Option<Name>,
    },
}

struct Name {
    text: Box<str>,
    place: Place,
    /// Whether the name stood before. That has been reported; the first entry stays.
    repeated: bool,
}

struct Builder<'t, 'p> {
    text: &'t str,
    problems: &'p mut Problems,
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    aliases: usize,
    root: Option<NodeId>,
    documents: usize,
}

impl Builder<'_, '_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Stop> {
        let place = place(&span.start, &span.end);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.refuse(Code::SeveralDocuments, place, "A second YAML document begins here.", || {
                        "Keep one workflow in a file, and remove the `---` between them.".into()
                    });
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if self.expects_name() {
                    return self.name(&text, style, place);
                }
                let value = self.scalar(&text, style, tag.as_deref(), tag_place(span), place)?;
                let weight = Weight { values: 1, text: value.as_str().map_or(0, |text| text.len() as u64), height: 1 };
                let node = self.push(Kind::Scalar(value), place, weight)?;
                self.place_node(node, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", tag_place(span))?;
                self.open(OpenKind::Sequence(Vec::new()), anchor, place)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                let kind = OpenKind::Mapping { entries: Vec::new(), names: HashMap::new(), name: None };
                self.check_tag(tag.as_deref(), "map", tag_place(span))?;
                self.open(kind, anchor, place)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place)?,
            Event::Alias(anchor) => self.alias(anchor, place)?,
            _ => {}
        }
        Ok(())
    }

    fn expects_name(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: OpenKind::Mapping { name: None, .. }, .. }))
    }

    /// The name of an entry: any scalar, as it is written.
    fn name(&mut self, text: &str, style: ScalarStyle, place: Place) -> Result<(), Stop> {
        if text.chars().nth(MAX_KEY_CHARACTERS).is_some() {
            let message = format!("This key is longer than {MAX_KEY_CHARACTERS} characters.");
            return self.refuse(Code::KeyTooLong, place, &message, || "Use a shorter key.".into());
        }
        if text == "<<" && style == ScalarStyle::Plain {
            return self.refuse(Code::MergeKey, place, "`<<` does not merge: YAML 1.2 has no merge keys.", || {
                "Write the entries out, use an alias for a whole value, or quote the key if it is meant literally."
                    .into()
            });
        }
        let name: Box<str> = text.into();
        let first = match &mut self.open.last_mut().expect("a mapping is open").kind {
            OpenKind::Mapping { names, name: current, .. } => {
                let first = match names.entry(name.clone()) {
                    Known::Occupied(first) => Some(*first.get()),
                    Known::Vacant(vacant) => {
                        vacant.insert(place);
                        None
                    }
                };
                *current = Some(Name { text: name, place, repeated: first.is_some() });
                first
            }
            OpenKind::Sequence(_) => unreachable!("names stand in mappings only"),
        };
        if let Some(first) = first {
            let open = &self.open;
            self.problems.add(Severity::Error, Code::DuplicateKey, place, || Wording {
                pointer: pointer(open),
                message: format!("`{}` stands here for the second time.", quote(text)),
                help: format!("Remove one of the two; the first is in line {}, column {}.", first.line, first.column),
                related: Some(Related { message: "the first one".into(), place: first }),
            });
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        tag_place: Place,
        place: Place,
    ) -> Result<Value, Stop> {
        let Some(tag) = tag else {
            return if style == ScalarStyle::Plain { self.plain(text, place) } else { Ok(text.into()) };
        };
        let value = match tag.core_suffix() {
            Some("str") => return Ok(text.into()),
            Some("null" | "bool" | "int" | "float") => self.plain(text, place)?,
            _ => return self.unknown_tag(tag, tag_place),
        };
        let fits = match tag.core_suffix() {
            Some("null") => value.is_null(),
            Some("bool") => value.is_boolean(),
            Some("int") => value.is_i64() || value.is_u64(),
            _ => value.is_number(),
        };
        if fits {
            return Ok(value);
        }
        let message = format!("`{}` is not what the tag `{}` says.", quote(text), quote(&tag.original()));
        self.refuse(Code::InvalidTag, place, &message, || "Remove the tag, or change the value.".into())
    }

    fn plain(&mut self, text: &str, place: Place) -> Result<Value, Stop> {
        scalar::plain(text).or_else(|scalar::NotFinite| {
            let message = format!("`{}` is not a number that JSON can hold.", quote(text));
            self.refuse(Code::NumberNotFinite, place, &message, || {
                "Use a finite number, or quote it as a string.".into()
            })
        })
    }

    fn unknown_tag<T>(&mut self, tag: &Tag, place: Place) -> Result<T, Stop> {
        let message = format!("The tag `{}` does not belong here.", quote(&tag.original()));
        self.refuse(Code::InvalidTag, place, &message, || {
            "Remove it: only the tags of YAML's core schema, `!!str` for example, are read.".into()
        })
    }

    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, place: Place) -> Result<(), Stop> {
        match tag {
            Some(tag) if tag.core_suffix() != Some(expected) => self.unknown_tag(tag, place),
            _ => Ok(()),
        }
    }

    fn open(&mut self, kind: OpenKind, anchor: usize, place: Place) -> Result<(), Stop> {
        if self.expects_name() {
            return self.refuse(Code::ComplexKey, place, "A key must be a scalar, not a list or an object.", || {
                "If this is not meant as a key, `{{ }}` of a template language for example, put it in quotes.".into()
            });
        }
        if self.open.len() >= MAX_DEPTH {
            return self.too_deep(place);
        }
        let placeholder = match &kind {
            OpenKind::Sequence(_) => Kind::Sequence(Vec::new()),
            OpenKind::Mapping { .. } => Kind::Mapping(Vec::new()),
        };
        let node = self.push(placeholder, place, Weight { values: 1, text: 0, height: 1 })?;
        self.open.push(Open { node, anchor, kind });
        Ok(())
    }

    fn close(&mut self, end: Place) -> Result<(), Stop> {
        let Open { node, anchor, kind } = self.open.pop().expect("the parser closes what it has opened");
        let mut weight = Weight { values: 1, text: 0, height: 1 };
        let kind = match kind {
            OpenKind::Sequence(items) => {
                items.iter().for_each(|item| weight.hold(self.nodes[item.0 as usize].weight));
                Kind::Sequence(items)
            }
            OpenKind::Mapping { entries, .. } => {
                for entry in &entries {
                    weight.hold(self.nodes[entry.value.0 as usize].weight);
                    weight.text = weight.text.saturating_add(entry.name.len() as u64);
                }
                Kind::Mapping(entries)
            }
        };
        let slot = &mut self.nodes[node.0 as usize];
        // A flow collection ends with its bracket; a block collection, before whatever comes next.
        let covered = self.text.get(slot.place.offset as usize..(end.offset + end.length) as usize);
        slot.place.length = covered.map_or(0, |covered| covered.trim_end().len() as u32);
        slot.kind = kind;
        slot.weight = weight;
        let place = slot.place;
        if weight.values > MAX_VALUES || weight.text > MAX_TEXT_BYTES {
            return self.too_many(place);
        }
        self.place_node(node, anchor)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Stop> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            let message = format!("This is alias number {}; at most {MAX_ALIASES} are read.", self.aliases);
            return self.refuse(Code::TooManyAliases, place, &message, || "Write values out, or use fewer.".into());
        }
        let Some(node) = self.anchors.get(&anchor).copied() else {
            return self.refuse(
                Code::RecursiveAlias,
                place,
                "The alias stands inside the value that it names.",
                || "A value cannot hold itself: write it out, or move the anchor.".into(),
            );
        };
        if self.expects_name() {
            return match &self.nodes[node.0 as usize].kind {
                Kind::Scalar(Value::String(text)) => {
                    let text = text.clone();
                    self.name(&text, ScalarStyle::DoubleQuoted, place)
                }
                _ => self.refuse(Code::ComplexKey, place, "An alias as a key must name a string.", || {
                    "Write the key out.".into()
                }),
            };
        }
        if self.open.len() + self.nodes[node.0 as usize].weight.height > MAX_DEPTH {
            return self.too_deep(place);
        }
        self.place_node(node, 0)
    }

    fn push(&mut self, kind: Kind, place: Place, weight: Weight) -> Result<NodeId, Stop> {
        if self.nodes.len() as u64 >= MAX_VALUES {
            return self.too_many(place);
        }
        let node = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { place, kind, weight });
        Ok(node)
    }

    /// Puts a complete value where it belongs.
    fn place_node(&mut self, node: NodeId, anchor: usize) -> Result<(), Stop> {
        if anchor > 0 {
            self.anchors.insert(anchor, node);
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::Sequence(items)) => items.push(node),
            Some(OpenKind::Mapping { entries, name, .. }) => match name.take() {
                Some(Name { repeated: true, .. }) => {}
                Some(Name { text, place, .. }) => entries.push(Entry { name: text, place, value: node }),
                None => unreachable!("a value in a mapping follows its name"),
            },
        }
        Ok(())
    }

    fn too_deep<T>(&mut self, place: Place) -> Result<T, Stop> {
        let message = format!("Values are nested deeper than {MAX_DEPTH} here.");
        self.refuse(Code::TooDeep, place, &message, || "Move inner tasks or data to a workflow of their own.".into())
    }

    fn too_many<T>(&mut self, place: Place) -> Result<T, Stop> {
        let message = format!(
            "There are more than {MAX_VALUES} values, or {MAX_TEXT_BYTES} bytes of text, in the document; an alias \
             counts as often as it stands."
        );
        self.refuse(Code::TooManyValues, place, &message, || {
            "Move data out of the definition, to the workflow's input or to a component.".into()
        })
    }

    fn refuse<T>(&mut self, code: Code, place: Place, message: &str, help: impl FnOnce() -> String) -> Result<T, Stop> {
        let pointer = pointer(&self.open);
        let message = message.into();
        self.problems.add(Severity::Error, code, place, || Wording { pointer, message, help: help(), related: None });
        Err(Stop)
    }
}

/// The JSON Pointer of what is being read.
fn pointer(open: &[Open]) -> String {
    let mut pointer = Pointer::default();
    for open in open {
        match &open.kind {
            OpenKind::Sequence(items) => pointer.index(items.len()),
            OpenKind::Mapping { name: Some(name), .. } => pointer.name(&name.text),
            OpenKind::Mapping { name: None, .. } => {}
        }
    }
    pointer.0
}

/// The line around an offset.
fn line_at(text: &str, offset: usize) -> &str {
    let (before, behind) = text.split_at_checked(offset).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = behind.find('\n').map_or(text.len(), |at| before.len() + at);
    &text[start..end]
}

fn tag_place(span: &Span) -> Place {
    let tag = span.tag_span().unwrap_or(*span);
    place(&tag.start, &tag.end)
}

fn place(start: &Marker, end: &Marker) -> Place {
    let offset = start.byte_offset().unwrap_or_default();
    Place {
        offset: offset as u32,
        length: end.byte_offset().unwrap_or_default().saturating_sub(offset) as u32,
        line: start.line() as u32,
        column: start.col() as u32 + 1,
    }
}
