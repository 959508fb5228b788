//! `try`: attempts, which errors are caught, retries and their delays, and what handles an error in the end.

use std::sync::Arc;

use hotcell_definition::{Backoff, ErrorFilter, ErrorKind, Problem, canonical_error_type};
use hotcell_expression::{Data, Expression};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::bindings::Place;
use crate::machine::Run;
use crate::problem::expression_problem;
use crate::program::{Attempt, DurationPlan, Kind, RetryPlan};
use crate::state::{Doing, Purpose, Stage, Step, Trying};
use crate::{EventKind, calendar};

/// What follows from an error that an attempt ended with.
enum Decision {
    /// It is not caught.
    Propagate,
    /// The next attempt, after a delay.
    Retry(SignedDuration),
    /// `catch.do`, or whatever stands for it.
    Handle { exhausted: bool },
}

impl<'a> Run<'a> {
    pub(crate) fn begin_try(&mut self, id: u64) -> Result<(), Problem> {
        let input = self.frame(id).input.clone();
        let give_up_at = match self.attempt_of(id).and_then(|attempt| attempt.retry.as_ref()?.duration.as_ref()) {
            Some(limit) => {
                let span = self.duration(id, Place::TaskDefinition, "retry.limit.duration", limit, &input)?;
                Some(calendar::after(self.now, &span))
            }
            None => None,
        };
        let trying = Trying { stage: Stage::Attempting, attempt: 1, give_up_at, attempt_timer: None };
        self.frame_mut(id).doing = Doing::Try(trying);
        self.begin_attempt(id);
        Ok(())
    }

    /// Begins an attempt, the first or a later one.
    pub(crate) fn begin_attempt(&mut self, id: u64) {
        let input = self.frame(id).input.clone();
        let limit = self.attempt_of(id).and_then(|attempt| attempt.retry.as_ref()?.attempt_duration.as_ref());
        let limit = match limit {
            Some(limit) => {
                match self.duration(id, Place::TaskDefinition, "retry.limit.attempt.duration", limit, &input) {
                    Ok(span) => Some(calendar::after(self.now, &span)),
                    Err(problem) => return self.fail(id, problem),
                }
            }
            None => None,
        };
        let give_up_at = self.trying(id).give_up_at;
        // The limit of an attempt, or of all together, whichever comes first.
        let ends_at = limit.into_iter().chain(give_up_at).min();
        let attempt_timer = ends_at.map(|at| self.set_timer(id, Purpose::AttemptTimeout, at));
        let trying = self.trying_mut(id);
        trying.stage = Stage::Attempting;
        trying.attempt_timer = attempt_timer;
        self.frame_mut(id).variables.clear();
        self.next(id, None, input);
    }

    /// The time of an attempt is up: it ends as any other failed one does.
    pub(crate) fn attempt_timed_out(&mut self, id: u64) {
        let Doing::Try(trying) = &mut self.frame_mut(id).doing else { return };
        if trying.stage != Stage::Attempting {
            return;
        }
        trying.attempt_timer = None;
        // The timeout of the task itself goes on.
        self.interrupt_below(id);
        let mut problem = Problem::new(
            ErrorKind::Timeout,
            "Timeout",
            "the attempt did not end within the limit of its retry policy and was interrupted",
        );
        problem.instance = self.reference(id).map(|reference| reference.to_string());
        self.attempt_failed(id, problem);
    }

    /// The tasks of `try` or of `catch` are over.
    pub(crate) fn try_ended(&mut self, id: u64, output: Data) {
        self.end_attempt_timer(id);
        let handled = self.trying(id).stage == Stage::Handling;
        let flow = if handled { self.attempt_of(id).and_then(|attempt| attempt.then) } else { None };
        self.frame_mut(id).variables.clear();
        self.state.agenda.push_back(Step::Complete { frame: id, output, flow });
    }

