//! Evaluators of one definition, kept warm between turns.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hotcell_expression::{Evaluation, Evaluator, ExpressionError, Needs, Violation};
use serde_json::Value;

/// How many warm evaluators a definition keeps. Each takes a few MiB; more are made while more turns need one at
/// the same time.
const KEPT: usize = 4;

/// How long an evaluation may keep a thread of the runtime without a word to the scheduler. Those that people write take
/// microseconds.
const QUICK: Duration = Duration::from_millis(25);

/// How many programs an evaluator remembers as quick.
const REMEMBERED: usize = 1_000;

/// Makes evaluators, and keeps those that are not in use. An evaluator keeps the filters that it has compiled, so
/// a pool serves one definition of one tenant.
#[derive(Clone)]
pub struct EvaluatorPool {
    make: Arc<dyn Fn() -> Box<dyn Evaluator> + Send + Sync>,
    idle: Arc<Mutex<Vec<Warm>>>,
    /// A program that had been quick took its time. From then on no program of the definition is trusted.
    deceived: Arc<AtomicBool>,
}

/// An evaluator, and the programs that it has run quickly.
struct Warm {
    evaluator: Box<dyn Evaluator>,
    quick: HashSet<Box<str>>,
}

impl EvaluatorPool {
    /// A pool of what `make` makes.
    pub fn new(make: impl Fn() -> Box<dyn Evaluator> + Send + Sync + 'static) -> Self {
        EvaluatorPool { make: Arc::new(make), idle: Arc::default(), deceived: Arc::default() }
    }

    /// Makes ready what the definition needs, which may take seconds. What fails here fails again, and is told, when it is
    /// first used.
    pub(crate) fn prepare(&self, needs: Needs) {
        if needs == Needs::default() {
            return;
        }
        let mut warm = self.take();
        if let Err(error) = warm.evaluator.prepare(needs) {
            tracing::warn!(%error, "the evaluator could not be made ready");
        }
        self.put_back(warm);
    }

    /// Does something with an evaluator that may take its time, on a thread that may be held up.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut dyn Evaluator) -> R) -> R {
        let mut warm = self.take();
        let result = work(warm.evaluator.as_mut());
        self.put_back(warm);
        result
    }

    fn take(&self) -> Warm {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Warm { evaluator: (self.make)(), quick: HashSet::new() })
    }

    fn put_back(&self, warm: Warm) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(warm);
        }
    }

    /// An evaluator for one turn. None is taken out of the pool until something is evaluated.
    pub(crate) fn for_turn(&self) -> PooledEvaluator<'_> {
        PooledEvaluator { pool: self, warm: None }
    }
}

impl fmt::Debug for EvaluatorPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvaluatorPool").finish_non_exhaustive()
    }
}

/// An evaluator that goes back to its pool when the turn is over.
///
/// An evaluation may take up to its time limit. It runs where the turn runs, but tells the scheduler so, which
/// lets other executions go on elsewhere. That takes two switches of threads, more than most programs take; a program that
/// was quick before is therefore trusted to be so again, until the first one that is not: a definition can hold
/// up a thread in that way once.
pub(crate) struct PooledEvaluator<'p> {
    pool: &'p EvaluatorPool,
    warm: Option<Warm>,
}

impl PooledEvaluator<'_> {
    /// Runs a program, or a schema.
    fn run<T>(&mut self, program: &str, work: impl FnOnce(&mut dyn Evaluator) -> T) -> T {
        let pool = self.pool;
        let Warm { evaluator, quick } = self.warm.get_or_insert_with(|| pool.take());
        let trusted = quick.contains(program) && !pool.deceived.load(Ordering::Relaxed);
        let began = Instant::now();
        let result =
            if trusted { work(evaluator.as_mut()) } else { tokio::task::block_in_place(|| work(evaluator.as_mut())) };
        let was_quick = began.elapsed() < QUICK;
        if trusted && !was_quick {
            pool.deceived.store(true, Ordering::Relaxed);
        } else if !trusted && was_quick && quick.len() < REMEMBERED {
            quick.insert(program.into());
        }
        result
    }
}

impl Evaluator for PooledEvaluator<'_> {
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        self.run(evaluation.program, |evaluator| evaluator.evaluate(evaluation))
    }

    fn check(&mut self, program: &str, variables: &[&str]) -> Result<(), ExpressionError> {
        self.run(program, |evaluator| evaluator.check(program, variables))
    }

    fn validate(&mut self, schema: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError> {
        self.run(schema, |evaluator| evaluator.validate(schema, data))
    }
}

impl Drop for PooledEvaluator<'_> {
    fn drop(&mut self) {
        if let Some(warm) = self.warm.take() {
            self.pool.put_back(warm);
        }
    }
}
