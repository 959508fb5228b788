//! What all evaluators share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use hotcell_expression::{ExpressionError, Needs};
use wasmtime::{Config, Engine, InstancePre, Linker, Module};

use super::cell::Bounds;
use super::ticker::{Ticker, Watch};
use super::{CellEvaluator, EvaluatorLimits};
use crate::Digest;
use crate::artifacts::Artifacts;

/// The jq interpreter, built from `guest-sdk/builtin/jq` by `scripts/guests`.
const JQ: &[u8] = include_bytes!("../../builtin/jq.wasm");
/// The JSON Schema validator, built from `guest-sdk/builtin/schema` in the same way.
const SCHEMA: &[u8] = include_bytes!("../../builtin/schema.wasm");

/// The stack of a cell, in bytes: 24 MiB, address space of which only what is used takes memory. Programs end with an error
/// when they need more; a recursion that is no tail call may go some ten thousand levels deep.
const STACK: usize = 24 << 20;

/// What the host's own functions need besides: 1 MiB.
const HOST_STACK: usize = 1 << 20;

/// The engine and the compiled modules, which all evaluators share. Cheap to clone; a host has one.
#[derive(Clone)]
pub struct Evaluators {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    /// Each is compiled when it is first needed: many definitions need neither.
    jq: OnceLock<Result<InstancePre<Bounds>, String>>,
    schema: OnceLock<Result<InstancePre<Bounds>, String>>,
    artifacts: Option<Artifacts>,
    ticker: Ticker,
}

/// The evaluators could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EvaluatorsError {
    /// wasmtime does not run here.
    #[error("the evaluator's engine cannot be set up: {0}")]
    Engine(String),
    /// There is no thread to be had.
    #[error("cannot start the thread that interrupts expressions: {0}")]
    Ticker(#[from] std::io::Error),
}

impl Evaluators {
    /// Sets up the engine. What evaluators run is compiled when it is first needed, which takes a second or two.
    ///
    /// # Errors
    /// Only where the machine lacks memory or threads.
    pub fn new() -> Result<Self, EvaluatorsError> {
        Self::with_cache(None)
    }

    /// The same, with a folder that keeps what was compiled, as [`InProcessOptions::cache_dir`](
    /// crate::InProcessOptions::cache_dir) does; both may be the same folder.
    ///
    /// # Errors
    /// Only where the machine lacks memory or threads. A folder that cannot be used is not used.
    pub fn with_cache(cache_dir: Option<PathBuf>) -> Result<Self, EvaluatorsError> {
        let engine = Engine::new(&config()).map_err(|error| EvaluatorsError::Engine(format!("{error:#}")))?;
        let ticker = Ticker::start(&engine)?;
        let artifacts = cache_dir.and_then(|folder| {
            Artifacts::open(folder.clone(), &engine)
                .inspect_err(
                    |error| tracing::warn!(folder = %folder.display(), %error, "compiled modules are not kept"),
                )
                .ok()
        });
        let (jq, schema) = (OnceLock::new(), OnceLock::new());
        Ok(Evaluators { shared: Arc::new(Shared { engine, jq, schema, artifacts, ticker }) })
    }

    /// An evaluator for one definition of one tenant. It takes no memory to speak of before it is used.
    pub fn evaluator(&self, limits: EvaluatorLimits) -> CellEvaluator {
        CellEvaluator { evaluators: self.clone(), limits, jq: None, schemas: None, buffer: Vec::new() }
    }

    /// Whether something of what will be needed has to be compiled first, which takes seconds.
    pub fn must_compile(&self, needs: Needs) -> bool {
        let Shared { jq, schema, artifacts, .. } = &*self.shared;
        let kept = |bytes| artifacts.as_ref().is_some_and(|artifacts| artifacts.has(&Digest::of(bytes)));
        (needs.jq && jq.get().is_none() && !kept(JQ)) || (needs.schemas && schema.get().is_none() && !kept(SCHEMA))
    }

    /// The jq interpreter. Whoever needs it first waits until it is compiled.
    pub(super) fn jq(&self) -> Result<&InstancePre<Bounds>, ExpressionError> {
        let jq = self.shared.jq.get_or_init(|| self.shared.compile(JQ));
        jq.as_ref()
            .map_err(|reason| ExpressionError::Unavailable(format!("the jq interpreter cannot be compiled: {reason}")))
    }

    /// The validator, in the same way.
    pub(super) fn schema(&self) -> Result<&InstancePre<Bounds>, ExpressionError> {
        let schema = self.shared.schema.get_or_init(|| self.shared.compile(SCHEMA));
        schema.as_ref().map_err(|reason| {
            ExpressionError::Unavailable(format!("the JSON Schema validator cannot be compiled: {reason}"))
        })
    }

    pub(super) fn watch(&self) -> Watch<'_> {
        self.shared.ticker.watch()
    }
}

impl Shared {
    /// Compiles a module, unless that was done before and kept.
    fn compile(&self, bytes: &[u8]) -> Result<InstancePre<Bounds>, String> {
        let digest = Digest::of(bytes);
        let kept = self.artifacts.as_ref().and_then(|artifacts| artifacts.load(&self.engine, &digest));
        let module = match kept {
            Some(module) => module,
            None => {
                let module = Module::new(&self.engine, bytes).map_err(|error| format!("{error:#}"))?;
                if let Some(artifacts) = &self.artifacts {
                    artifacts.store(&digest, &module);
                }
                module
            }
        };
        Linker::new(&self.engine).instantiate_pre(&module).map_err(|error| format!("{error:#}"))
    }
}

/// Runs something on a stack that is large enough for a cell: that of this thread, or one that is made for it. Without, a deep
/// recursion would not end as a trap, but the host.
pub(super) fn with_stack<R>(run: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(STACK + HOST_STACK, STACK + 2 * HOST_STACK, run)
}

/// Everything off that the modules do not need.
fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        // Never used, as nothing here is asynchronous; but wasmtime wants it to be larger than what follows.
        .async_stack_size(STACK + HOST_STACK)
        .max_wasm_stack(STACK)
        // The `gc` feature of wasmtime stays compiled in, as builds without it abort (RUSTSEC-2026-0570).
        .gc_support(false)
        .wasm_gc(false)
        .wasm_exceptions(false)
        .wasm_memory64(false)
        .wasm_component_model(false);
    config
}
