//! Lifecycle events: what the specification tells the world about workflows and tasks, as CloudEvents.
//!
//! [`Lifecycle`] maps progress events to them, without I/O: the same progress events always become the same lifecycle
//! events with the same ids, so that one that is sent again can be recognized.
//!
//! | progress event | lifecycle event, `io.serverlessworkflow.….v1` |
//! | --- | --- |
//! | `workflow_started`, `_suspended`, `_resumed`, `_completed`, `_cancelled` | `workflow.` and the same word |
//! | `workflow_failed` | `workflow.faulted` |
//! | `workflow_suspended`, `workflow_resumed` | besides, `task.suspended`, `task.resumed` for every task that has not ended |
//! | `task_created`, `_started`, `_retried`, `_completed`, `_cancelled` | `task.` and the same word |
//! | `task_failed` | `task.faulted` |
//! | `task_skipped` | `task.completed`: its output is its input, and it never started |
//! | `task_started`, `task_completed` of a `listen` | besides, `workflow.correlation-started`, `workflow.correlation-completed`, the latter with the correlation keys that `task_progress` told |
//! | `workflow_parsing`, `_parsed`, `_building`, `_executing`, `task_progress`, `task_log`, `state_updated` | none |
//!
//! On request each change of a status phase is followed by `workflow.status-changed` or `task.status-changed`.

mod event;
mod mapping;

pub use event::LifecycleEvent;
pub use mapping::{Definitions, Lifecycle};
