//! One script in one QuickJS runtime, from its text to its end.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::time::Duration;

use hotcell::{Problem, kind};
use rquickjs::context::EvalOptions;
use rquickjs::promise::PromiseState;
use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Function, Module, Object, Persistent, Promise, Runtime, Value,
};
use serde_json::json;

use crate::modules::Modules;
use crate::streams::{Stop, Streams};
use crate::{Ended, Script};

/// How much of the stack in memory a script may use, in bytes; beyond it stands a `RangeError`: some 900 calls. The other stack,
/// which only the cell sees, grows about three times as fast, and ends at 1 MiB.
const STACK: usize = 256 << 10;

/// When not even so many bytes can be had, there is no memory left.
const PROBE: usize = 1 << 20;

/// The exit code of a script with an error that nobody caught.
const UNCAUGHT: i32 = 1;

/// The exit code of a script that waits for what never comes, as Node.js has it.
const WAITS_FOR_EVER: i32 = 13;

/// What surrounds a script: a function of the host's side and of the script's input.
const PRELUDE: &str = concat!(
    "(function (host, script) { 'use strict';\n",
    include_str!("prelude/inspect.js"),
    include_str!("prelude/console.js"),
    include_str!("prelude/encoding.js"),
    include_str!("prelude/timers.js"),
    include_str!("prelude/process.js"),
    include_str!("prelude/report.js"),
    "})"
);

/// Promises that were rejected, with their reasons, and that nobody has asked yet what became of them.
type Rejections = Rc<RefCell<Vec<(Persistent<Value<'static>>, Persistent<Value<'static>>)>>>;

/// Runs a script to its end.
pub(crate) fn run(script: &Script) -> Result<Ended, Problem> {
    let streams = Rc::new(Streams::new(script.limit));
    // The cell goes away as a whole: nothing is taken down piece by piece.
    let runtime = ManuallyDrop::new(Runtime::new().map_err(broken)?);
    let rejections = watch(&runtime, &streams);
    let context = ManuallyDrop::new(Context::full(&runtime).map_err(broken)?);
    let code = context.with(|ctx| {
        let prelude = prelude(&ctx, script, &streams).catch(&ctx).map_err(broken)?;
        Running { ctx, prelude, streams: &streams, rejections: &rejections }.run(script)
    });
    let (code, returned) = match (streams.stopped(), code) {
        (Some(Stop::Exit(code)), _) => (code, None),
        (Some(Stop::TooMuch), _) => return Err(too_much(script.limit)),
        (None, code) => code?,
    };
    let (stdout, stderr) = streams.take();
    if returned.as_ref().is_some_and(|text| text.len() + stdout.len() + stderr.len() > script.limit) {
        return Err(too_much(script.limit));
    }
    let returned = returned.map(|text| serde_json::from_str(&text)).transpose().map_err(broken)?;
    Ok(Ended { code, stdout, stderr, returned })
}

/// Sets up what the runtime asks while it runs.
fn watch(runtime: &Runtime, streams: &Rc<Streams>) -> Rejections {
    runtime.set_max_stack_size(STACK);
    runtime.set_loader(Modules, Modules);
    // A script that goes on after it was told to stop is interrupted; nothing that it still does is heard.
    let stopped = Rc::clone(streams);
    runtime.set_interrupt_handler(Some(Box::new(move || stopped.stopped().is_some())));
    let rejections = Rejections::default();
    let rejected = Rc::clone(&rejections);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, handled| {
        let mut rejected = rejected.borrow_mut();
        if handled {
            rejected.retain(|(known, _)| known.clone().restore(&ctx).is_ok_and(|known| known != promise));
        } else {
            rejected.push((Persistent::save(&ctx, promise), Persistent::save(&ctx, reason)));
        }
    })));
    rejections
}

