//! Paints what was measured, from the outside in.

use super::measure::{Block, Lane, Part, Placed, Stack};
use super::outline::{corners, inset, sides};
use super::{GAP, LINE, PAD, ROW, SIGN};
use crate::picture::{From, Role, Shape, To};
use crate::scene::{Anchor, Mark, Scene};

impl Stack<'_> {
    pub(super) fn paint(&self, (x, y): (i32, i32), scene: &mut Scene) {
        for placed in &self.blocks {
            placed.block.paint((x + placed.x, y + placed.y), scene);
        }
        if self.rows.is_empty() {
            self.paint_column((x, y), scene);
        } else {
            self.paint_rows((x, y), scene);
        }
    }

    fn paint_column(&self, (x, y): (i32, i32), scene: &mut Scene) {
        let middle = x + self.column / 2;
        for pair in self.blocks.windows(2) {
            let [upper, lower] = pair else { continue };
            let Some(label) = &upper.block.item.next else { continue };
            let from = y + upper.y + upper.block.height;
            scene.arrow(&[(middle, from), (middle, y + lower.y)], "flow", "tip");
            scene.text(middle + 8, from + 17, Anchor::Start, "label", label);
        }
        for lane in &self.lanes {
            self.paint_lane(lane, (x, y), scene);
        }
        for placed in &self.blocks {
            self.paint_signs(placed, (x, y), scene);
        }
    }

    fn paint_lane(&self, lane: &Lane, (x, y): (i32, i32), scene: &mut Scene) {
        let (source, target) = (&self.blocks[lane.source], &self.blocks[lane.target]);
        let (from, to) = (y + lane.from, y + lane.to);
        let start = if lane.from_handler { source.handler_right(x) } else { source.right((x, y), from) };
        let end = target.right((x, y), to);
        scene.arrow(&[(start, from), (x + lane.x, from), (x + lane.x, to), (end, to)], "flow", "tip");
        scene.text(start + 5, from - 4, Anchor::Start, "label", &lane.label);
    }

    /// What stands beside a task after which the list or the workflow is over.
    fn paint_signs(&self, placed: &Placed<'_>, (x, y): (i32, i32), scene: &mut Scene) {
        for jump in &placed.block.item.jumps {
            let word = match jump.to {
                To::Exit => "exit",
                To::End => "end",
                To::Item(_) => continue,
            };
            let level = y + placed.y + placed.block.port(jump.from);
            let start = if jump.from == From::Handler { placed.handler_right(x) } else { placed.right((x, y), level) };
            let left = x + self.column + 12;
            scene.arrow(&[(start, level), (left, level)], "flow", "tip");
            scene.rectangle((left, level - SIGN.1 / 2), SIGN, 9, "terminal");
            scene.text(left + SIGN.0 / 2, level + 4, Anchor::Middle, "small", word);
        }
    }

    /// The bars between which branches run side by side.
    fn paint_rows(&self, (x, y): (i32, i32), scene: &mut Scene) {
        for (index, (first, top, height)) in self.rows.iter().enumerate() {
            let end = self.rows.get(index + 1).map_or(self.blocks.len(), |next| next.0);
            let (upper, lower) = (y + top - GAP + 4, y + top + height + GAP - 4);
            for placed in &self.blocks[*first..end] {
                let middle = x + placed.x + placed.block.width / 2;
                scene.arrow(&[(middle, upper), (middle, y + placed.y)], "flow", "tip");
                scene.line(&[(middle, y + placed.y + placed.block.height), (middle, lower)], "flow");
            }
            scene.rectangle((x, upper - 2), (self.width, 4), 2, "bar");
            scene.rectangle((x, lower - 2), (self.width, 4), 2, "bar");
        }
    }
}

impl Placed<'_> {
    /// Where a level meets the right side of the task.
    fn right(&self, (x, y): (i32, i32), level: i32) -> i32 {
        self.block.sides((x + self.x, y + self.y), level).1
    }

    /// The right side of what handles the task's errors.
    fn handler_right(&self, x: i32) -> i32 {
        let part = self.block.handler();
        x + self.x + part.map_or(self.block.width, |part| part.x + part.width)
    }
}

