//! Where a drawing goes.

use std::io::Write;

use console::Term;

/// Where a drawing goes, and what it may do there.
pub(crate) struct Target {
    pub(super) writer: Box<dyn Write + Send>,
    pub(super) size: Box<dyn Fn() -> Size + Send>,
    pub(super) colours: bool,
}

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Target {
    /// Standard error. In colours if it is a terminal that has them and neither `NO_COLOR` nor `CLICOLOR=0` is set, or if
    /// `CLICOLOR_FORCE` is.
    pub(crate) fn stderr() -> Self {
        let terminal = Term::stderr();
        let size = move || {
            // Some terminals, serial ones for example, do not tell, or say 0.
            let (rows, columns) = terminal.size_checked().unwrap_or_default();
            Size {
                rows: if rows == 0 { 24 } else { rows.into() },
                columns: if columns == 0 { 80 } else { columns.into() },
            }
        };
        Target { writer: Box::new(std::io::stderr()), size: Box::new(size), colours: console::colors_enabled_stderr() }
    }
}