    /// An attempt has ended with an error.
    pub(crate) fn attempt_failed(&mut self, id: u64, problem: Problem) {
        self.end_attempt_timer(id);
        let Some(attempt) = self.attempt_of(id) else { return };
        let error = match Data::new(problem.to_value()) {
            Ok(error) => error,
            Err(error) => return self.fail(id, expression_problem("catch", None, error)),
        };
        self.frame_mut(id).variables = vec![(Arc::clone(&attempt.variable), error.clone())];
        match self.decide(id, attempt, &problem, &error) {
            Ok(Decision::Propagate) => self.state.agenda.push_back(Step::Fail { frame: id, problem }),
            Ok(Decision::Retry(delay)) => self.retry(id, problem, delay),
            Ok(Decision::Handle { exhausted }) => self.handle(id, attempt, problem, exhausted),
            Err(problem) => self.fail(id, problem),
        }
    }

    fn end_attempt_timer(&mut self, id: u64) {
        if let Some(timer) = self.trying_mut(id).attempt_timer.take() {
            self.clear_timer(timer);
        }
    }

    fn decide(&mut self, id: u64, attempt: &'a Attempt, problem: &Problem, error: &Data) -> Result<Decision, Problem> {
        if !matches_filter(&attempt.filter, problem)
            || !self.applies(id, ["catch.when", "catch.exceptWhen"], [&attempt.when, &attempt.except_when], error)?
        {
            return Ok(Decision::Propagate);
        }
        let Some(retry) = &attempt.retry else { return Ok(Decision::Handle { exhausted: false }) };
        if !self.applies(id, ["retry.when", "retry.exceptWhen"], [&retry.when, &retry.except_when], error)? {
            return Ok(Decision::Handle { exhausted: false });
        }
        let trying = self.trying(id);
        let (retried, give_up_at) = (u64::from(trying.attempt) - 1, trying.give_up_at);
        if retry.attempts.is_some_and(|limit| retried >= limit) {
            return Ok(Decision::Handle { exhausted: true });
        }
        // Whoever says when to come back is not asked earlier.
        let delay = self.delay(id, retry, retried + 1)?.max(asked_delay(problem));
        let next = self.now.checked_add(delay).unwrap_or(jiff::Timestamp::MAX);
        if give_up_at.is_some_and(|end| next >= end) {
            return Ok(Decision::Handle { exhausted: true });
        }
        Ok(Decision::Retry(delay))
    }

    /// `when` and `exceptWhen`. Chosen: `.` is the error, which the variable of `catch.as` holds too.
    fn applies(
        &mut self,
        id: u64,
        what: [&str; 2],
        conditions: [&Option<Expression>; 2],
        error: &Data,
    ) -> Result<bool, Problem> {
        let [when, except_when] = conditions;
        if let Some(when) = when
            && !self.holds(id, Place::TaskDefinition, what[0], when, error)?
        {
            return Ok(false);
        }
        if let Some(except_when) = except_when
            && self.holds(id, Place::TaskDefinition, what[1], except_when, error)?
        {
            return Ok(false);
        }
        Ok(true)
    }

    /// The delay before retry number `n`, from 1: constant d, linear d·n, exponential d·2^(n-1), plus jitter.
    fn delay(&mut self, id: u64, retry: &RetryPlan, n: u64) -> Result<SignedDuration, Problem> {
        let input = self.frame(id).input.clone();
        let base = self.length(id, "retry.delay", retry.delay.as_ref(), &input)?;
        let factor = match retry.backoff {
            Backoff::Constant => 1,
            Backoff::Linear => n,
            // Beyond 2^31 the delay is beyond any calendar anyway.
            Backoff::Exponential => 1 << (n - 1).min(31),
        };
        let delay = base.checked_mul(i32::try_from(factor).unwrap_or(i32::MAX)).unwrap_or(SignedDuration::MAX);
        let Some((from, to)) = &retry.jitter else { return Ok(delay) };
        let from = self.length(id, "retry.jitter.from", Some(from), &input)?;
        let to = self.length(id, "retry.jitter.to", Some(to), &input)?.max(from);
        let jitter = from + (to - from).mul_f64(self.fraction(id, n));
        Ok(delay.checked_add(jitter).unwrap_or(SignedDuration::MAX))
    }