impl Block<'_> {
    fn sides(&self, at: (i32, i32), level: i32) -> (i32, i32) {
        let shape = self.item.shape;
        if !self.parts.is_empty() || (shape == Shape::Switch && level > at.1 + self.head) {
            return (at.0, at.0 + self.width);
        }
        sides(&corners(shape, at, (self.width, self.head)), level)
    }

    fn paint(&self, (x, y): (i32, i32), scene: &mut Scene) {
        if self.parts.is_empty() {
            self.paint_shape((x, y), scene);
        } else {
            self.paint_frame((x, y), scene);
            for (index, part) in self.parts.iter().enumerate() {
                part.paint((x, y), index.checked_sub(1).map(|before| &self.parts[before]), scene);
            }
        }
    }

    fn paint_shape(&self, (x, y): (i32, i32), scene: &mut Scene) {
        let shape = self.item.shape;
        let size = (self.width, self.head);
        for (index, case) in self.item.cases.iter().enumerate() {
            let top = y + self.head + ROW * index as i32;
            scene.rectangle((x, top), (self.width, ROW), 3, "case");
            scene.text(x + PAD, top + 16, Anchor::Start, "note", case);
        }
        scene.marks.push(Mark::Polygon { points: corners(shape, (x, y), size), class: class(shape) });
        match shape {
            Shape::Call => scene.rectangle((x, y), (5, self.head), 0, "edge"),
            Shape::Workflow => {
                scene.line(&[(x + 6, y), (x + 6, y + self.head)], "inner");
                scene.line(&[(x + self.width - 6, y), (x + self.width - 6, y + self.head)], "inner");
            }
            Shape::Process => {
                let right = x + self.width;
                scene.line(&[(right - 12, y), (right - 12, y + 12), (right, y + 12)], "inner");
            }
            _ => {}
        }
        self.paint_head(x + self.width / 2, y, Anchor::Middle, scene);
    }

    fn paint_frame(&self, (x, y): (i32, i32), scene: &mut Scene) {
        let shape = self.item.shape;
        if shape == Shape::For || shape == Shape::Listen {
            // One behind the other: again and again.
            scene.rectangle((x + 4, y + 4), (self.width, self.height), 6, "shadow");
        }
        scene.rectangle((x, y), (self.width, self.height), 6, class(shape));
        self.paint_head(x + PAD + inset(shape), y, Anchor::Start, scene);
    }

    fn paint_head(&self, x: i32, y: i32, anchor: Anchor, scene: &mut Scene) {
        scene.text(x, y + 18, anchor, "kind", &self.item.kind);
        scene.text(x, y + 18 + LINE, anchor, "name", &self.item.name);
        for (index, note) in self.item.notes.iter().enumerate() {
            scene.text(x, y + 18 + LINE * (2 + index as i32), anchor, "note", note);
        }
    }
}

impl Part<'_> {
    /// Paints a list inside a task that stands there; `before` is the list before it.
    fn paint(&self, (x, y): (i32, i32), before: Option<&Part<'_>>, scene: &mut Scene) {
        let (left, top) = (x + self.x, y + self.y);
        if self.section.role == Role::Handler {
            let middle = left + self.width / 2;
            scene.arrow(&[(middle, top - GAP - 10), (middle, top)], "error", "error-tip");
            scene.text(middle + 8, top - 14, Anchor::Start, "label", "on error");
            scene.rectangle((left, top), (self.width, self.height), 6, "handler");
            for (index, line) in self.section.notes.iter().chain(&self.section.retry).enumerate() {
                scene.text(left + PAD, top + 19 + LINE * index as i32, Anchor::Start, "note", line);
            }
        }
        if matches!(self.section.role, Role::Before | Role::After) {
            scene.rectangle((left, top), (self.width, self.height), 6, "extension");
            for (index, line) in self.section.notes.iter().enumerate() {
                scene.text(left + PAD, top + 19 + LINE * index as i32, Anchor::Start, "note", line);
            }
        }
        // The flow comes from one extension to the task, and from the task to another.
        if before.is_some_and(|before| before.section.role == Role::Before || self.section.role == Role::After) {
            let middle = left + self.width / 2;
            scene.arrow(&[(middle, top - GAP), (middle, top)], "flow", "tip");
        }
        let inside = (self.stack_left(x), top + self.head);
        self.stack.paint(inside, scene);
        match (self.section.role, before) {
            (Role::Repeated, _) => self.paint_way_back(inside, left - 16, scene),
            (Role::Handler, Some(attempt)) if self.section.retry.is_some() => {
                if let Some(first) = attempt.stack.blocks.first() {
                    let at = (attempt.stack_left(x) + first.x, y + attempt.y + first.y);
                    let level = at.1 + 14;
                    let end = first.block.sides(at, level).0;
                    let points = [(left, top + 14), (left - 12, top + 14), (left - 12, level), (end, level)];
                    scene.arrow(&points, "error", "error-tip");
                }
            }
            _ => {}
        }
    }

    /// The left of the list: it stands in the middle.
    fn stack_left(&self, x: i32) -> i32 {
        x + self.x + (self.width - self.stack.width) / 2
    }

    /// From the last task back to the first.
    fn paint_way_back(&self, (x, y): (i32, i32), lane: i32, scene: &mut Scene) {
        let (Some(first), Some(last)) = (self.stack.blocks.first(), self.stack.blocks.last()) else { return };
        let from = y + last.y + last.block.height - 12;
        let to = y + first.y + 14;
        let start = last.block.sides((x + last.x, y + last.y), from.min(y + last.y + last.block.head - 2)).0;
        let end = first.block.sides((x + first.x, y + first.y), to).0;
        scene.arrow(&[(start, from), (lane, from), (lane, to), (end, to)], "flow", "tip");
    }
}

fn class(shape: Shape) -> &'static str {
    match shape {
        Shape::Call => "call",
        Shape::Do => "do",
        Shape::Emit => "emit",
        Shape::For => "for",
        Shape::Fork => "fork",
        Shape::Listen => "listen",
        Shape::Process => "process",
        Shape::Raise => "raise",
        Shape::Set => "set",
        Shape::Switch => "switch",
        Shape::Try => "try",
        Shape::Wait => "wait",
        Shape::Workflow => "workflow",
        Shape::More => "more",
    }
}
