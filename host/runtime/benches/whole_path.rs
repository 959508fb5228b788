//! What hotcell adds to a call: a `for` over 1,000 items that calls a small Rust component, through the whole path
//! (machine, driver, sandbox, progress events), beside the bare wasmtime loop (same engine configuration, fresh
//! store, instantiate, call) over the same inputs, in the same process, in alternating rounds. And what the tasks
//! cost that need no cell of their own.
//!
//! `scripts/guests add && cargo bench -p hotcell-runtime`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_definition::Definition;
use hotcell_expression::Data;
use hotcell_machine::{Event, EventKind, ExecutionId, Outcome};
use hotcell_progress::EventLog;
use hotcell_runtime::{
    Clock, End, EvaluatorPool, Runtime, RuntimeOptions, StartExecution, SystemClock, Workflow, WorkflowTimes,
};
use hotcell_sandbox::{EvaluatorLimits, Evaluators, InProcess, InProcessOptions, engine_config};
use serde_json::{Map, Value, json};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

/// Items of one round.
const ITEMS: usize = 1_000;
/// Rounds of each, alternating. The first is a warm-up.
const ROUNDS: usize = 15;

/// Takes `{"value": 1}` and returns `{"value": 2}`.
const COMPONENT: &str = "add.wasm";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests")
}

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let rounds = if std::env::args().any(|argument| argument == "--test") { 2 } else { ROUNDS };
    let bare = Bare::new();
    let bench = Bench::new();
    let call = bench.workflow(
        json!([{"call": {"call": "wasm", "with": {"component": COMPONENT, "input": {"value": "${ $item.value }"}}}}]),
    );

    let mut bare_rounds = Vec::new();
    let mut whole_rounds = Vec::new();
    for _ in 0..rounds {
        bare_rounds.push(bare.round());
        whole_rounds.push(bench.round(&call));
    }
    let bare = Figures::of(&bare_rounds[1..]);
    let whole = Figures::of(&whole_rounds[1..]);
    println!("for over {ITEMS} items that calls a small Rust component, {} rounds, per item", rounds - 1);
    println!("                        median of rounds       p50       p99");
    println!("bare wasmtime loop      {}", bare.row());
    println!("whole path with events  {}   {:.0} events/s", whole.row(), whole.events_per_second);
    println!(
        "ratio                   {:>13.2}      {:>9.2} {:>9.2}",
        ratio(whole.median, bare.median),
        ratio(whole.p50, bare.p50),
        ratio(whole.p99, bare.p99)
    );
    println!();

    println!("tasks without a cell of their own, per task");
    for (name, tasks) in [
        ("set, a literal", json!([{"t": {"set": {"n": 1, "text": "x"}}}])),
        ("set, plain paths", json!([{"t": {"set": {"n": "${ $item.value }", "name": "${ $item.name }"}}}])),
        ("set, jq", json!([{"t": {"set": {"n": "${ $item.value + 1 }"}}}])),
        ("switch, jq", json!([{"t": {"switch": [{"a": {"when": "$item.value > 500", "then": "continue"}}]}}])),
    ] {
        let workflow = bench.workflow(tasks);
        let measured: Vec<Round> = (0..rounds).map(|_| bench.round(&workflow)).collect();
        println!("{name:<22}  {}", Figures::of(&measured[1..]).row());
    }
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// What one round took.
struct Round {
    items: Vec<Duration>,
    total: Duration,
    events: usize,
}

/// Figures over all rounds.
struct Figures {
    median: Duration,
    p50: Duration,
    p99: Duration,
    events_per_second: f64,
}

impl Figures {
    fn of(rounds: &[Round]) -> Self {
        let mut per_item: Vec<Duration> = rounds.iter().map(|round| round.total / ITEMS as u32).collect();
        per_item.sort();
        let mut items: Vec<Duration> = rounds.iter().flat_map(|round| round.items.iter().copied()).collect();
        items.sort();
        let total: Duration = rounds.iter().map(|round| round.total).sum();
        let events: usize = rounds.iter().map(|round| round.events).sum();
        Figures {
            median: per_item[per_item.len() / 2],
            p50: items[items.len() / 2],
            p99: items[items.len() * 99 / 100],
            events_per_second: events as f64 / total.as_secs_f64(),
        }
    }

    fn row(&self) -> String {
        let micros = |duration: Duration| format!("{:.1} µs", duration.as_secs_f64() * 1e6);
        format!("{:>16} {:>9} {:>9}", micros(self.median), micros(self.p50), micros(self.p99))
    }
}

fn items() -> Value {
    (0..ITEMS).map(|n| json!({"value": n, "name": format!("item {n}")})).collect()
}

/// The whole path.
struct Bench {
    runtime: Runtime,
    events: EventLog,
    evaluators: Arc<Evaluators>,
    waiting: tokio::runtime::Runtime,
    input: Data,
}

