//! The rows of a tree of tasks, and which of them are shown when not all fit.

use jiff::Timestamp;

use super::execution::Execution;
use super::look::{Look, Surroundings};
use super::task::TaskId;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) what: What,
    pub(super) depth: usize,
    /// What is given up first, and within that, which one first.
    rank: (Worth, usize),
}

/// What a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A task. So many tasks in it are not shown, as it is over.
    Task { id: TaskId, look: Look, folded: usize },
    /// One of the log lines of a task.
    Log { id: TaskId, at: usize },
    /// One of the failures in a loop.
    Failure { id: TaskId, at: usize },
    /// Instead of so many tasks.
    Gap { tasks: usize, quiet: bool },
}

/// How much a row is worth, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// A task in one that is over: the outer one says how many there are.
    Within,
    /// All but the last lines of a task.
    Older,
    /// A task that is over, or not reached.
    Quiet,
    /// The last log line of a task, the last failure in a loop.
    Latest,
    /// What runs or has failed.
    Loud,
}

/// Every row of the tree of an execution.
pub(super) fn rows(execution: &Execution, now: Timestamp) -> Vec<Row> {
    let mut rows = Vec::new();
    let outermost = Surroundings::outermost(execution.phase.is_over());
    // What is left to visit, the next one last; with the row into which it is folded.
    let mut left: Vec<(TaskId, Surroundings, Option<usize>)> =
        execution.roots.iter().rev().map(|root| (*root, outermost, None)).collect();
    while let Some((id, around, fold)) = left.pop() {
        let task = execution.task(id);
        let look = Look::of(task, around);
        let at = rows.len();
        let loud = !look.is_quiet();
        let rank = |worth| fold.map_or((worth, at), |fold| (Worth::Within, fold));
        let depth = task.depth;
        let mut row = |what, worth| rows.push(Row { what, depth, rank: rank(worth) });
        row(What::Task { id, look, folded: 0 }, if loud { Worth::Loud } else { Worth::Quiet });

        if matches!(look, Look::Running | Look::Failed) {
            for at in 0..task.logs.len() {
                let worth = if at + 1 == task.logs.len() { Worth::Latest } else { Worth::Older };
                row(What::Log { id, at }, worth);
            }
        }
        // Above the tasks of the loop, where they stand still while those come and go.
        let failures = task.repeat.as_ref().map_or(0, |repeat| repeat.caught.len());
        for at in 0..failures {
            let worth = if loud && at + 1 == failures { Worth::Latest } else { Worth::Older };
            row(What::Failure { id, at }, worth);
        }
        let into = fold.or((!loud).then_some(at));
        left.extend(task.children.iter().rev().map(|child| {
            let around = around.of_child(task, execution.task(*child), now);
            (*child, around, into)
        }));
    }
    rows
}

/// As many rows as fit into that height. What is worth least is left out first, the oldest of it first; a gap
/// says how many tasks it stands for.
pub(super) fn fit(rows: Vec<Row>, height: usize) -> Vec<Row> {
    if rows.len() <= height {
        return rows;
    }
    if height == 0 {
        return Vec::new();
    }
    let mut ranks: Vec<_> = rows.iter().map(|row| row.rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    // The more is left out, the fewer rows there are.
    let enough = ranks.partition_point(|rank| keep(&rows, *rank, |_| {}) > height);
    let mut kept = Vec::with_capacity(height);
    match ranks.get(enough) {
        Some(rank) => keep(&rows, *rank, |row| kept.push(row)),
        None => keep(&rows, (Worth::Loud, usize::MAX), |row| kept.push(row)),
    };
    kept
}

/// Keeps the rows from this rank on, and returns how many there are with the gaps.
fn keep(rows: &[Row], from: (Worth, usize), mut kept: impl FnMut(Row)) -> usize {
    let mut count = 0;
    // The last task that is kept, with its lines, as long as more may be folded into it.
    let mut last: Vec<Row> = Vec::new();
    // A gap that has not been closed yet: its depth, its tasks, whether all of them are quiet.
    let mut gap: Option<(usize, usize, bool)> = None;
    let mut put = |row| {
        count += 1;
        kept(row);
    };
    for row in rows {
        let is_task = matches!(row.what, What::Task { .. });
        if row.rank >= from {
            if is_task {
                last.drain(..).for_each(&mut put);
            }
            close(&mut gap).into_iter().for_each(&mut put);
            last.push(*row);
            continue;
        }
        let What::Task { look, .. } = row.what else { continue };
        match (&mut gap, last.first_mut()) {
            (Some((_, tasks, quiet)), _) => {
                *tasks += 1;
                *quiet &= look.is_quiet();
            }
            (None, Some(Row { what: What::Task { folded, .. }, .. })) if row.rank.0 == Worth::Within => *folded += 1,
            _ => {
                last.drain(..).for_each(&mut put);
                gap = Some((row.depth, 1, look.is_quiet()));
            }
        }
    }
    last.drain(..).for_each(&mut put);
    close(&mut gap).into_iter().for_each(&mut put);
    count
}

fn close(gap: &mut Option<(usize, usize, bool)>) -> Option<Row> {
    let (depth, tasks, quiet) = gap.take()?;
    Some(Row { what: What::Gap { tasks, quiet }, depth, rank: (Worth::Loud, 0) })
}
