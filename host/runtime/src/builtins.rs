//! The components that hotcell brings along.

use std::sync::Arc;

use hotcell_definition::{ErrorKind, Problem};
use hotcell_machine::Builtin;
use hotcell_sandbox::{Cells, Digest, HTTP_CALLER};
use tokio::sync::OnceCell;

/// Prepares each when it is first needed.
#[derive(Default)]
pub(crate) struct Builtins {
    http: OnceCell<Digest>,
}

impl Builtins {
    pub(crate) async fn prepare(&self, builtin: Builtin, cells: &dyn Cells) -> Result<Digest, Problem> {
        let (prepared, bytes) = match builtin {
            Builtin::Http => (&self.http, HTTP_CALLER),
        };
        let prepare = || cells.prepare(Arc::from(bytes));
        prepared.get_or_try_init(prepare).await.copied().map_err(|error| {
            Problem::new(ErrorKind::Runtime, "Built-in component not available", format!("{builtin:?}: {error}"))
        })
    }
}
