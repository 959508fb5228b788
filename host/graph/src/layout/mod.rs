//! Where everything stands, as recursive as the picture itself.
//!
//! First everything is measured from the inside out, then it is painted from the outside in. A list is a column; on its
//! right run the lanes of its jumps, shorter ones further in. On the left of a list that is repeated runs the way
//! back.

mod measure;
mod outline;
mod paint;
#[cfg(test)]
mod tests;

use crate::picture::Picture;
use crate::scene::{Anchor, Scene};
use crate::text::columns;

use self::measure::Stack;

/// The width of a column of text. Texts are set in a monospaced font, so that they are as wide as they are taken to be.
const COLUMN: i32 = 73;
/// Hundredths of a pixel in [`COLUMN`].
const COLUMN_PARTS: i32 = 10;
const LINE: i32 = 16;
const PAD: i32 = 12;
/// Room for an arrow between two tasks.
const GAP: i32 = 26;
/// From one lane to the next.
const LANE: i32 = 14;
/// One case of a switch.
const ROW: i32 = 24;
/// The sign behind a task after which the list or the workflow is over.
const SIGN: (i32, i32) = (44, 18);

/// How wide a text is.
fn width_of(text: &str) -> i32 {
    (i32::try_from(columns(text)).unwrap_or(i32::MAX / COLUMN) * COLUMN).div_euclid(COLUMN_PARTS) + 1
}

/// The picture, laid out.
pub(crate) fn scene(picture: &Picture) -> Scene {
    let stack = Stack::measure(&picture.tasks, false);
    let mut scene = Scene::default();
    let start = if picture.start.is_empty() { vec!["start".to_owned()] } else { picture.start.clone() };
    let start_width = start.iter().map(|line| width_of(line)).max().unwrap_or(0) + 2 * PAD;
    let start_height = LINE * start.len() as i32 + 10;
    let margin = 20;
    let half = (start_width / 2).max(stack.column / 2);
    // Everything is around this line.
    let middle = margin + half;
    scene.width =
        (middle + half.max(stack.width - stack.column / 2)).max(margin + width_of(&picture.title) * 5 / 4) + margin;

    scene.text(margin, margin + 14, Anchor::Start, "title", &picture.title);
    let mut y = margin + 34;
    scene.rectangle((middle - start_width / 2, y), (start_width, start_height), 13, "terminal");
    for (index, line) in start.iter().enumerate() {
        scene.text(middle, y + 17 + LINE * index as i32, Anchor::Middle, "small", line);
    }
    y += start_height;
    if !picture.tasks.items.is_empty() {
        scene.arrow(&[(middle, y), (middle, y + GAP)], "flow", "tip");
        stack.paint((middle - stack.column / 2, y + GAP), &mut scene);
        y += GAP + stack.height;
    }
    let falls = picture.tasks.items.last().is_none_or(|last| last.next.is_some());
    if falls {
        scene.arrow(&[(middle, y), (middle, y + GAP)], "flow", "tip");
        scene.rectangle((middle - 26, y + GAP), (52, 26), 13, "terminal");
        scene.text(middle, y + GAP + 17, Anchor::Middle, "small", "end");
        y += GAP + 26;
    }
    scene.height = y + margin;
    scene
}
