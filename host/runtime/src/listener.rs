//! Listening outside of an execution: for what starts workflows.

use std::sync::Arc;

use hotcell_definition::{ErrorKind, EvaluationMode, EventStrategy, Problem, ReadAs};
use hotcell_expression::{Data, Mode, NoBindings};
use hotcell_machine::{EventMatcher, Heard, Interest, Position};

use crate::broker::{Broker, EventsLost};
use crate::clock::Clock;
use crate::runtime::Runtime;
use crate::workflow::Workflow;

/// Listens for events as the `on` of a schedule says, again and again.
pub struct EventListener {
    broker: Broker,
    clock: Arc<dyn Clock>,
    workflow: Arc<Workflow>,
    matcher: EventMatcher,
    interest: Interest,
    after: Position,
}

impl Runtime {
    /// Listens for events from a position on: from [`Position`] 0 for everything that the broker holds, from
    /// [`Broker::position`] for what comes from now on. Expressions in the filters are evaluated with the evaluators
    /// of the workflow, without variables: there is no execution yet whose context or input they could use.
    ///
    /// # Errors
    /// What in the strategy cannot be matched, for its author.
    pub fn listen(
        &self,
        workflow: &Arc<Workflow>,
        strategy: &EventStrategy,
        read: ReadAs,
        after: Position,
    ) -> Result<EventListener, String> {
        let mode = match workflow.definition().evaluate.mode {
            EvaluationMode::Strict => Mode::Strict,
            EvaluationMode::Loose => Mode::Loose,
        };
        let matcher = EventMatcher::new(strategy, read, mode)?;
        Ok(EventListener {
            broker: self.shared.broker.clone(),
            clock: Arc::clone(&self.shared.clock),
            workflow: Arc::clone(workflow),
            interest: matcher.interest(),
            matcher,
            after,
        })
    }
}

impl EventListener {
    /// The array of the events that fulfil the strategy the next time, as they are read. Each event counts once. May be
    /// dropped while it waits, and called again. Needs a runtime of several threads, as it may evaluate expressions.
    ///
    /// # Errors
    /// If an expression in a filter is wrong in itself, the events are larger together than data may be, or events were
    /// published faster than this was called. The next call goes on with those that follow.
    pub async fn next(&mut self) -> Result<Data, Problem> {
        loop {
            let published = match self.broker.next(self.after, &self.interest).await {
                Ok(published) => published,
                Err(lost @ EventsLost) => {
                    self.after = self.broker.before_oldest();
                    return Err(Problem::new(ErrorKind::Runtime, "Events lost", lost.to_string()));
                }
            };
            self.after = published.position;
            let mut evaluator = self.workflow.evaluators.for_turn();
            let heard = self.matcher.offer(&published.event, &NoBindings, self.clock.now(), &mut evaluator)?;
            if let Heard::Complete(events) = heard {
                return Ok(events);
            }
        }
    }

    /// The position of the last event that was looked at.
    pub fn position(&self) -> Position {
        self.after
    }
}

impl std::fmt::Debug for EventListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventListener")
            .field("interest", &self.interest)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}
