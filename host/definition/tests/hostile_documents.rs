//! Documents that are written to hurt: each is refused with the right code, at once.

use std::time::{Duration, Instant};

use hotcell_definition::{
    Checkable, Code, Definition, Diagnostic, Draft, Fault, MAX_ALIASES, MAX_DEPTH, MAX_DOCUMENT_BYTES,
    MAX_KEY_CHARACTERS, MAX_LISTED, MAX_VALUES, Proceed, Refused, SchemaFault,
};

/// How long any document may take. An optimized build takes less than two seconds for the worst of them, one without
/// optimization on a loaded machine ten; what grows with the square of the size takes minutes.
const PATIENCE: Duration = Duration::from_secs(60);

/// As large as a document may be.
const FULL: usize = MAX_DOCUMENT_BYTES;

/// Large enough that whatever grows with the square of it takes minutes.
const LARGE: usize = FULL / 4;

const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: hostile, version: '1.0.0' }\n";

/// Reads a document in time, and says whether it is valid.
fn read(document: &[u8]) -> Result<(), Vec<Diagnostic>> {
    let start = Instant::now();
    let result = Definition::parse(document);
    if let Err(Refused { draft: Some(draft), .. }) = &result {
        check_draft(draft, std::str::from_utf8(document).expect("what was read is UTF-8"));
    }
    let elapsed = start.elapsed();
    println!("{elapsed:?} for {} bytes", document.len());
    assert!(elapsed < PATIENCE, "took {elapsed:?}");
    result.map(drop).map_err(|refused| refused.diagnostics)
}

/// What could be read of it can be checked, however little that is.
fn check_draft(draft: &Draft, text: &str) {
    let locations = draft.locations();
    let mut count = 0;
    let found = locations.check_expressions(text, |site, faults| {
        count += 1;
        let offset = (count * 7 % (site.source().len() + 2)).checked_sub(1);
        let (message, help) = ("Wrong.".into(), "Correct it.".into());
        faults.push(Fault { code: Code::InvalidExpression, offset, message, help });
        Proceed::Yes
    });
    assert!(found.len() <= 2 * MAX_LISTED + 1);
    assert!(found.iter().all(|found| text.get(found.place.bytes()).is_some()));
    locations.check_schemas(draft.source(), |_, _| {
        Some(Err(SchemaFault { pointer: "/none".into(), message: "Wrong.".into() }))
    });
}

fn refused(document: impl AsRef<[u8]>) -> Vec<Diagnostic> {
    let diagnostics = read(document.as_ref()).expect_err("hostile");
    assert!(diagnostics.len() <= 2 * MAX_LISTED + 1);
    diagnostics
}

fn code(document: impl AsRef<[u8]>) -> Code {
    refused(document)[0].code
}

fn full_of(piece: &str) -> String {
    piece.repeat(FULL / piece.len())
}

#[test]
fn a_scalar_of_a_hundred_megabytes_is_refused_before_it_is_read() {
    let document = vec![b'a'; 100 * 1024 * 1024];

    assert_eq!(code(document), Code::DocumentTooLarge);
}

#[test]
fn text_that_is_not_utf_8_is_refused_where_it_stops_to_be() {
    let diagnostics = refused(b"document:\n  name: \"\xc3\xa9\xff\"\n");

    let diagnostic = &diagnostics[0];
    assert_eq!(diagnostic.code, Code::NotUtf8);
    assert_eq!((diagnostic.place.line, diagnostic.place.column, diagnostic.place.offset), (2, 11, 21));
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let inner = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{inner}"); 10].join(", ")));
    }

    assert_eq!(code(&bomb), Code::TooManyValues);
}

#[test]
fn a_large_scalar_with_many_aliases_is_refused() {
    let bomb = format!("big: &big {}\nmore: [{}]", "x".repeat(FULL / 2), vec!["*big"; 1_000].join(", "));

    assert_eq!(code(bomb), Code::TooManyValues);
}

#[test]
fn a_large_key_with_many_aliases_is_refused() {
    let key = "k".repeat(MAX_KEY_CHARACTERS - 10);
    let bomb = format!("big: &big {{ {key}: 1 }}\nmore: [{}]", vec!["*big"; MAX_ALIASES].join(", "));

    assert_eq!(code(bomb), Code::TooManyValues);
}

