//! How large everything is, from the inside out.

use super::outline::inset;
use super::{GAP, LANE, LINE, PAD, ROW, SIGN, width_of};
use crate::picture::{From, Item, List, Role, Section, Shape, To};

/// The widest row of branches, unless a single one is wider.
const MAX_ROW: i32 = 1_100;
/// The least width of a task.
const LEAST: i32 = 110;

/// A list of tasks, one below the other, or branches side by side.
pub(super) struct Stack<'p> {
    pub(super) blocks: Vec<Placed<'p>>,
    /// The rows of branches: the first one of each, and how high it is. Empty for a column.
    pub(super) rows: Vec<(usize, i32, i32)>,
    /// The width of the tasks, without lanes.
    pub(super) column: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) lanes: Vec<Lane>,
}

/// A task, and where it stands in its list.
pub(super) struct Placed<'p> {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) block: Block<'p>,
}

/// A jump: from a level to another, at a distance from the left of the list.
pub(super) struct Lane {
    pub(super) source: usize,
    pub(super) target: usize,
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) x: i32,
    pub(super) label: String,
    /// Whether it starts inside its task, from what handles errors.
    pub(super) from_handler: bool,
}

/// A task.
pub(super) struct Block<'p> {
    pub(super) item: &'p Item,
    pub(super) width: i32,
    pub(super) height: i32,
    /// The height of what is said of the task, above what is in it.
    pub(super) head: i32,
    pub(super) parts: Vec<Part<'p>>,
}

/// A list inside a task.
pub(super) struct Part<'p> {
    pub(super) section: &'p Section,
    pub(super) stack: Stack<'p>,
    /// From the upper left of the task.
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    /// The height of what is said of the list, above it.
    pub(super) head: i32,
}

impl<'p> Stack<'p> {
    pub(super) fn measure(list: &'p List, side_by_side: bool) -> Self {
        let blocks: Vec<Block<'p>> = list.items.iter().map(Block::measure).collect();
        if side_by_side { Self::rows(blocks) } else { Self::column(blocks) }
    }

    fn column(blocks: Vec<Block<'p>>) -> Self {
        let column = blocks.iter().map(|block| block.width).max().unwrap_or(0);
        let mut y = 0;
        let mut placed = Vec::with_capacity(blocks.len());
        for block in blocks {
            let (height, label) = (block.height, block.item.next.as_deref().unwrap_or_default().is_empty());
            placed.push(Placed { x: (column - block.width) / 2, y, block });
            y += height + GAP + if label { 0 } else { 10 };
        }
        let height = placed.last().map_or(0, |last| last.y + last.block.height);
        let mut stack = Stack { blocks: placed, rows: Vec::new(), column, width: column, height, lanes: Vec::new() };
        stack.add_lanes();
        stack
    }

    /// Branches, as many in a row as there is room for.
    fn rows(blocks: Vec<Block<'p>>) -> Self {
        let (mut x, mut y, mut row_height, mut width) = (0, GAP, 0, 0);
        let mut rows = Vec::new();
        let mut placed: Vec<Placed<'p>> = Vec::with_capacity(blocks.len());
        for block in blocks {
            if x > 0 && x + block.width > MAX_ROW {
                y += row_height + 3 * GAP;
                (x, row_height) = (0, 0);
            }
            if x == 0 {
                rows.push((placed.len(), y, 0));
            }
            row_height = row_height.max(block.height);
            rows.last_mut().expect("a row was begun").2 = row_height;
            width = width.max(x + block.width);
            let next = x + block.width + GAP;
            placed.push(Placed { x, y, block });
            x = next;
        }
        Stack { blocks: placed, rows, column: width, width, height: y + row_height + GAP, lanes: Vec::new() }
    }