/// Runs the prelude, which leaves `console` and the like behind and returns what the interpreter asks of it.
fn prelude<'js>(ctx: &Ctx<'js>, script: &Script, streams: &Rc<Streams>) -> rquickjs::Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    let writes = Rc::clone(streams);
    host.set(
        "write",
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, stream: i32, text: String| {
            match writes.write(stream, &text) {
                true => Ok(()),
                false => Err(rquickjs::Exception::throw_range(&ctx, "the script writes more than it may")),
            }
        })?,
    )?;
    let exits = Rc::clone(streams);
    host.set("exit", Function::new(ctx.clone(), move |code: i32| exits.exit(code))?)?;
    let given = json!({
        "name": script.name,
        "arguments": script.arguments,
        "environment": script.environment,
        "stdin": script.stdin,
    });
    let given = ctx.json_parse(given.to_string())?;
    let mut options = EvalOptions::default();
    options.filename = Some("hotcell:prelude".into());
    let prelude: Function<'js> = ctx.eval_with_options(PRELUDE, options)?;
    prelude.call((host, given))
}

/// A script that runs.
struct Running<'js, 'a> {
    ctx: Ctx<'js>,
    prelude: Object<'js>,
    streams: &'a Streams,
    rejections: &'a Rejections,
}

impl<'js> Running<'js, '_> {
    /// Returns the exit code, unless the script was stopped, and what the script returned, as JSON.
    fn run(&self, script: &Script) -> Result<(i32, Option<String>), Problem> {
        let (main, returns) = match self.begin(script) {
            Ok(begun) => begun,
            Err(error) => return Ok((self.uncaught(error)?, None)),
        };
        let code = self.finish(&main)?;
        if code != 0 || !returns || self.streams.stopped().is_some() {
            return Ok((code, None));
        }
        match self.value_of(&main).catch(&self.ctx) {
            Ok(returned) => Ok((code, returned)),
            Err(error) => Ok((self.uncaught(error)?, None)),
        }
    }

    /// What the script, as a promise, came to, as JSON; nothing for what JSON does not have, such as `undefined`.
    fn value_of(&self, main: &Promise<'js>) -> rquickjs::Result<Option<String>> {
        let Some(result) = main.result::<Object<'js>>() else { return Ok(None) };
        let text = self.ctx.json_stringify(result?.get::<_, Value<'js>>("value")?)?;
        text.map(|text| text.to_string()).transpose()
    }

    /// Goes on until nothing is left to do; returns the exit code.
    fn finish(&self, main: &Promise<'js>) -> Result<i32, Problem> {
        loop {
            while self.streams.stopped().is_none() && self.ctx.execute_pending_job() {}
            if self.streams.stopped().is_some() {
                return Ok(0);
            }
            if let PromiseState::Rejected = main.state() {
                return match main.result::<Value<'js>>() {
                    Some(Err(error)) => self.uncaught(CaughtError::from_error(&self.ctx, error)),
                    _ => Ok(UNCAUGHT),
                };
            }
            let rejected = self.rejections.borrow_mut().pop();
            if let Some((_, reason)) = rejected {
                let reason = reason.restore(&self.ctx).map_err(broken)?;
                return self.uncaught(CaughtError::Value(reason));
            }
            let Some(delay) = self.ask::<Option<f64>>("delay")? else { break };
            if delay > 0.0 {
                std::thread::sleep(Duration::from_secs_f64(delay / 1_000.0));
            }
            if let Err(error) =
                self.prelude.get::<_, Function<'js>>("fire").and_then(|fire| fire.call::<_, ()>(())).catch(&self.ctx)
            {
                return self.uncaught(error);
            }
        }
        if let PromiseState::Pending = main.state() {
            self.streams.write(2, "The script awaits a promise that nothing settles any more.\n");
            return Ok(WAITS_FOR_EVER);
        }
        Ok(self.ask::<Option<i32>>("exitCode")?.unwrap_or(0))
    }

    /// Starts the script: as a plain script with `await`, as which most are valid; and if not, as a module, which can `import`,
    /// or as the body of a function, which can `return`. Says whether it returns something.
    fn begin(&self, script: &Script) -> Result<(Promise<'js>, bool), CaughtError<'js>> {
        let refused = match self.plain(script, script.code.as_str()).catch(&self.ctx) {
            Ok(promise) => return Ok((promise, false)),
            Err(refused) => refused,
        };
        if looks_like_a_module(&script.code) {
            let module = Module::evaluate(self.ctx.clone(), script.name.as_str(), script.code.as_str());
            return module.catch(&self.ctx).map(|promise| (promise, false));
        }
        if !returns_outside_of_functions(&refused) {
            return Err(refused);
        }
        // An arrow function has no `arguments` of its own, and the lines keep their numbers.
        let body = format!("await (async () => {{ {}\n}})()", script.code);
        self.plain(script, &body).catch(&self.ctx).map(|promise| (promise, true))
    }

    /// With `promise`, only what cannot be compiled is an error here; what the script throws rejects the promise.
    fn plain(&self, script: &Script, code: &str) -> rquickjs::Result<Promise<'js>> {
        let mut options = EvalOptions::default();
        options.strict = false;
        options.promise = true;
        options.filename = Some(script.name.clone());
        self.ctx.eval_with_options(code, options)
    }

    /// An error that nobody caught is told on stderr.
    fn uncaught(&self, error: CaughtError<'js>) -> Result<i32, Problem> {
        if self.streams.stopped().is_some() {
            return Ok(UNCAUGHT);
        }
        let error = match error {
            CaughtError::Exception(exception) => exception.into_object().into_value(),
            CaughtError::Value(value) => value,
            CaughtError::Error(error) => {
                self.streams.write(2, &format!("Uncaught {error}\n"));
                return Ok(UNCAUGHT);
            }
        };
        // QuickJS throws null when there is not even memory for an error.
        let exhausted = error.is_null() && Vec::<u8>::new().try_reserve_exact(PROBE).is_err();
        let out_of_memory: Function<'js> = self.prelude.get("outOfMemory").map_err(broken)?;
        if exhausted || out_of_memory.call((error.clone(),)).unwrap_or(false) {
            return Err(Problem::new("the script ran out of memory")
                .kind(kind::RUNTIME)
                .status(500)
                .title("Memory limit"));
        }
        let report: Function<'js> = self.prelude.get("report").map_err(broken)?;
        if report.call::<_, ()>((error,)).is_err() {
            self.streams.write(2, "Uncaught error, which cannot be shown\n");
        }
        Ok(UNCAUGHT)
    }

    fn ask<T: rquickjs::FromJs<'js>>(&self, what: &str) -> Result<T, Problem> {
        self.prelude.get::<_, Function<'js>>(what).and_then(|ask| ask.call(())).catch(&self.ctx).map_err(broken)
    }
}

/// Whether the script was refused for a `return`, as the body of a function has it.
fn returns_outside_of_functions(refused: &CaughtError<'_>) -> bool {
    let CaughtError::Exception(exception) = refused else { return false };
    exception.message().is_some_and(|message| message.contains("return not in a function"))
}

/// Whether a line begins as only those of modules do.
fn looks_like_a_module(code: &str) -> bool {
    code.lines().any(|line| {
        let line = line.trim_start();
        ["import", "export"].iter().any(|word| {
            line.strip_prefix(word)
                .and_then(|rest| rest.chars().next())
                .is_some_and(|next| next.is_whitespace() || ['{', '*', '"', '\''].contains(&next))
        }) || line.contains("import.meta")
    })
}

fn too_much(limit: usize) -> Problem {
    Problem::new(format!("the script wrote more than {limit} bytes to stdout and stderr together"))
        .kind(kind::RUNTIME)
        .status(500)
        .title("Payload limit")
}

/// The interpreter could not do its part, which happens when there is hardly any memory.
fn broken(error: impl std::fmt::Display) -> Problem {
    Problem::new(format!("the interpreter could not go on: {error}"))
        .kind(kind::RUNTIME)
        .status(500)
        .title("Script interpreter")
}
