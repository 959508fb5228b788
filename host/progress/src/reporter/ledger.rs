//! What was sent, what is acknowledged, and what is refused.

use std::collections::{BTreeMap, HashMap, VecDeque};

use hotcell_machine::{Event, ExecutionId};

use super::Unreported;

/// The accounts of a reporter. Positions are those of its source.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Everything before this position is acknowledged or given up.
    settled: u64,
    /// What was sent or given up from `settled` on, in the order of positions.
    sent: VecDeque<Sent>,
    executions: HashMap<ExecutionId, Numbers>,
    refused: BTreeMap<ExecutionId, Refused>,
}

#[derive(Debug)]
struct Sent {
    execution: ExecutionId,
    sequence: u64,
    is_last: bool,
}

/// Of an execution that has not ended.
#[derive(Debug, Default)]
struct Numbers {
    /// The highest number that was ever sent.
    sent: u64,
    /// The highest number that was acknowledged.
    acknowledged: u64,
}

#[derive(Debug)]
struct Refused {
    unreported: Unreported,
    reason: String,
}

impl Ledger {
    /// The accounts at the beginning of a source.
    pub(super) fn new(start: u64) -> Self {
        Ledger { settled: start, sent: VecDeque::new(), executions: HashMap::new(), refused: BTreeMap::new() }
    }

    /// The position before which everything is acknowledged or given up.
    pub(super) fn settled(&self) -> u64 {
        self.settled
    }

    /// The position of the event to send next.
    pub(super) fn next(&self) -> u64 {
        self.settled + self.sent.len() as u64
    }

    /// How many events were sent and are not settled.
    pub(super) fn unsettled(&self) -> usize {
        self.sent.len()
    }

    /// Enters the event at the next position. `false` if it need not be sent: it is acknowledged, or its execution refused.
    pub(super) fn enter(&mut self, event: &Event) -> bool {
        let Event { execution, sequence, .. } = event;
        self.sent.push_back(Sent { execution: execution.clone(), sequence: *sequence, is_last: event.kind.is_last() });
        if self.refused.contains_key(execution) {
            return false;
        }
        let numbers = self.executions.entry(execution.clone()).or_default();
        numbers.sent = numbers.sent.max(*sequence);
        *sequence > numbers.acknowledged
    }

    /// Notes an acknowledgement. What was never sent cannot be acknowledged; a sink that says so is not believed. Returns
    /// whether that settled anything.
    pub(super) fn acknowledge(&mut self, execution: &ExecutionId, sequence: u64) -> bool {
        let Some(numbers) = self.executions.get_mut(execution) else { return false };
        numbers.acknowledged = numbers.acknowledged.max(sequence.min(numbers.sent));
        self.settle()
    }

    /// Gives up an execution of which the sink refused an event. `false` if the event was not sent, or was refused before.
    pub(super) fn refuse(&mut self, execution: &ExecutionId, sequence: u64, reason: String) -> bool {
        let was_sent = self.sent.iter().any(|sent| sent.execution == *execution && sent.sequence == sequence);
        if !was_sent || self.refused.contains_key(execution) {
            return false;
        }
        let acknowledged = self.executions.get(execution).map_or(0, |numbers| numbers.acknowledged);
        let unreported = Unreported { first: acknowledged + 1, events: 0 };
        self.refused.insert(execution.clone(), Refused { unreported, reason });
        self.settle();
        true
    }

    /// Forgets what was sent and is not settled, so that it is sent again.
    pub(super) fn rewind(&mut self) {
        self.sent.clear();
    }

    /// Moves `settled` on. Returns whether it moved.
    fn settle(&mut self) -> bool {
        let before = self.settled;
        while let Some(oldest) = self.sent.front() {
            let acknowledged = self.executions.get(&oldest.execution).map_or(0, |numbers| numbers.acknowledged);
            if oldest.sequence > acknowledged {
                match self.refused.get_mut(&oldest.execution) {
                    Some(refused) => refused.unreported.events += 1,
                    None => break,
                }
            }
            if oldest.is_last {
                self.executions.remove(&oldest.execution);
            }
            self.sent.pop_front();
            self.settled += 1;
        }
        self.settled > before
    }

