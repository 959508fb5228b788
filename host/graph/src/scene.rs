//! What a layout comes to: marks at places, in pixels, in the order in which they are painted.

/// A whole picture.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) marks: Vec<Mark>,
}

/// Something that is painted. Its class says how it looks.
#[derive(Debug, PartialEq)]
pub(crate) enum Mark {
    Rectangle {
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        round: i32,
        class: &'static str,
    },
    Polygon {
        points: Vec<(i32, i32)>,
        class: &'static str,
    },
    Line {
        points: Vec<(i32, i32)>,
        class: &'static str,
    },
    /// The tip of an arrow that goes in a direction.
    Tip {
        x: i32,
        y: i32,
        towards: Towards,
        class: &'static str,
    },
    Text {
        x: i32,
        y: i32,
        anchor: Anchor,
        class: &'static str,
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Towards {
    Down,
    Left,
    Right,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
}

impl Scene {
    pub(crate) fn rectangle(
        &mut self,
        (x, y): (i32, i32),
        (width, height): (i32, i32),
        round: i32,
        class: &'static str,
    ) {
        self.marks.push(Mark::Rectangle { x, y, width, height, round, class });
    }

    pub(crate) fn text(&mut self, x: i32, y: i32, anchor: Anchor, class: &'static str, text: &str) {
        if !text.is_empty() {
            self.marks.push(Mark::Text { x, y, anchor, class, text: text.into() });
        }
    }

    pub(crate) fn line(&mut self, points: &[(i32, i32)], class: &'static str) {
        self.marks.push(Mark::Line { points: points.into(), class });
    }

    /// A line with a tip at its end.
    pub(crate) fn arrow(&mut self, points: &[(i32, i32)], class: &'static str, tip: &'static str) {
        self.line(points, class);
        if let [.., before, (x, y)] = *points {
            let towards = match before.0.cmp(&x) {
                std::cmp::Ordering::Equal => Towards::Down,
                std::cmp::Ordering::Greater => Towards::Left,
                std::cmp::Ordering::Less => Towards::Right,
            };
            self.marks.push(Mark::Tip { x, y, towards, class: tip });
        }
    }
}
