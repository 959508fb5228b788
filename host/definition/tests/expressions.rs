//! Every expression of a document is shown to whoever checks it, and what is wrong is told where it stands.

use std::path::Path;

use hotcell_definition::{Code, Definition, Fault, MAX_LISTED, Parsed, Proceed, Severity};

fn parse(tasks: &str) -> (Parsed, String) {
    let text = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{tasks}\n");
    (Definition::parse(text.as_bytes()).unwrap_or_else(|refused| panic!("{refused}: {text}")), text)
}

fn sources(parsed: &Parsed, text: &str) -> Vec<String> {
    let mut sources = Vec::new();
    parsed.locations.check_expressions(text, |site, _| {
        sources.push(site.source().to_owned());
        Proceed::Yes
    });
    sources
}

fn fault(offset: Option<usize>) -> Fault {
    Fault { code: Code::InvalidExpression, offset, message: "Wrong.".into(), help: "Correct it.".into() }
}

#[test]
fn every_character_of_every_expression_is_found_where_it_is_written() {
    let folders =
        ["tests/spec-examples", "tests/reference-examples", "../../examples/orders", "../runtime/tests/expressions"];
    let mut characters = 0;
    for folder in folders {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let Ok(parsed) = Definition::parse(text.as_bytes()) else { continue };
            let mut sources = sources(&parsed, &text);
            for (number, source) in sources.drain(..).enumerate() {
                // A quote or a backslash may be written as two characters.
                for (offset, c) in source.char_indices().filter(|(_, c)| !" \n\t'\"\\é".contains(*c)) {
                    let mut index = 0;
                    let found = parsed.locations.check_expressions(&text, |_, faults| {
                        faults.extend((index == number).then(|| fault(Some(offset))));
                        index += 1;
                        Proceed::Yes
                    });
                    let place = found[0].place;
                    assert!(text[place.bytes()].starts_with(c), "{path:?}: {source} at {offset}: {place:?}");
                    let line = text.lines().nth(place.line as usize - 1).unwrap();
                    assert_eq!(line.chars().nth(place.column as usize - 1), Some(c), "{path:?}: {source}: {place:?}");
                    characters += 1;
                }
            }
        }
    }
    assert!(characters > 3_000, "{characters}");
}

#[test]
fn expressions_stand_wherever_the_reference_has_them_and_nowhere_else() {
    let (parsed, text) = parse(
        "do:\n  - a:\n      if: .one\n      set: { x: '${ .two }, ${.three}', y: [ '${ .four }' ], z: .not }\n      metadata: { m: '${ .not }' }\n      timeout: { after: '${ .five }' }\n",
    );
    let mut found = sources(&parsed, &text);
    found.sort_unstable();
    assert_eq!(found, [".five", ".four", ".one", ".three", ".two"]);
}

#[test]
fn what_a_document_has_without_number_is_checked_within_bounds() {
    let many = format!("do:\n  - a:\n      set: {{ x: '{}' }}", "${.}".repeat(150_000));
    let (parsed, text) = parse(&many);
    let mut asked = 0;
    let found = parsed.locations.check_expressions(&text, |_, _| {
        asked += 1;
        Proceed::Yes
    });
    assert_eq!(asked, hotcell_definition::MAX_CHECKED_EXPRESSIONS);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity, found[0].code), (Severity::Warning, Code::ExpressionsNotChecked));

    let found = parsed.locations.check_expressions(&text, |_, faults| {
        faults.push(fault(None));
        Proceed::Yes
    });
    assert_eq!(found.iter().filter(|found| found.code == Code::InvalidExpression).count(), MAX_LISTED);
    assert_eq!(found.iter().filter(|found| found.code == Code::MoreProblems).count(), 1);
}

#[test]
fn who_checks_may_stop_and_the_author_is_told() {
    let (parsed, text) = parse("do:\n  - a:\n      set: { x: '${ .one }', y: '${ .two }' }");
    let found = parsed.locations.check_expressions(&text, |_, _| Proceed::No("it is late"));
    assert_eq!(found[0].message, "Some expressions from here on were not checked, as it is late.");
    assert_eq!((found[0].place.line, found[0].place.column), (4, 37));
    assert_eq!(found[0].pointer, "/do/0/a/set/y");
}

#[test]
fn an_expression_under_an_alias_is_told_with_its_own_pointer() {
    let (parsed, text) = parse("do:\n  - a:\n      set: &same { x: '${ .one }' }\n  - b:\n      set: *same");
    let found = parsed.locations.check_expressions(&text, |_, faults| {
        faults.push(fault(Some(1)));
        Proceed::Yes
    });
    let pointers: Vec<_> = found.iter().map(|found| found.pointer.as_str()).collect();
    assert_eq!(pointers, ["/do/0/a/set/x", "/do/1/b/set/x"]);
    assert_eq!(found[0].place, found[1].place);
}