impl Bench {
    fn new() -> Self {
        let events = EventLog::new();
        let cells = InProcess::new(InProcessOptions::default()).expect("a sandbox");
        let mut options = RuntimeOptions::new(Arc::new(cells), events.clone());
        // As many threads that run guests as the bare loop has.
        options.threads = 1;
        Bench {
            runtime: Runtime::new(options).expect("threads"),
            events,
            evaluators: Arc::new(Evaluators::new().expect("an evaluator")),
            waiting: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
            input: Data::new(items()).expect("small data"),
        }
    }

    fn workflow(&self, tasks: Value) -> Arc<Workflow> {
        let document = json!({
            "document": {"dsl": "1.0.3", "namespace": "bench", "name": "whole-path", "version": "1.0.0"},
            "do": [{"each": {"for": {"in": "."}, "do": tasks}}],
        });
        let parsed = Definition::parse(document.to_string().as_bytes()).expect("a valid document");
        let evaluators = Arc::clone(&self.evaluators);
        let pool = EvaluatorPool::new(move || Box::new(evaluators.evaluator(EvaluatorLimits::default())));
        let now = SystemClock.now();
        let times = WorkflowTimes { parsing: now, parsed: now };
        Arc::new(Workflow::new(Arc::new(parsed.definition), &folder(), pool, times).expect("nothing unsupported"))
    }

    fn round(&self, workflow: &Arc<Workflow>) -> Round {
        let mut subscription = self.events.subscribe();
        let mut execution = self.runtime.start(StartExecution {
            workflow: Arc::clone(workflow),
            id: ExecutionId::new("bench"),
            input: self.input.clone(),
            secrets: Arc::new(Map::new()),
        });
        let end = self.waiting.block_on(execution.end());
        assert!(matches!(end, End::Ran(Outcome::Completed(_))), "{end:?}");
        let events = subscription.try_next();
        let of =
            |kind: fn(&EventKind) -> bool| events.iter().find(|event| kind(&event.kind)).expect("it happened").time;
        let began = of(|kind| matches!(kind, EventKind::WorkflowExecuting));
        let ended = of(|kind| matches!(kind, EventKind::WorkflowCompleted { .. }));
        let mut last = began;
        let completed = |event: &&Arc<Event>| {
            matches!(event.kind, EventKind::TaskCompleted)
                && event.task.as_ref().is_some_and(|task| task.iteration.is_some())
        };
        let items = events
            .iter()
            .filter(completed)
            .map(|event| {
                let took = event.time.duration_since(last);
                last = event.time;
                Duration::try_from(took).unwrap_or_default()
            })
            .collect();
        Round {
            items,
            total: Duration::try_from(ended.duration_since(began)).unwrap_or_default(),
            events: events.len(),
        }
    }
}

/// The same component without hotcell around it.
struct Bare {
    engine: Engine,
    pre: wasmtime::component::InstancePre<()>,
    run: wasmtime::component::ComponentExportIndex,
    inputs: Vec<String>,
    runtime: tokio::runtime::Runtime,
}

impl Bare {
    fn new() -> Self {
        let engine = Engine::new(&engine_config(InProcessOptions::default().cells)).expect("an engine");
        let bytes = std::fs::read(folder().join(COMPONENT))
            .expect("target/guests/add.wasm is there; if it is not, run scripts/guests add");
        let component = Component::new(&engine, &bytes).expect("a component");
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component).expect("imports that can be stubbed");
        let handler = component.get_export_index(None, "hotcell:task/handler@1.0.0").expect("the handler");
        let run = component.get_export_index(Some(&handler), "run").expect("its function");
        let pre = linker.instantiate_pre(&component).expect("a component that can be instantiated");
        let inputs = items()
            .as_array()
            .expect("an array")
            .iter()
            .map(|item| json!({"value": item["value"]}).to_string())
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Bare { engine, pre, run, inputs, runtime }
    }

    fn round(&self) -> Round {
        self.runtime.block_on(async {
            let began = Instant::now();
            let mut items = Vec::with_capacity(ITEMS);
            for input in &self.inputs {
                let item = Instant::now();
                self.call(input).await;
                items.push(item.elapsed());
            }
            Round { items, total: began.elapsed(), events: 0 }
        })
    }

    async fn call(&self, input: &str) {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1_000_000);
        let instance = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let run = instance.get_func(&mut store, self.run).expect("the function");
        let mut results = [wasmtime::component::Val::Bool(false)];
        run.call_async(&mut store, &[wasmtime::component::Val::String(input.to_owned())], &mut results)
            .await
            .expect("a result");
        assert!(matches!(&results[0], wasmtime::component::Val::Result(Ok(_))));
    }
}
