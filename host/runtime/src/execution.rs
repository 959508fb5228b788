//! An execution, from outside.

use std::sync::Arc;

use hotcell_expression::Data;
use hotcell_machine::{ExecutionId, Input, InputKind, Outcome};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::workflow::Workflow;

/// What an execution starts with.
#[derive(Debug, Clone)]
pub struct StartExecution {
    /// What is executed.
    pub workflow: Arc<Workflow>,
    /// Its id, unique among all executions whose events go to the same place.
    pub id: ExecutionId,
    /// Its input.
    pub input: Data,
    /// The secrets that the operator grants, by name. A workflow gets those of them that its definition declares.
    pub secrets: Arc<Map<String, Value>>,
}

/// An execution that runs. Dropping it does not end it.
pub struct Execution {
    pub(crate) id: ExecutionId,
    pub(crate) inputs: mpsc::UnboundedSender<Input>,
    pub(crate) driver: JoinHandle<End>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It ran.
    Ran(Outcome),
    /// It was refused before its first task, because a component of it cannot be called.
    Refused(hotcell_definition::Problem),
}

impl Execution {
    /// Its id.
    pub fn id(&self) -> &ExecutionId {
        &self.id
    }

    /// Asks the execution to end: what runs is interrupted, and the events say so.
    pub fn cancel(&self, reason: Option<String>) {
        self.tell(InputKind::Cancel { reason });
    }

    /// Asks the execution to pause: what runs goes on, nothing new starts.
    pub fn suspend(&self) {
        self.tell(InputKind::Suspend);
    }

    /// Lets a paused execution go on.
    pub fn resume(&self) {
        self.tell(InputKind::Resume);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If the driver panicked: a bug in hotcell.
    pub async fn end(&mut self) -> End {
        (&mut self.driver).await.expect("the driver does not panic")
    }

    /// An execution that has ended does not listen any more.
    fn tell(&self, kind: InputKind) {
        let _ = self.inputs.send(Input { time: self.clock.now(), kind });
    }
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution").field("id", &self.id).finish_non_exhaustive()
    }
}
