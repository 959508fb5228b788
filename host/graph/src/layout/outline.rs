//! The outline of each kind of task.

use crate::picture::Shape;

/// How far the text of a shape stands away from its sides, beyond what every shape has.
pub(super) fn inset(shape: Shape) -> i32 {
    match shape {
        Shape::Switch => 16,
        Shape::Emit | Shape::Listen | Shape::Set | Shape::Wait | Shape::Raise | Shape::Workflow | Shape::Process => 10,
        _ => 4,
    }
}

/// The corners of a shape of this size, around from the upper left one.
pub(super) fn corners(shape: Shape, (x, y): (i32, i32), (w, h): (i32, i32)) -> Vec<(i32, i32)> {
    let relative: &[(i32, i32)] = match shape {
        Shape::Set => &[(10, 0), (w, 0), (w - 10, h), (0, h)],
        Shape::Wait => &[(12, 0), (w - 12, 0), (w, h / 2), (w - 12, h), (12, h), (0, h / 2)],
        Shape::Emit => &[(0, 0), (w - 14, 0), (w, h / 2), (w - 14, h), (0, h)],
        Shape::Listen => &[(0, 0), (w, 0), (w, h), (0, h), (12, h / 2)],
        Shape::Raise => &[(10, 0), (w - 10, 0), (w, 10), (w, h - 10), (w - 10, h), (10, h), (0, h - 10), (0, 10)],
        Shape::Process => &[(0, 0), (w - 12, 0), (w, 12), (w, h), (0, h)],
        Shape::Switch => &[(h / 2, 0), (w - h / 2, 0), (w, h / 2), (w - h / 2, h), (h / 2, h), (0, h / 2)],
        _ => &[(0, 0), (w, 0), (w, h), (0, h)],
    };
    relative.iter().map(|(dx, dy)| (x + dx, y + dy)).collect()
}

/// Where a level line meets the outline, on its left and on its right.
pub(super) fn sides(corners: &[(i32, i32)], level: i32) -> (i32, i32) {
    let mut sides = (i32::MAX, i32::MIN);
    for (index, &(x1, y1)) in corners.iter().enumerate() {
        let (x2, y2) = corners[(index + 1) % corners.len()];
        if (y1.min(y2)..=y1.max(y2)).contains(&level) {
            let ends = if y1 == y2 {
                [x1, x2]
            } else {
                let x = x1 + (x2 - x1) * (level - y1) / (y2 - y1);
                [x, x]
            };
            for x in ends {
                sides = (sides.0.min(x), sides.1.max(x));
            }
        }
    }
    sides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_end_at_the_outline_of_a_shape() {
        let diamond = corners(Shape::Switch, (100, 0), (80, 40));
        assert_eq!(sides(&diamond, 20), (100, 180));
        assert_eq!(sides(&diamond, 10), (110, 170));
        let notched = corners(Shape::Listen, (0, 0), (100, 40));
        assert_eq!(sides(&notched, 20), (12, 100));
    }
}
