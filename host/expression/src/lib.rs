//! Runtime expressions of the Open Workflow DSL.
//!
//! Most of what people write is total and linear: plain paths (`.a.b[0]`, `$context.x`), literals, and strings
//! with such paths in them. Those are evaluated here, on the host. Everything else is jq, a program that may
//! loop and grow without bound; it goes to an [`Evaluator`], which runs it in a cell. Where the data is checked
//! against a schema, which may take exponential time, the evaluator does that too.
//!
//! Whatever flows through a workflow is [`Data`]: JSON whose size and depth are known and bounded.
//!
//! The crate does no I/O and knows no clock.

mod data;
mod evaluator;
mod expression;
mod path;
mod template;

pub use data::Data;
pub use evaluator::{Evaluation, Evaluator, ExpressionError, Needs, Violation};
pub use expression::{Bindings, Expression, Scope};
pub use template::{Mode, NoBindings, Part, Template};
