//! What a person sees at once, checked for every example: nothing is cut, and no arrow crosses a task.

use std::path::{Path, PathBuf};

use hotcell_definition::Definition;

use super::{scene, width_of};
use crate::picture;
use crate::scene::{Anchor, Mark, Scene};

fn documents() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "../definition/tests/spec-examples",
        "../definition/tests/reference-examples",
        "../../examples/orders",
        "tests/documents",
    ];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(here.join(folder)).unwrap());
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    assert!(files.len() > 100);
    files
}

fn scenes() -> impl Iterator<Item = (PathBuf, Scene)> {
    documents().into_iter().map(|file| {
        let parsed = Definition::parse(&std::fs::read(&file).unwrap()).unwrap_or_else(|refused| panic!("{refused}"));
        (file, scene(&picture::of(&parsed.definition)))
    })
}

#[test]
fn every_text_has_room_in_the_picture() {
    for (file, scene) in scenes() {
        for mark in &scene.marks {
            let Mark::Text { x, y, anchor, text, .. } = mark else { continue };
            let width = width_of(text);
            let left = if *anchor == Anchor::Middle { x - width / 2 } else { *x };
            assert!(left >= 0 && left + width <= scene.width, "{file:?}: {text:?} at {left} of {}", scene.width);
            assert!((12..=scene.height).contains(y), "{file:?}: {text:?}");
        }
    }
}

/// The box of a task, a little smaller than it is, as lines end at its outline.
fn inner(mark: &Mark) -> Option<(i32, i32, i32, i32)> {
    match mark {
        Mark::Polygon { points, .. } => {
            let (xs, ys) = (points.iter().map(|point| point.0), points.iter().map(|point| point.1));
            Some((xs.clone().min()? + 32, ys.clone().min()? + 2, xs.max()? - 32, ys.max()? - 2))
        }
        Mark::Rectangle { x, y, width, height, class: "case", .. } => {
            Some((x + 2, y + 2, x + width - 2, y + height - 2))
        }
        _ => None,
    }
}

#[test]
fn no_arrow_crosses_a_task_and_no_task_covers_another() {
    for (file, scene) in scenes() {
        let boxes: Vec<_> = scene.marks.iter().filter_map(inner).filter(|(x1, _, x2, _)| x1 < x2).collect();
        for mark in &scene.marks {
            let Mark::Line { points, class } = mark else { continue };
            if *class == "inner" {
                continue;
            }
            for ends in points.windows(2) {
                let ((x1, y1), (x2, y2)) = (ends[0], ends[1]);
                for (left, top, right, bottom) in &boxes {
                    let crosses =
                        x1.min(x2) < *right && x1.max(x2) > *left && y1.min(y2) < *bottom && y1.max(y2) > *top;
                    assert!(!crosses, "{file:?}: {points:?} crosses {:?}", (left, top, right, bottom));
                }
            }
        }
        for (index, a) in boxes.iter().enumerate() {
            for b in &boxes[index + 1..] {
                let apart = a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
                assert!(apart, "{file:?}: {a:?} covers {b:?}");
            }
        }
    }
}
