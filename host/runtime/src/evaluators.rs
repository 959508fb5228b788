//! Evaluators of one definition, kept warm between turns.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hotcell_expression::{Evaluation, Evaluator, ExpressionError, Needs, Violation};
use serde_json::Value;

/// How many warm evaluators a definition keeps. Each takes a few MiB; more are made while more turns need one at
/// the same time.
const KEPT: usize = 4;

/// Makes evaluators, and keeps those that are not in use. An evaluator keeps the filters that it has compiled, so
/// a pool serves one definition of one tenant.
#[derive(Clone)]
pub struct EvaluatorPool {
    make: Arc<dyn Fn() -> Box<dyn Evaluator> + Send + Sync>,
    idle: Arc<Mutex<Vec<Box<dyn Evaluator>>>>,
}

impl EvaluatorPool {
    /// A pool of what `make` makes.
    pub fn new(make: impl Fn() -> Box<dyn Evaluator> + Send + Sync + 'static) -> Self {
        EvaluatorPool { make: Arc::new(make), idle: Arc::default() }
    }

    /// Makes ready what the definition needs, which may take seconds. What fails here fails again, and is told, when it is
    /// first used.
    pub(crate) fn prepare(&self, needs: Needs) {
        if needs == Needs::default() {
            return;
        }
        let mut evaluator = self.take();
        if let Err(error) = evaluator.prepare(needs) {
            tracing::warn!(%error, "the evaluator could not be made ready");
        }
        self.put_back(evaluator);
    }

    fn take(&self) -> Box<dyn Evaluator> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| (self.make)())
    }

    fn put_back(&self, evaluator: Box<dyn Evaluator>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(evaluator);
        }
    }

    /// An evaluator for one turn. None is taken out of the pool until something is evaluated.
    pub(crate) fn for_turn(&self) -> PooledEvaluator<'_> {
        PooledEvaluator { pool: self, evaluator: None }
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
/// lets other executions go on elsewhere.
pub(crate) struct PooledEvaluator<'p> {
    pool: &'p EvaluatorPool,
    evaluator: Option<Box<dyn Evaluator>>,
}

impl PooledEvaluator<'_> {
    fn run<T>(&mut self, work: impl FnOnce(&mut dyn Evaluator) -> T) -> T {
        let pool = self.pool;
        let evaluator = self.evaluator.get_or_insert_with(|| pool.take());
        tokio::task::block_in_place(|| work(evaluator.as_mut()))
    }
}

impl Evaluator for PooledEvaluator<'_> {
    fn evaluate(&mut self, evaluation: Evaluation<'_>) -> Result<Value, ExpressionError> {
        self.run(|evaluator| evaluator.evaluate(evaluation))
    }

    fn check(&mut self, program: &str, variables: &[&str]) -> Result<(), ExpressionError> {
        self.run(|evaluator| evaluator.check(program, variables))
    }

    fn validate(&mut self, schema: &str, data: &Value) -> Result<Vec<Violation>, ExpressionError> {
        self.run(|evaluator| evaluator.validate(schema, data))
    }
}

impl Drop for PooledEvaluator<'_> {
    fn drop(&mut self) {
        if let Some(evaluator) = self.evaluator.take() {
            self.pool.put_back(evaluator);
        }
    }
}
