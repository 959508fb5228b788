//! Writes a scene as SVG. Nothing is fetched, no script runs, and names are text.

use std::fmt::Write;

use crate::scene::{Anchor, Mark, Scene, Towards};

/// Colours for light surroundings, and for dark ones behind `prefers-color-scheme`. The picture brings its background,
/// so that it can be read where that question is not understood.
const STYLE: &str = "
text { font-family: 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace; font-size: 12px; fill: #1f2328 }
.title { font-size: 15px; font-weight: bold }
.name { font-weight: bold; font-size: 12.5px }
.kind, .note, .small { font-size: 11.5px }
.kind, .label { fill: #59636e }
.label { font-size: 11px }
.background { fill: #ffffff; stroke: #d1d9e0 }
.flow, .error, .inner { fill: none; stroke: #59636e; stroke-width: 1.4 }
.tip { fill: #59636e }
.error { stroke: #cf222e; stroke-dasharray: 5 3 }
.error-tip { fill: #cf222e }
.terminal { fill: #f6f8fa; stroke: #59636e }
.bar { fill: #1f2328 }
.call, .process, .workflow { fill: #ddf4ff; stroke: #0969da }
.edge { fill: #0969da }
.inner { stroke: #0969da }
.set { fill: #f6f8fa; stroke: #59636e }
.switch { fill: #fff8c5; stroke: #9a6700 }
.case { fill: #fffdf0; stroke: #9a6700 }
.wait { fill: #fbefff; stroke: #8250df }
.emit { fill: #dafbe1; stroke: #1a7f37 }
.listen { fill: #effcf2; stroke: #1a7f37 }
.raise { fill: #ffebe9; stroke: #cf222e; stroke-width: 1.6 }
.do { fill: #fcfdfe; stroke: #818b98 }
.for, .shadow { fill: #f7f9ff; stroke: #54699e }
.fork { fill: #fafbfc; stroke: #1f2328 }
.try { fill: #fffcfb; stroke: #bc4c00; stroke-dasharray: 7 3 }
.handler { fill: #fff1ee; stroke: #cf222e }
.extension { fill: #fbf7ff; stroke: #8250df; stroke-dasharray: 4 3 }
.more { fill: #f6f8fa; stroke: #59636e; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.kind, .label { fill: #9da7b1 }
.background { fill: #0d1117; stroke: #3d444d }
.flow, .inner { stroke: #9da7b1 }
.tip { fill: #9da7b1 }
.error { stroke: #f85149 }
.error-tip { fill: #f85149 }
.terminal { fill: #151b23; stroke: #9da7b1 }
.bar { fill: #e6edf3 }
.call, .process, .workflow { fill: #0c2d4d; stroke: #4493f8 }
.edge { fill: #4493f8 }
.inner { stroke: #4493f8 }
.set { fill: #151b23; stroke: #9da7b1 }
.switch { fill: #332a0c; stroke: #d29922 }
.case { fill: #1f1b10; stroke: #d29922 }
.wait { fill: #2a1f44; stroke: #ab7df8 }
.emit { fill: #12341d; stroke: #3fb950 }
.listen { fill: #0f2417; stroke: #3fb950 }
.raise { fill: #42171a; stroke: #f85149 }
.do { fill: #11161d; stroke: #656c76 }
.for, .shadow { fill: #131a2b; stroke: #7d96d6 }
.fork { fill: #10151b; stroke: #c9d1d9 }
.try { fill: #17130f; stroke: #db8b4b }
.handler { fill: #26130f; stroke: #f85149 }
.extension { fill: #1a1426; stroke: #ab7df8 }
.more { fill: #151b23; stroke: #9da7b1 }
}
";

pub(crate) fn write(scene: &Scene, title: &str) -> String {
    let Scene { width, height, marks } = scene;
    let mut svg = String::new();
    write_all(&mut svg, |svg| {
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
        )?;
        writeln!(svg, "<title>{}</title>\n<style>{STYLE}</style>", escaped(title))?;
        writeln!(
            svg,
            r#"<rect class="background" x="0.5" y="0.5" width="{}" height="{}" rx="8"/>"#,
            width - 1,
            height - 1
        )?;
        for mark in marks {
            write_mark(svg, mark)?;
        }
        writeln!(svg, "</svg>")
    });
    svg
}

fn write_all(text: &mut String, write: impl FnOnce(&mut String) -> std::fmt::Result) {
    write(text).expect("a string takes everything");
}

fn write_mark(svg: &mut String, mark: &Mark) -> std::fmt::Result {
    match mark {
        Mark::Rectangle { x, y, width, height, round, class } => {
            writeln!(svg, r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{round}"/>"#)
        }
        Mark::Polygon { points, class } => {
            write!(svg, r#"<polygon class="{class}" points=""#)?;
            write_points(svg, points)?;
            writeln!(svg, r#""/>"#)
        }
        Mark::Line { points, class } => {
            write!(svg, r#"<polyline class="{class}" points=""#)?;
            write_points(svg, points)?;
            writeln!(svg, r#""/>"#)
        }
        Mark::Tip { x, y, towards, class } => {
            let [(a, b), (c, d)] = match towards {
                Towards::Down => [(x - 4, y - 8), (x + 4, y - 8)],
                Towards::Left => [(x + 8, y - 4), (x + 8, y + 4)],
                Towards::Right => [(x - 8, y - 4), (x - 8, y + 4)],
            };
            writeln!(svg, r#"<polygon class="{class}" points="{x},{y} {a},{b} {c},{d}"/>"#)
        }
        Mark::Text { x, y, anchor, class, text } => {
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => r#" text-anchor="middle""#,
            };
            writeln!(svg, r#"<text class="{class}" x="{x}" y="{y}"{anchor}>{}</text>"#, escaped(text))
        }
    }
}

fn write_points(svg: &mut String, points: &[(i32, i32)]) -> std::fmt::Result {
    for (index, (x, y)) in points.iter().enumerate() {
        write!(svg, "{}{x},{y}", if index > 0 { " " } else { "" })?;
    }
    Ok(())
}

/// Text as XML has it. Characters that XML does not have were left out when the text was cut.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}