    /// Settles what was entered and needs no acknowledgement. Returns whether that was anything.
    pub(super) fn settle_entered(&mut self) -> bool {
        self.settle()
    }

    /// What is unreported: of refused executions, and of these events, which begin at `settled`.
    pub(super) fn unreported<'a>(&self, events: impl Iterator<Item = &'a Event>) -> BTreeMap<ExecutionId, Unreported> {
        let mut unreported: BTreeMap<_, _> = self
            .refused
            .iter()
            .filter(|(_, refused)| refused.unreported.events > 0)
            .map(|(execution, refused)| (execution.clone(), refused.unreported.clone()))
            .collect();
        for event in events {
            let acknowledged = self.executions.get(&event.execution).map_or(0, |numbers| numbers.acknowledged);
            if event.sequence > acknowledged {
                unreported
                    .entry(event.execution.clone())
                    .or_insert(Unreported { first: event.sequence, events: 0 })
                    .events += 1;
            }
        }
        unreported
    }

    /// Why the sink refused the first of the refused executions.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.refused.values().next().map(|refused| refused.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use hotcell_machine::EventKind;

    use super::*;

    fn event(execution: &str, sequence: u64) -> Event {
        Event {
            sequence,
            kind: EventKind::WorkflowParsing,
            time: "2025-01-01T00:00:00Z".parse().expect("a valid timestamp"),
            execution: ExecutionId::new(execution),
            task: None,
        }
    }

    fn entered(events: &[(&str, u64)]) -> Ledger {
        let mut ledger = Ledger::new(0);
        for (execution, sequence) in events {
            assert!(ledger.enter(&event(execution, *sequence)));
        }
        ledger
    }

    #[test]
    fn an_acknowledgement_settles_up_to_the_first_event_that_is_not_acknowledged() {
        let mut ledger = entered(&[("a", 1), ("b", 1), ("a", 2), ("b", 2)]);

        assert!(ledger.acknowledge(&ExecutionId::new("a"), 2));
        assert_eq!(ledger.settled(), 1);
        assert!(ledger.acknowledge(&ExecutionId::new("b"), 1));

        assert_eq!((ledger.settled(), ledger.unsettled(), ledger.next()), (3, 1, 4));
    }

    #[test]
    fn what_is_acknowledged_behind_something_unsettled_is_not_sent_again() {
        let mut ledger = entered(&[("a", 1), ("b", 1)]);
        ledger.acknowledge(&ExecutionId::new("b"), 1);

        ledger.rewind();

        assert_eq!(ledger.next(), 0);
        assert!(ledger.enter(&event("a", 1)));
        assert!(!ledger.enter(&event("b", 1)));
    }

    #[test]
    fn a_sink_that_acknowledges_what_was_never_sent_is_not_believed() {
        let mut ledger = entered(&[("a", 1)]);

        assert!(!ledger.acknowledge(&ExecutionId::new("x"), 1));
        ledger.acknowledge(&ExecutionId::new("a"), u64::MAX);

        assert!(ledger.enter(&event("a", 2)));
    }

    #[test]
    fn a_refused_execution_is_given_up_and_does_not_hold_up_others() {
        let mut ledger = entered(&[("a", 1), ("a", 2), ("b", 1)]);
        ledger.acknowledge(&ExecutionId::new("a"), 1);

        assert!(ledger.refuse(&ExecutionId::new("a"), 2, "why".to_owned()));
        assert!(!ledger.enter(&event("a", 3)));
        ledger.acknowledge(&ExecutionId::new("b"), 1);

        assert_eq!(ledger.unsettled(), 0);
        let unreported = ledger.unreported(std::iter::empty());
        assert_eq!(unreported[&ExecutionId::new("a")], Unreported { first: 2, events: 2 });
    }

    #[test]
    fn a_refusal_of_what_was_not_sent_is_not_believed() {
        let mut ledger = entered(&[("a", 1)]);

        assert!(!ledger.refuse(&ExecutionId::new("b"), 1, "why".to_owned()));
        assert!(!ledger.refuse(&ExecutionId::new("a"), 2, "why".to_owned()));
    }
}