    /// Gives each jump a lane, in which no other runs at the same level. Shorter ones run further in.
    fn add_lanes(&mut self) {
        let mut lanes = Vec::new();
        let (mut signs, mut labels) = (0, 0);
        for (source, placed) in self.blocks.iter().enumerate() {
            for jump in &placed.block.item.jumps {
                let from = placed.y + placed.block.port(jump.from);
                match jump.to {
                    To::Item(target) => {
                        let from_handler = jump.from == From::Handler;
                        let Some(to) = self.blocks.get(target) else { continue };
                        let label = if matches!(jump.from, From::Case(_)) { String::new() } else { jump.label.clone() };
                        if !label.is_empty() {
                            labels = labels.max(width_of(&label) + 8);
                        }
                        lanes.push(Lane {
                            source,
                            target,
                            from,
                            to: to.y + to.block.entry(),
                            x: 0,
                            label,
                            from_handler,
                        });
                    }
                    To::Exit | To::End => signs = SIGN.0 + 10,
                }
            }
        }
        lanes.sort_by_key(|lane| (lane.from - lane.to).abs());
        let first = self.column + LANE + signs.max(labels);
        let mut taken: Vec<Vec<(i32, i32)>> = Vec::new();
        for lane in &mut lanes {
            let (upper, lower) = (lane.from.min(lane.to), lane.from.max(lane.to));
            let free = taken.iter().position(|others| others.iter().all(|(from, to)| lower < *from || *to < upper));
            let index = free.unwrap_or_else(|| {
                taken.push(Vec::new());
                taken.len() - 1
            });
            taken[index].push((upper, lower));
            lane.x = first + LANE * index as i32;
        }
        self.width = match taken.len() {
            0 if signs > 0 => self.column + signs + 8,
            0 => self.column,
            count => first + LANE * count as i32,
        };
        self.lanes = lanes;
    }
}

impl<'p> Block<'p> {
    fn measure(item: &'p Item) -> Self {
        let texts = [item.kind.as_str(), item.name.as_str()].into_iter().chain(item.notes.iter().map(String::as_str));
        let text = texts.map(width_of).max().unwrap_or(0);
        // The name is bold, and a little larger.
        let text = text.max(width_of(&item.name) * 13 / 12);
        let mut head = LINE * (2 + item.notes.len() as i32) + 12;
        let mut width = (text + 2 * PAD + 2 * inset(item.shape)).max(LEAST);
        if item.shape == Shape::Switch {
            // The points of the diamond.
            width = (text + head + PAD).max(LEAST);
            let rows = item.cases.iter().map(|case| width_of(case) + 2 * PAD).max().unwrap_or(0);
            width = width.max(rows);
        }
        if item.sections.is_empty() {
            let height = head + ROW * item.cases.len() as i32;
            return Block { item, width, height, head, parts: Vec::new() };
        }
        head += 2;
        let returns = item.sections.iter().any(|section| section.role == Role::Repeated || section.retry.is_some());
        let left = if returns { PAD + 20 } else { PAD };
        let mut y = head;
        let mut parts: Vec<Part<'p>> = Vec::new();
        for section in &item.sections {
            if section.role == Role::Handler {
                // The way of an error, and what is said of it.
                y += GAP + 10;
            }
            let follows = parts.last().is_some_and(|last| last.section.role == Role::Before);
            if follows || section.role == Role::After {
                y += GAP;
            }
            let part = Part::measure(section, left, y);
            y += part.height;
            width = width.max(part.x + part.width + PAD);
            parts.push(part);
        }
        for part in &mut parts {
            part.spread(width - left - PAD);
        }
        Block { item, width, height: y + PAD, head, parts }
    }

    /// The level at which a jump leaves, from the top.
    pub(super) fn port(&self, from: From) -> i32 {
        match from {
            From::Task => self.height - 12,
            From::Case(row) => self.head + ROW * row as i32 + ROW / 2,
            From::Handler => self.handler().map_or(self.height - 12, |part| part.y + 14),
        }
    }

    /// What handles the task's errors.
    pub(super) fn handler(&self) -> Option<&Part<'p>> {
        self.parts.iter().find(|part| part.section.role == Role::Handler)
    }

    /// The level at which a jump arrives.
    pub(super) fn entry(&self) -> i32 {
        if self.item.shape == Shape::Switch { self.head / 2 } else { 14 }
    }
}

impl<'p> Part<'p> {
    fn measure(section: &'p Section, x: i32, y: i32) -> Self {
        let stack = Stack::measure(&section.list, section.role == Role::Branches);
        let lines = section.notes.len() + usize::from(section.retry.is_some());
        let (head, pad) = match section.role {
            Role::Handler | Role::Before | Role::After => (LINE * lines as i32 + 14, PAD),
            _ => (0, 0),
        };
        let text = section.notes.iter().chain(&section.retry).map(|line| width_of(line)).max().unwrap_or(0);
        let width = (stack.width + 2 * pad).max(text + 2 * PAD);
        let below = if stack.blocks.is_empty() { 0 } else { pad };
        let height = head + stack.height + below;
        Part { section, stack, x, y, width, height, head }
    }

    /// Takes all the width that its task has.
    fn spread(&mut self, width: i32) {
        self.width = width.max(self.width);
    }
}
