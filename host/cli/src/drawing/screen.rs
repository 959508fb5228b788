//! Painting frames over each other at the end of a terminal's output.

use std::io::{self, Write};

use super::line::Line;
use super::target::{Size, Target};

/// Between these two, a terminal shows nothing of what it gets, and then all at once; those that do not know that
/// ignore it, so the cursor is hidden as well. And no line goes on in the next row, should the terminal find it
/// wider than we do. Each frame undoes all that: a program can be killed at any time, and its terminal is then as it was.
const BEGIN: &str = "\x1b[?2026h\x1b[?25l\x1b[?7l";
const END: &str = "\x1b[?7h\x1b[?25h\x1b[?2026l";
const CLEAR_LINE_END: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// What is on the terminal below everything else that was written there.
pub(super) struct Screen {
    target: Target,
    /// The lines of the last frame, without their ends.
    shown: Vec<String>,
    widths: Vec<usize>,
    /// Nobody sees it any more.
    broken: bool,
}

impl Screen {
    pub(super) fn new(target: Target) -> Self {
        Screen { target, shown: Vec::new(), widths: Vec::new(), broken: false }
    }

    pub(super) fn size(&self) -> Size {
        (self.target.size)()
    }

    /// Shows these lines in place of the last frame, below lines that stay where they are.
    pub(super) fn paint(&mut self, above: &[Line], frame: &[Line]) {
        let size = self.size();
        // The last column stays free: what fills it makes some terminals begin a new line.
        let room = size.columns.saturating_sub(1);
        let write = |line: &Line| line.write(room, self.target.colours);
        let above: Vec<String> = above.iter().map(write).collect();
        let lines: Vec<String> = frame.iter().map(write).collect();
        if above.is_empty() && lines == self.shown {
            return;
        }
        let mut output = String::from(BEGIN);
        let up = self.rows_taken(size);
        if up > 0 {
            output.push_str(&format!("\r\x1b[{up}A"));
        }
        for line in above.iter().chain(&lines) {
            output.push_str(line);
            output.push_str(CLEAR_LINE_END);
            output.push_str("\r\n");
        }
        output.push_str(CLEAR_BELOW);
        output.push_str(END);
        self.shown = lines;
        self.widths = frame.iter().map(|line| line.width().min(room)).collect();
        self.send(&output);
    }

    /// The rows of the last frame. Most terminals break lines anew when they become narrower.
    fn rows_taken(&self, size: Size) -> usize {
        let rows: usize = self.widths.iter().map(|width| width.div_ceil(size.columns.max(1)).max(1)).sum();
        rows.min(size.rows.saturating_sub(1))
    }

    /// One write for each frame. Whoever does not read any more does not stop the workflow.
    fn send(&mut self, output: &str) {
        if self.broken {
            return;
        }
        let writer = &mut self.target.writer;
        let sent: io::Result<()> = writer.write_all(output.as_bytes()).and_then(|()| writer.flush());
        self.broken = sent.is_err();
    }
}
