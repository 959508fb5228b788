//! Event consumption strategies: which events are consumed, and when that is enough.

use std::collections::BTreeSet;
use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::{Problem, ReadAs};
use hotcell_expression::{Bindings, Data, Evaluator, Expression, Mode, Scope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event_filter::{Expectations, FilterPlan, Offered, Surroundings};
use crate::problem::expression_problem;
use crate::{CloudEvent, Interest};

/// How many regular expressions the event filters of one workflow may have together: 256. Each takes up to 256 KiB.
pub(crate) const MAX_PATTERNS: usize = 256;

/// A strategy, made ready.
#[derive(Debug)]
pub(crate) enum StrategyPlan {
    One(FilterPlan),
    All(Vec<FilterPlan>),
    Any(Vec<FilterPlan>, UntilPlan),
}

/// When listening to any of several events ends.
#[derive(Debug)]
pub(crate) enum UntilPlan {
    /// With the first.
    First,
    /// Never: a condition that is constantly false. Nobody will ever see what was consumed.
    Never,
    Condition(Expression),
    Events(Box<StrategyPlan>),
}

/// How far a strategy is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Consumption {
    /// The filters of `all` that have had their event.
    fulfilled: BTreeSet<usize>,
    /// Those of the `all` in `until`.
    until_fulfilled: BTreeSet<usize>,
    expectations: Expectations,
}

impl Consumption {
    /// The resolved correlation keys, by their names.
    pub(crate) fn correlation_keys(&self) -> Option<Value> {
        self.expectations.keys()
    }
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does not match.
    Ignored,
    /// It belongs to what is listened for. `last` if nothing else does.
    Consumed { last: bool },
    /// It belongs to `until`. `last` if nothing else does.
    ConsumedByUntil { last: bool },
}

impl StrategyPlan {
    /// Makes a strategy ready. `patterns` is how many regular expressions there may still be.
    ///
    /// # Errors
    /// What in it cannot be matched, for its author.
    pub(crate) fn new(strategy: &dsl::EventStrategy, mode: Mode, patterns: &mut usize) -> Result<Self, String> {
        let mut filters = |filters: &[dsl::EventFilter]| -> Result<Vec<FilterPlan>, String> {
            filters.iter().map(|filter| FilterPlan::new(filter, mode, patterns)).collect()
        };
        Ok(match strategy {
            dsl::EventStrategy::One(filter) => StrategyPlan::One(FilterPlan::new(filter, mode, patterns)?),
            dsl::EventStrategy::All(all) => StrategyPlan::All(filters(all)?),
            dsl::EventStrategy::Any(any, until) => {
                let any = filters(any)?;
                let until = match until.as_deref() {
                    None => UntilPlan::First,
                    Some(dsl::Until::Condition(condition)) if ["false", "null"].contains(&condition.0.trim()) => {
                        UntilPlan::Never
                    }
                    Some(dsl::Until::Condition(condition)) => UntilPlan::Condition(Expression::parse(&condition.0)),
                    Some(dsl::Until::Events(events)) => {
                        UntilPlan::Events(Box::new(StrategyPlan::new(events, mode, patterns)?))
                    }
                };
                StrategyPlan::Any(any, until)
            }
        })
    }

    /// Which events can match at all.
    pub(crate) fn interest(&self) -> Interest {
        let mut types = BTreeSet::new();
        if self.literal_types(&mut types) {
            Interest::Types(types.into_iter().map(Arc::from).collect())
        } else {
            Interest::Everything
        }
    }

    /// Whether all filters name their types literally.
    fn literal_types<'p>(&'p self, types: &mut BTreeSet<&'p str>) -> bool {
        let mut all = |filters: &'p [FilterPlan]| {
            filters.iter().all(|filter| filter.literal_type().map(|kind| types.insert(kind)).is_some())
        };
        match self {
            StrategyPlan::One(filter) => all(std::slice::from_ref(filter)),
            StrategyPlan::All(filters) => all(filters),
            StrategyPlan::Any(filters, until) => {
                !filters.is_empty()
                    && all(filters)
                    && match until {
                        UntilPlan::Events(events) => events.literal_types(types),
                        _ => true,
                    }
            }
        }
    }

    /// The condition that ends it, evaluated on what has been consumed.
    pub(crate) fn until(&self) -> Option<&Expression> {
        match self {
            StrategyPlan::Any(_, UntilPlan::Condition(condition)) => Some(condition),
            _ => None,
        }
    }

    /// Whether it never ends.
    pub(crate) fn is_endless(&self) -> bool {
        matches!(self, StrategyPlan::Any(_, UntilPlan::Never))
    }

    /// Whether it waits for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, StrategyPlan::All(filters) if filters.is_empty())
    }

    /// How much of `all` has come, from 0 to 1.
    pub(crate) fn fraction(&self, consumption: &Consumption) -> Option<f64> {
        match self {
            StrategyPlan::All(filters) => Some(consumption.fulfilled.len() as f64 / filters.len() as f64),
            _ => None,
        }
    }

    /// Offers an event.
    ///
    /// # Errors
    /// If an expression in a filter is wrong in itself.
    pub(crate) fn offer(
        &self,
        event: &CloudEvent,
        consumption: &mut Consumption,
        with: &mut Surroundings<'_>,
    ) -> Result<Verdict, Problem> {
        let event = &Offered::new(event);
        let Consumption { fulfilled, until_fulfilled, expectations } = consumption;
        // What ends the listening ends it also if it could be listened for.
        if let StrategyPlan::Any(_, UntilPlan::Events(events)) = self
            && let Some(last) = events.consume(event, until_fulfilled, expectations, with)?
        {
            return Ok(Verdict::ConsumedByUntil { last });
        }
        let consumed = self.consume(event, fulfilled, expectations, with)?;
        Ok(consumed.map_or(Verdict::Ignored, |last| Verdict::Consumed { last }))
    }

    /// Whether the event is consumed and, if so, whether it is the last one.
    fn consume(
        &self,
        event: &Offered<'_>,
        fulfilled: &mut BTreeSet<usize>,
        expectations: &mut Expectations,
        with: &mut Surroundings<'_>,
    ) -> Result<Option<bool>, Problem> {
        match self {
            StrategyPlan::One(filter) => Ok(filter.matches(event, expectations, with)?.then_some(true)),
            StrategyPlan::All(filters) => {
                for (index, filter) in filters.iter().enumerate() {
                    if !fulfilled.contains(&index) && filter.matches(event, expectations, with)? {
                        fulfilled.insert(index);
                        return Ok(Some(fulfilled.len() == filters.len()));
                    }
                }
                Ok(None)
            }
            StrategyPlan::Any(filters, until) => {
                let mut matches = filters.is_empty();
                for filter in filters {
                    matches = matches || filter.matches(event, expectations, with)?;
                }
                Ok(matches.then_some(matches!(until, UntilPlan::First)))
            }
        }
    }
}

