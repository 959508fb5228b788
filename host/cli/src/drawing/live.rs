//! A tree that is drawn again and again.

use std::time::Duration;

use hotcell_machine::Event;
use jiff::Timestamp;

use super::detail::{Columns, line};
use super::execution::Execution;
use super::executions::Executions;
use super::figures::{between, counted};
use super::line::{Line, Tone};
use super::screen::Screen;
use super::summary;
use super::target::{Size, Target};
use super::tree;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(66);
/// The rows of a tree that is left on the screen at the end, if it has no place for more.
const LAST_ROWS: usize = 100;
/// How many lines wait for their place above the next frame. Later ones are left out.
const MOST_ABOVE: usize = 1_000;

/// A live drawing.
pub(super) struct Live {
    screen: Screen,
    executions: Executions,
    /// What goes above the next frame and stays there.
    above: Vec<Line>,
    drawn: Option<Timestamp>,
    last: Timestamp,
}

impl Live {
    pub(super) fn new(target: Target) -> Self {
        Live {
            screen: Screen::new(target),
            executions: Executions::default(),
            above: Vec::new(),
            drawn: None,
            last: Timestamp::MIN,
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        self.last = self.last.max(event.time);
        if let (_, _, Some(forgotten)) = self.executions.apply(event) {
            self.leave_above(&forgotten);
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp) {
        self.last = self.last.max(now);
        // A clock that was put back does not stop the drawing.
        if self.drawn.is_some_and(|drawn| drawn <= now && between(drawn, now) < FRAME) {
            return;
        }
        self.drawn = Some(now);
        for execution in self.executions.retire() {
            self.leave_above(&execution);
        }
        let frame = self.frame(now);
        self.screen.paint(&std::mem::take(&mut self.above), &frame);
    }

    /// Leaves the last state on the screen.
    pub(super) fn finish(mut self) {
        for execution in self.executions.retire() {
            self.leave_above(&execution);
        }
        let now = self.last;
        let size = self.screen.size();
        let mut frame = Vec::new();
        for execution in self.executions.iter() {
            let rows = LAST_ROWS.max(size.rows);
            frame.extend(whole(execution, rows, size, now));
            frame.extend(summary::problem(execution, size.columns));
        }
        self.screen.paint(&std::mem::take(&mut self.above), &frame);
    }

    fn leave_above(&mut self, execution: &Execution) {
        if self.above.len() < MOST_ABOVE {
            self.above.push(summary::compact(execution, self.last));
        }
    }

    /// What is to be seen now.
    fn frame(&self, now: Timestamp) -> Vec<Line> {
        let size = self.screen.size();
        // The cursor stands below the frame.
        let mut left = size.rows.saturating_sub(1).max(1);
        let mut frame = Vec::new();
        let all = self.executions.iter();
        let mut waiting = all.len();
        for execution in all {
            // One line says how many have no place.
            if left == 1 && waiting > 1 {
                let more = counted(waiting as u64, "more execution", "more executions");
                frame.push(Line::new().with(Tone::Faint, format!("⋮ {more}")));
                break;
            }
            let fair = left.saturating_sub(usize::from(waiting > left)) / waiting.min(left);
            let lines = whole(execution, fair.max(1), size, now);
            left = left.saturating_sub(lines.len());
            waiting -= 1;
            frame.extend(lines);
        }
        frame
    }
}

/// One execution in at most that many rows.
fn whole(execution: &Execution, rows: usize, size: Size, now: Timestamp) -> Vec<Line> {
    if rows < 3 {
        return vec![summary::compact(execution, now)];
    }
    let columns = Columns::of(execution, size);
    let shown = tree::fit(tree::rows(execution, now), rows - 2);
    let mut lines = vec![summary::heading(execution)];
    lines.extend(shown.iter().map(|row| line(execution, row, columns, now)));
    lines.push(summary::standing(execution, now));
    lines
}