    fn length(
        &mut self,
        id: u64,
        what: &str,
        duration: Option<&DurationPlan>,
        input: &Data,
    ) -> Result<SignedDuration, Problem> {
        let Some(duration) = duration else { return Ok(SignedDuration::ZERO) };
        let span = self.duration(id, Place::TaskDefinition, what, duration, input)?;
        Ok(calendar::length(self.now, &span))
    }

    /// A number in [0, 1) that is as good as random, and the same whenever the same inputs are applied.
    fn fraction(&self, id: u64, n: u64) -> f64 {
        let hash = Sha256::digest(format!("{}/{id}/{n}", self.state.execution));
        let bits = u64::from_be_bytes(hash[..8].try_into().expect("a sha256 has 32 bytes"));
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }

    fn retry(&mut self, id: u64, problem: Problem, delay: SignedDuration) {
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let next_attempt = self.trying(id).attempt + 1;
        if let Some(mut task) = self.event_task(id) {
            task.attempt = next_attempt;
            self.event(EventKind::TaskRetried { error: problem, delay: millis }, Some(task));
        }
        let at = self.now.checked_add(delay).unwrap_or(jiff::Timestamp::MAX);
        let timer = self.set_timer(id, Purpose::Retry, at);
        self.trying_mut(id).stage = Stage::Waiting { timer };
    }

    /// Chosen: without `catch.do` the task outputs its input; but if retries are exhausted and neither `do` nor
    /// `then` says what to do about it, the error stands.
    fn handle(&mut self, id: u64, attempt: &Attempt, problem: Problem, exhausted: bool) {
        if attempt.handler.is_none() && attempt.then.is_none() && exhausted {
            return self.state.agenda.push_back(Step::Fail { frame: id, problem });
        }
        let trying = self.trying_mut(id);
        trying.stage = Stage::Handling;
        let input = self.frame(id).input.clone();
        match &attempt.handler {
            Some(_) => self.next(id, None, input),
            None => self.try_ended(id, input),
        }
    }

    fn attempt_of(&self, id: u64) -> Option<&'a Attempt> {
        match self.frame(id).node.map(|node| &self.program.node(node).kind) {
            Some(Kind::Try(attempt)) => Some(attempt),
            _ => None,
        }
    }

    fn trying(&self, id: u64) -> &Trying {
        match &self.frame(id).doing {
            Doing::Try(trying) => trying,
            other => unreachable!("only a `try` gets here, not one that does {other:?}"),
        }
    }

    fn trying_mut(&mut self, id: u64) -> &mut Trying {
        match &mut self.frame_mut(id).doing {
            Doing::Try(trying) => trying,
            other => unreachable!("only a `try` gets here, not one that does {other:?}"),
        }
    }
}

/// What the member `retryAfter` of an error says, in seconds: a service that is busy said how long to wait.
fn asked_delay(problem: &Problem) -> SignedDuration {
    let seconds = problem.extensions.get("retryAfter").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO).max(SignedDuration::ZERO)
}

/// `errors.with`: what is given must be equal. A standard type matches under any of its names.
fn matches_filter(filter: &ErrorFilter, problem: &Problem) -> bool {
    let equal = |expected: &Option<String>, actual: &Option<String>| expected.is_none() || expected == actual;
    filter.kind.as_ref().is_none_or(|kind| canonical_error_type(kind) == canonical_error_type(&problem.kind))
        && filter.status.as_ref().is_none_or(|status| status.as_u64() == Some(u64::from(problem.status)))
        && equal(&filter.title, &problem.title)
        && equal(&filter.detail, &problem.detail)
        && equal(&filter.instance, &problem.instance)
        && filter.extensions.iter().all(|(name, expected)| problem.extensions.get(name) == Some(expected))
}