#[test]
fn many_aliases_are_refused() {
    let bomb = format!("a: &a x\nb: [{}]", vec!["*a"; MAX_ALIASES + 1].join(", "));

    assert_eq!(code(bomb), Code::TooManyAliases);
}

#[test]
fn a_value_that_holds_itself_is_refused() {
    assert_eq!(code("a: &a [*a]"), Code::RecursiveAlias);
    assert_eq!(code("a: &a { b: *a }"), Code::RecursiveAlias);
}

#[test]
fn aliases_of_aliases_do_not_get_around_the_depth() {
    let mut bomb = String::from("a0: &a0 [x]\n");
    for level in 1..=MAX_DEPTH {
        bomb.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }

    assert_eq!(code(&bomb), Code::TooDeep);
}

#[test]
fn a_million_anchors_are_refused() {
    assert_eq!(code(format!("[{}", full_of("&a ,"))), Code::DocumentTooLarge);
    assert_eq!(code(format!("[{}", &full_of("&a ,")[8..])), Code::TooManyValues);
    let different: String = (0..500_000).map(|index| format!("&{index:x} ,")).collect();
    assert_eq!(code(format!("[{different}")), Code::TooManyValues);
    assert_eq!(code(full_of("&a ")), Code::InvalidYaml);
}

#[test]
fn depth_is_refused_in_every_form() {
    let block: String = (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    for document in [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "[{a: ".repeat(10_000),
        "- ".repeat(10_000),
        "? ".repeat(10_000),
        full_of("["),
        full_of("{"),
        full_of("[{"),
        full_of("- "),
        full_of("? "),
        block,
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        // Block and flow, each less deep than is allowed.
        format!("{}{}1{}", "- ".repeat(MAX_DEPTH - 10), "[".repeat(20), "]".repeat(20)),
    ] {
        let code = code(&document);

        assert!(matches!(code, Code::TooDeep | Code::ComplexKey), "{code} for {}", &document[..20.min(document.len())]);
    }
}

#[test]
fn depth_of_ten_thousand_in_blocks_is_refused() {
    // Every level is indented by one blank more: 50 MB. This is as much of it as is read.
    let mut document = String::new();
    for level in 0.. {
        let line = format!("{}a:\n", " ".repeat(level));
        if document.len() + line.len() > FULL {
            break;
        }
        document.push_str(&line);
    }

    assert_eq!(code(document), Code::TooDeep);
}

#[test]
fn documents_of_little_pieces_are_refused() {
    for piece in [
        "- \n",
        "- - - -\n",
        "? ? ?\n",
        "- 1\n",
        "a:\n",
        "1,",
        "''\n",
        "\"\n",
        "'",
        ":\n",
        ": ",
        "#\n",
        "# \n#",
        "&a\n",
        "*a\n",
        "!a\n",
        "!!str\n",
        "|\n",
        ">\n",
        "---\n",
        "...\n",
        "%a\n",
        "\n",
        " ",
        "\t",
        "\r",
        "\r\n",
        "}",
        "]",
        ",",
        "@",
        "`",
        "<<: *a\n",
        "{}",
        "[]",
        "\u{feff}",
        "é",
        "${",
    ] {
        println!("{piece:?}");
        refused(piece.repeat(LARGE / piece.len()));
    }
}

#[test]
fn lists_and_objects_of_many_little_pieces_are_refused_or_read_in_time() {
    for (open, piece) in [
        ("[", "1,"),
        ("[", "[],"),
        ("[", "{},"),
        ("[", "a: 1,"),
        ("[", "? ,"),
        ("{", "? ,"),
        ("{", "a: 1,"),
        ("[", "\"a\" ,"),
        ("[", "#\n"),
        ("[", "\n"),
        ("- [", "a,\n\n"),
        ("a: |\n", " x\n"),
        ("a: >\n", " x\n\n"),
        ("a: \"", "\\\n"),
        ("a: \"", "x\n\n"),
        ("a: ", "x\n "),
        ("a: '", "''"),
    ] {
        println!("{open:?} {piece:?}");
        refused(format!("{open}{}", piece.repeat(LARGE / piece.len())));
    }
}

#[test]
fn many_keys_in_one_object_take_time_in_proportion() {
    let keys = |count: u64| {
        let keys: String = (0..count).map(|index| format!("    {index:x}: 1\n")).collect();
        format!("{HEAD}do:\n- data:\n   set:\n{keys}")
    };

    assert_eq!(read(keys(MAX_VALUES - 100).as_bytes()), Ok(()));
    assert_eq!(code(keys(MAX_VALUES)), Code::TooManyValues);
}

#[test]
fn duplicate_keys_without_number_are_reported_up_to_the_limit() {
    let diagnostics = refused(format!("{HEAD}do: []\nuse: {{ {} }}", "secrets: [], ".repeat(20_000)));

    assert!(diagnostics[..MAX_LISTED].iter().all(|diagnostic| diagnostic.code == Code::DuplicateKey));
    let last = diagnostics.last().unwrap();
    assert_eq!(last.code, Code::MoreProblems);
    assert_eq!(last.message, format!("{} more problems are not listed.", 19_999 - MAX_LISTED));
}

#[test]
fn problems_without_number_are_reported_up_to_the_limit() {
    for piece in [
        "  - a: { then: nowhere }\n",
        "  - t: { then: nowhere, set: { a: 1 } }\n",
        "  - call: { call: htp }\n",
        "  - a: { wait: 5 }\n",
        "  - 5\n",
        "  - { a: 1, b: 2 }\n",
        "  - a: { unknown: 1, wait: { secnds: 1, sceonds: 2 } }\n",
        "  - a: { raise: { error: nobody } }\n",
    ] {
        println!("{piece:?}");
        let diagnostics = refused(format!("{HEAD}do:\n{}", piece.repeat(10_000)));

        assert_eq!(diagnostics.last().unwrap().code, Code::MoreProblems, "{piece}");
        assert!(diagnostics.is_sorted_by_key(|diagnostic| diagnostic.place.offset), "{piece}");
    }
}

#[test]
fn tasks_with_different_names_and_lost_targets_take_time_in_proportion() {
    let tasks: String =
        (0..10_000).map(|index| format!("  - task{index}: {{ wait: PT1S, then: tusk{index} }}\n")).collect();

    let diagnostics = refused(format!("{HEAD}do:\n{tasks}"));

    assert!(diagnostics.iter().any(|diagnostic| diagnostic.code == Code::UnknownTask));
}

#[test]
fn unknown_fields_without_number_take_time_in_proportion() {
    let fields: String = (0..50_000).map(|index| format!("  error{index}: 1\n")).collect();

    assert_eq!(code(format!("use:\n{fields}{HEAD}do: []")), Code::UnknownField);
}

#[test]
fn long_names_do_not_make_long_messages() {
    let name = "n".repeat(100_000);
    let document = format!(
        "{HEAD}do:\n  - a: {{ raise: {{ error: {name} }} }}\n  - b: {{ call: {name} }}\n  - c: {{ wait: {name} }}\n  \
         - d: {{ wait: PT1S, then: {name} }}\n  - e: {{ set: '${{ {name}' }}\n  - f: {{ listen: {{ to: {{ one: {{ with: \
         {{ type: 1 }}, correlate: {name} }} }} }} }}\n"
    );

    for diagnostic in refused(document) {
        assert!(diagnostic.message.len() < 300, "{}", diagnostic.message);
        assert!(diagnostic.help.len() < 600, "{}", diagnostic.help);
    }
}

#[test]
fn a_key_beyond_the_limit_is_refused() {
    for document in [format!("? {}\n: 1\n", "k".repeat(100_000)), format!("{}: 1\n", "k".repeat(100_000))] {
        let code = code(document);

        assert!(matches!(code, Code::KeyTooLong | Code::InvalidYaml), "{code}");
    }
}

#[test]
fn tasks_in_tasks_do_not_multiply_their_data() {
    let data = "x".repeat(1024 * 1024);
    let mut document = format!("{HEAD}do: ");
    for _ in 0..24 {
        document.push_str("[{t: {do: ");
    }
    document.push_str(&format!("[{{t: {{set: {{data: {data} }} }} }}]{}", "}}]".repeat(24)));

    assert_eq!(code(document), Code::TooManyValues);
}