/// A strategy outside of an execution: what starts workflows, or whatever else listens.
///
/// It is offered events, one after the other, and says when they are enough.
#[derive(Debug)]
pub struct EventMatcher {
    plan: StrategyPlan,
    read: ReadAs,
    consumption: Consumption,
    consumed: Vec<Data>,
    bytes: u64,
}

/// What a matcher makes of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// It does not match.
    Ignored,
    /// It matches, and more is to come.
    Consumed,
    /// It was the last one. The array of all that were consumed, as they are read; those of `until` are not in it. The
    /// matcher begins anew.
    Complete(Data),
}

impl EventMatcher {
    /// A matcher for a strategy.
    ///
    /// # Errors
    /// What in the strategy cannot be matched, for its author.
    pub fn new(strategy: &dsl::EventStrategy, read: ReadAs, mode: Mode) -> Result<Self, String> {
        let plan = StrategyPlan::new(strategy, mode, &mut { MAX_PATTERNS })?;
        Ok(EventMatcher { plan, read, consumption: Consumption::default(), consumed: Vec::new(), bytes: 0 })
    }

    /// Which events can match at all.
    pub fn interest(&self) -> Interest {
        self.plan.interest()
    }

    /// Offers an event. Expressions are evaluated with these bindings.
    ///
    /// # Errors
    /// If an expression is wrong in itself, or the events are larger together than data may be; the matcher then begins
    /// anew.
    pub fn offer(
        &mut self,
        event: &CloudEvent,
        bindings: &dyn Bindings,
        now: Timestamp,
        evaluator: &mut dyn Evaluator,
    ) -> Result<Heard, Problem> {
        let heard = self.try_offer(event, bindings, now, evaluator);
        if matches!(heard, Err(_) | Ok(Heard::Complete(_))) {
            self.consumption = Consumption::default();
            self.consumed.clear();
            self.bytes = 0;
        }
        heard
    }

    fn try_offer(
        &mut self,
        event: &CloudEvent,
        bindings: &dyn Bindings,
        now: Timestamp,
        evaluator: &mut dyn Evaluator,
    ) -> Result<Heard, Problem> {
        let none = Data::null();
        let mut with = Surroundings { input: &none, bindings, now, evaluator };
        let failed = |what: &str, error| expression_problem(what, None, error);
        let mut last = match self.plan.offer(event, &mut self.consumption, &mut with)? {
            Verdict::Ignored => return Ok(Heard::Ignored),
            Verdict::ConsumedByUntil { last } => last,
            Verdict::Consumed { last } => {
                if !self.plan.is_endless() {
                    let item = event.read(self.read).map_err(|error| failed("on", error))?;
                    self.bytes += item.bytes();
                    self.consumed.push(item);
                }
                last
            }
        };
        if self.bytes > Data::MAX_BYTES {
            Data::array(&self.consumed).map_err(|error| failed("on", error))?;
        }
        if let Some(condition) = self.plan.until() {
            let consumed = Data::array(&self.consumed).map_err(|error| failed("on", error))?;
            let scope = Scope { input: &consumed, bindings, now };
            let result = condition.evaluate(&scope, with.evaluator);
            let result = result.map_err(|error| expression_problem("until", Some(condition.source()), error))?;
            last = !matches!(result.value(), serde_json::Value::Null | serde_json::Value::Bool(false));
        }
        if last {
            Ok(Heard::Complete(Data::array(&self.consumed).map_err(|error| failed("on", error))?))
        } else {
            Ok(Heard::Consumed)
        }
    }
}
