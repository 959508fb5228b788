//! Drawings as files: their text, and what hostile documents make of it.

use std::fmt::Write;
use std::time::{Duration, Instant};

use hotcell_definition::Definition;
use hotcell_graph::{MAX_DRAWN, mermaid, svg};

fn definition(tasks: &str) -> Definition {
    let text = format!("document: {{ dsl: '1.0.3', namespace: test, name: test, version: '1.0.0' }}\n{tasks}\n");
    Definition::parse(text.as_bytes()).unwrap_or_else(|refused| panic!("{refused}")).definition
}

fn everything() -> Definition {
    Definition::parse(include_bytes!("documents/everything.yaml")).unwrap().definition
}

#[test]
fn every_kind_of_task_and_every_way_is_drawn_as_mermaid() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("everything-mermaid", mermaid(&everything()).text);
    });
}

#[test]
fn every_kind_of_task_and_every_way_is_drawn_as_svg() {
    let drawing = svg(&everything()).text;
    let marks = &drawing[drawing.find("</style>").unwrap()..];
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("everything-svg", marks);
    });
}

#[test]
fn names_are_text_whatever_they_say() {
    let hostile = "'</text><script>alert(1)</script>]]> & \"quotes\" `ticks` --> click n0 \u{202e}\u{0007}'";
    let name = serde_json::Value::from(hostile).to_string();
    let definition = definition(&format!("do:\n  - {name}: {{ set: {{ a: {name} }}, then: {name} }}"));

    let svg = svg(&definition).text;
    assert!(!svg.contains("<script") && !svg.contains('\u{202e}') && !svg.contains('\u{7}'), "{svg}");
    assert!(svg.contains("&lt;/text&gt;&lt;script&gt;"), "{svg}");

    let mermaid = mermaid(&definition).text;
    let quoted = mermaid.matches('"').count();
    assert!(quoted.is_multiple_of(2) && mermaid.contains('<') == mermaid.contains("<br/>"), "{mermaid}");
    assert!(!mermaid.replace("<br/>", "").contains(['<', '`']), "{mermaid}");
}

#[test]
fn fifty_thousand_tasks_are_drawn_as_far_as_a_picture_goes() {
    let mut wide = "do:\n".to_owned();
    // What fits into the largest document.
    for number in 0..49_000 {
        writeln!(wide, "- t{number}: {{set: {{a: 1}}, then: t0}}").unwrap();
    }
    let definition = definition(&wide);
    let start = Instant::now();
    for drawing in [svg(&definition), mermaid(&definition)] {
        assert_eq!((drawing.drawn, drawing.omitted), (MAX_DRAWN, 49_000 - MAX_DRAWN));
        assert!(drawing.text.contains("48000 more tasks"));
        assert!(drawing.text.len() < 1 << 20, "{}", drawing.text.len());
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn the_deepest_document_is_drawn() {
    let mut task = "{ set: { a: 1 } }".to_owned();
    for _ in 0..30 {
        task = format!("{{ do: [ {{ x: {task} }}, {{ y: {{ set: {{ a: 1 }} }} }} ] }}");
    }
    let definition = definition(&format!("do: [ {{ x: {task} }} ]"));
    assert_eq!(svg(&definition).drawn, 61);
    assert_eq!(mermaid(&definition).drawn, 61);
}

#[test]
fn no_task_at_all_is_a_picture_too() {
    let definition = definition("do: []");
    assert!(svg(&definition).text.ends_with("</svg>\n"));
    let text = mermaid(&definition).text;
    let chart = "flowchart TD\n  start([\"start\"])\n  start --> finish\n  finish([\"end\"])\n";
    assert!(text.ends_with(chart), "{text}");
}

#[test]
fn functions_and_extensions_are_drawn_once_where_they_are_needed_first() {
    let definition = Definition::parse(include_bytes!("documents/reused.yaml")).unwrap().definition;
    let mermaid = mermaid(&definition).text;
    let drawing = svg(&definition).text;
    let marks = &drawing[drawing.find("</style>").unwrap()..];
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("reused-mermaid", mermaid);
        insta::assert_snapshot!("reused-svg", marks);
    });
    for name in ["look up", "convert", "begin span", "end span", "note"] {
        assert_eq!(drawing.matches(&format!(">{name}<")).count(), 1, "{name}");
    }
}

#[test]
fn a_thousand_calls_of_large_functions_are_drawn_within_bounds() {
    let mut text = "use:\n  functions:\n".to_owned();
    for number in 0..300 {
        let next = (number + 1) % 300;
        writeln!(text, "    f{number}: {{ do: [ {{ a: {{ call: f{next} }} }}, {{ b: {{ call: f{number} }} }} ] }}")
            .unwrap();
    }
    text.push_str("  extensions:\n");
    for number in 0..50 {
        writeln!(text, "  - e{number}: {{ extend: all, before: [ {{ x: {{ set: {{ a: 1 }} }} }} ] }}").unwrap();
    }
    text.push_str("do:\n");
    for number in 0..1_000 {
        writeln!(text, "- t{number}: {{ call: f{} }}", number % 300).unwrap();
    }
    let definition = definition(&text);
    let start = Instant::now();
    for drawing in [svg(&definition), mermaid(&definition)] {
        assert!(drawing.drawn <= MAX_DRAWN && drawing.text.len() < 4 << 20, "{}", drawing.text.len());
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}
