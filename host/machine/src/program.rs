//! A definition, made ready to be walked: numbered tasks, compiled expressions, resolved names.

use std::collections::HashMap;
use std::sync::Arc;

use hotcell_definition as dsl;
use hotcell_definition::{Definition, TaskReference};
use hotcell_expression::{Expression, ExpressionError, Mode, Template};
use serde_json::Value;

use crate::WorkflowIdentity;
use crate::listen::ListenPlan;

/// A definition that a machine can walk. Made once, shared by all executions of the definition.
#[derive(Debug)]
pub struct Program {
    pub(crate) definition: Arc<Definition>,
    pub(crate) identity: WorkflowIdentity,
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Block,
    pub(crate) input: Option<InputPlan>,
    pub(crate) output: Option<OutputPlan>,
    pub(crate) timeout: Option<DurationPlan>,
}

/// Something that is valid, and that this version of hotcell does not run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it stands: a JSON Pointer into the document.
    pub pointer: String,
    /// What it is, and what to do instead.
    pub message: String,
}

/// The number of a task in its program.
pub(crate) type NodeId = u32;

/// Tasks that are performed one after the other.
pub(crate) type Block = Arc<[NodeId]>;

/// One task.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) reference: Arc<TaskReference>,
    pub(crate) source: Arc<Value>,
    pub(crate) condition: Option<Expression>,
    pub(crate) input: Option<InputPlan>,
    pub(crate) output: Option<OutputPlan>,
    pub(crate) export: Option<OutputPlan>,
    pub(crate) timeout: Option<DurationPlan>,
    pub(crate) then: Flow,
    pub(crate) kind: Kind,
}

/// What a task does.
#[derive(Debug)]
pub(crate) enum Kind {
    Do(Block),
    Set(Template),
    Switch(Vec<Case>),
    For(Box<Loop>),
    Fork { branches: Block, compete: bool },
    Try(Box<Attempt>),
    Raise(Box<ErrorPlan>),
    Wait(DurationPlan),
    Wasm(Box<WasmPlan>),
    Workflow(Box<WorkflowPlan>),
    Emit(Box<Template>),
    Listen(Box<ListenPlan>),
}

/// Where the flow goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Flow {
    Continue,
    Exit,
    End,
    /// The task at this place of the same list.
    To(u32),
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) when: Option<Expression>,
    pub(crate) then: Flow,
}

#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) each: Arc<str>,
    pub(crate) at: Arc<str>,
    pub(crate) collection: Template,
    pub(crate) condition: Option<Expression>,
    pub(crate) body: Block,
}

#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) body: Block,
    pub(crate) filter: dsl::ErrorFilter,
    pub(crate) variable: Arc<str>,
    pub(crate) when: Option<Expression>,
    pub(crate) except_when: Option<Expression>,
    pub(crate) retry: Option<RetryPlan>,
    pub(crate) handler: Option<Block>,
    pub(crate) then: Option<Flow>,
}

#[derive(Debug, Clone)]
pub(crate) struct RetryPlan {
    pub(crate) when: Option<Expression>,
    pub(crate) except_when: Option<Expression>,
    pub(crate) delay: Option<DurationPlan>,
    pub(crate) backoff: dsl::Backoff,
    pub(crate) attempts: Option<u64>,
    pub(crate) attempt_duration: Option<DurationPlan>,
    pub(crate) duration: Option<DurationPlan>,
    pub(crate) jitter: Option<(DurationPlan, DurationPlan)>,
}

#[derive(Debug)]
pub(crate) struct ErrorPlan {
    pub(crate) kind: Template,
    pub(crate) status: Template,
    pub(crate) title: Option<Template>,
    pub(crate) detail: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct WasmPlan {
    pub(crate) component: Template,
    pub(crate) export: Option<String>,
    pub(crate) input: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct WorkflowPlan {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) input: Option<Template>,
    pub(crate) wait: bool,
    pub(crate) output: dsl::ProcessOutput,
}

#[derive(Debug)]
pub(crate) struct InputPlan {
    pub(crate) schema: Option<Arc<str>>,
    pub(crate) from: Option<Template>,
}

/// `output` and `export`: a transformation, then a schema.
#[derive(Debug)]
pub(crate) struct OutputPlan {
    pub(crate) transform: Option<Template>,
    pub(crate) schema: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
pub(crate) enum DurationPlan {
    Literal(dsl::Span),
    Expression(Expression),
}

impl Program {
    /// Makes a definition ready.
    ///
    /// # Errors
    /// Everything in it that this version does not run, all at once.
    pub fn new(definition: Arc<Definition>) -> Result<Self, Vec<Unsupported>> {
        let mode = match definition.evaluate.mode {
            dsl::EvaluationMode::Strict => Mode::Strict,
            dsl::EvaluationMode::Loose => Mode::Loose,
        };
        let mut compiler = Compiler {
            components: &definition.components,
            mode,
            nodes: Vec::new(),
            reference_bytes: 0,
            unsupported: Vec::new(),
        };
        let root_reference = TaskReference::root();
        let root = compiler.block(&definition.tasks, &root_reference.join("do"));
        let input = compiler.input(definition.input.as_ref(), &root_reference);
        let output = compiler.output(definition.output.as_ref(), &root_reference);
        let timeout = compiler.timeout(definition.timeout.as_ref());
        if definition.evaluate.language != "jq" {
            compiler.refuse(
                &root_reference.join("evaluate").join("language"),
                "hotcell evaluates jq only; write the expressions in jq",
            );
        }
        if definition.schedule.is_some() {
            compiler.refuse(
                &root_reference.join("schedule"),
                "schedules are not run yet; remove `schedule` and start the workflow by hand",
            );
        }
        if !definition.components.extensions.is_empty() {
            compiler.refuse(
                &root_reference.join("use").join("extensions"),
                "extensions are not applied yet; call their tasks where they are needed",
            );
        }
        if !compiler.unsupported.is_empty() {
            return Err(compiler.unsupported);
        }
        let identity = WorkflowIdentity {
            namespace: definition.document.namespace.clone(),
            name: definition.document.name.clone(),
            version: definition.document.version.to_string(),
        };
        Ok(Program { identity, nodes: compiler.nodes, root, input, output, timeout, definition })
    }

    /// The definition.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Which definition this is.
    pub fn identity(&self) -> &WorkflowIdentity {
        &self.identity
    }

    /// The components that the definition names without an expression, each with the reference of its task.
    /// They can be made ready before the first task starts.
    pub fn components(&self) -> impl Iterator<Item = (&TaskReference, &str)> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Wasm(plan) => match &plan.component {
                Template::Literal(data) => data.value().as_str().map(|name| (&*node.reference, name)),
                _ => None,
            },
            _ => None,
        })
    }

    /// How many tasks the definition has, those in lists of tasks included.
    pub fn tasks(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }
}

/// The places of the tasks of a list, by name.
type Siblings<'d> = HashMap<&'d str, u32>;

/// How long the references of all tasks may be together: 64 MiB. Each repeats the names of the tasks around it, so that
/// many tasks deep within tasks with long names would take gigabytes.
const MAX_REFERENCE_BYTES: usize = 64 << 20;

/// Walks a definition once. Its recursion is as deep as the document, whose depth the parser bounds.
pub(crate) struct Compiler<'d> {
    components: &'d dsl::Components,
    mode: Mode,
    nodes: Vec<Node>,
    reference_bytes: usize,
    unsupported: Vec<Unsupported>,
}

impl Compiler<'_> {
    pub(crate) fn block(&mut self, tasks: &dsl::TaskList, reference: &TaskReference) -> Block {
        let names: Siblings<'_> = tasks.0.iter().zip(0..).map(|(item, index)| (item.name.as_str(), index)).collect();
        let mut block = Vec::with_capacity(tasks.0.len());
        for (index, item) in tasks.0.iter().enumerate() {
            let task = reference.index(index).join(&item.name);
            let length = self.reference_bytes + task.as_str().len();
            if length > MAX_REFERENCE_BYTES {
                if self.reference_bytes <= MAX_REFERENCE_BYTES {
                    self.refuse(&task, "the names of the tasks are too long for so many tasks; shorten the outer ones");
                }
                self.reference_bytes = length;
                break;
            }
            self.reference_bytes = length;
            block.push(self.task(item, &task, &names));
        }
        block.into()
    }

    fn task(&mut self, item: &dsl::NamedTask, reference: &TaskReference, siblings: &Siblings<'_>) -> NodeId {
        let task = &item.task;
        let kind = self.kind(&task.kind, reference, siblings);
        let node = Node {
            name: item.name.as_str().into(),
            reference: Arc::new(reference.clone()),
            source: Arc::clone(&task.source),
            condition: task.condition.as_ref().map(expression),
            input: self.input(task.input.as_ref(), reference),
            output: self.output(task.output.as_ref(), reference),
            export: self.export(task.export.as_ref(), reference),
            timeout: self.timeout(task.timeout.as_ref()),
            then: task.then.as_ref().map_or(Flow::Continue, |then| flow(then, siblings)),
            kind,
        };
        self.nodes.push(node);
        NodeId::try_from(self.nodes.len() - 1).expect("the parser bounds the number of tasks")
    }

    fn kind(&mut self, kind: &dsl::TaskKind, reference: &TaskReference, siblings: &Siblings<'_>) -> Kind {
        match kind {
            dsl::TaskKind::Do(tasks) => Kind::Do(self.block(tasks, &reference.join("do"))),
            dsl::TaskKind::Set(template) => Kind::Set(self.template(template, reference)),
            dsl::TaskKind::Switch(cases) => Kind::Switch(
                cases
                    .iter()
                    .map(|case| Case { when: case.when.as_ref().map(expression), then: flow(&case.then, siblings) })
                    .collect(),
            ),
            dsl::TaskKind::For(repeat) => Kind::For(Box::new(Loop {
                each: repeat.each.as_str().into(),
                at: repeat.at.as_str().into(),
                collection: match &repeat.collection {
                    dsl::Collection::Expression(source) => Template::Expression(expression(source)),
                    dsl::Collection::Inline(template) => self.template(template, reference),
                },
                condition: repeat.condition.as_ref().map(expression),
                body: self.block(&repeat.tasks, &reference.join("do")),
            })),
            dsl::TaskKind::Fork(fork) => Kind::Fork {
                branches: self.block(&fork.branches, &reference.join("fork").join("branches")),
                compete: fork.compete,
            },
            dsl::TaskKind::Try(attempt) => Kind::Try(Box::new(self.attempt(attempt, reference, siblings))),
            dsl::TaskKind::Raise(raise) => Kind::Raise(Box::new(self.error(&raise.error, reference))),
            dsl::TaskKind::Wait(wait) => Kind::Wait(duration(wait)),
            dsl::TaskKind::Call(call) => self.call(call, reference),
            dsl::TaskKind::Run(run) => self.run(run, reference),
            dsl::TaskKind::Emit(emit) => {
                let event = dsl::Template(Arc::new(Value::Object(emit.event.clone())));
                Kind::Emit(Box::new(self.template(&event, reference)))
            }
            dsl::TaskKind::Listen(listen) => self.listen(listen, self.mode, reference),
        }
    }

    fn attempt(&mut self, attempt: &dsl::Try, reference: &TaskReference, siblings: &Siblings<'_>) -> Attempt {
        let catch = &attempt.catch;
        let components = self.components;
        let retry = match &catch.retry {
            Some(dsl::Reusable::Inline(policy)) => Some(policy),
            Some(dsl::Reusable::Named(name)) => components.retries.get(name),
            None => None,
        };
        Attempt {
            body: self.block(&attempt.tasks, &reference.join("try")),
            filter: catch.filter.clone(),
            variable: catch.variable.as_str().into(),
            when: catch.when.as_ref().map(expression),
            except_when: catch.except_when.as_ref().map(expression),
            retry: retry.map(retry_plan),
            handler: catch.tasks.as_ref().map(|tasks| self.block(tasks, &reference.join("catch").join("do"))),
            then: catch.then.as_ref().map(|then| flow(then, siblings)),
        }
    }

    fn error(&mut self, error: &dsl::Reusable<dsl::ErrorDefinition>, reference: &TaskReference) -> ErrorPlan {
        let components = self.components;
        let definition = match error {
            dsl::Reusable::Inline(definition) => definition,
            dsl::Reusable::Named(name) => {
                components.errors.get(name).expect("validation refuses names that `use.errors` does not have")
            }
        };
        ErrorPlan {
            kind: self.template(&definition.kind, reference),
            status: self.template(&definition.status, reference),
            title: definition.title.as_ref().map(|title| self.template(title, reference)),
            detail: definition.detail.as_ref().map(|detail| self.template(detail, reference)),
        }
    }

    fn call(&mut self, call: &dsl::Call, reference: &TaskReference) -> Kind {
        let function = match call {
            dsl::Call::Wasm(call) => {
                return Kind::Wasm(Box::new(WasmPlan {
                    component: self.template(&call.component, reference),
                    export: call.export.clone(),
                    input: call.input.as_ref().map(|input| self.template(input, reference)),
                }));
            }
            dsl::Call::Http(_) => "http",
            dsl::Call::OpenApi(_) => "openapi",
            dsl::Call::Grpc(_) => "grpc",
            dsl::Call::AsyncApi(_) => "asyncapi",
            dsl::Call::A2a(_) => "a2a",
            dsl::Call::Mcp(_) => "mcp",
            dsl::Call::Function(function) => &function.name,
        };
        self.not_yet(
            reference,
            "call",
            &format!("`call: {function}` is not run yet; use `call: wasm` with a component that does it"),
        )
    }

    fn run(&mut self, run: &dsl::Run, reference: &TaskReference) -> Kind {
        match &run.process {
            dsl::Process::Workflow(process) => Kind::Workflow(Box::new(WorkflowPlan {
                namespace: process.namespace.clone(),
                name: process.name.clone(),
                version: process.version.clone(),
                input: process.input.as_ref().map(|input| self.template(input, reference)),
                wait: run.wait,
                output: run.output,
            })),
            dsl::Process::Script(_) => {
                self.not_yet(reference, "run", "scripts are not run yet; use `call: wasm` with a component")
            }
            dsl::Process::Shell(_) => self.not_yet(
                reference,
                "run",
                "shell commands would run outside a sandbox; use `call: wasm` with a component",
            ),
            dsl::Process::Container(_) => {
                self.not_yet(reference, "run", "containers are not run; use `call: wasm` with a component")
            }
        }
    }

    pub(crate) fn not_yet(&mut self, reference: &TaskReference, field: &str, message: &str) -> Kind {
        self.refuse(&reference.join(field), message);
        Kind::Do(Arc::new([]))
    }

    fn refuse(&mut self, pointer: &TaskReference, message: &str) {
        self.unsupported.push(Unsupported { pointer: pointer.to_string(), message: message.into() });
    }

    fn template(&mut self, template: &dsl::Template, reference: &TaskReference) -> Template {
        self.compile(&template.0, reference)
    }

    fn compile(&mut self, value: &Value, reference: &TaskReference) -> Template {
        Template::parse(value, self.mode).unwrap_or_else(|error: ExpressionError| {
            self.refuse(reference, &error.to_string());
            Template::Literal(hotcell_expression::Data::null())
        })
    }

    fn transform(&mut self, transform: &dsl::Transform, reference: &TaskReference) -> Template {
        match transform {
            dsl::Transform::Expression(source) => Template::Expression(expression(source)),
            dsl::Transform::Template(template) => self.template(template, reference),
        }
    }

    fn input(&mut self, input: Option<&dsl::Input>, reference: &TaskReference) -> Option<InputPlan> {
        let input = input?;
        let at = reference.join("input");
        Some(InputPlan {
            schema: self.schema(input.schema.as_ref(), &at),
            from: input.from.as_ref().map(|from| self.transform(from, &at.join("from"))),
        })
    }

    pub(crate) fn output(&mut self, output: Option<&dsl::Output>, reference: &TaskReference) -> Option<OutputPlan> {
        let output = output?;
        let at = reference.join("output");
        Some(OutputPlan {
            transform: output.transform.as_ref().map(|transform| self.transform(transform, &at.join("as"))),
            schema: self.schema(output.schema.as_ref(), &at),
        })
    }

    pub(crate) fn export(&mut self, export: Option<&dsl::Export>, reference: &TaskReference) -> Option<OutputPlan> {
        let export = export?;
        let at = reference.join("export");
        Some(OutputPlan {
            transform: export.transform.as_ref().map(|transform| self.transform(transform, &at.join("as"))),
            schema: self.schema(export.schema.as_ref(), &at),
        })
    }

    fn schema(&mut self, schema: Option<&dsl::Schema>, reference: &TaskReference) -> Option<Arc<str>> {
        let schema = schema?;
        let at = reference.join("schema");
        if schema.format != "json" && !schema.format.starts_with("json:") {
            self.refuse(&at.join("format"), "schemas are JSON Schemas only; set `format: json`");
        }
        match &schema.source {
            dsl::SchemaSource::Inline(document) => Some(document.to_string().into()),
            dsl::SchemaSource::External(_) => {
                self.refuse(
                    &at.join("resource"),
                    "schemas are not fetched yet; write the schema in place, under `document`",
                );
                None
            }
        }
    }

    fn timeout(&mut self, timeout: Option<&dsl::Reusable<dsl::Timeout>>) -> Option<DurationPlan> {
        let timeout = match timeout? {
            dsl::Reusable::Inline(timeout) => timeout,
            dsl::Reusable::Named(name) => {
                self.components.timeouts.get(name).expect("validation refuses names that `use.timeouts` does not have")
            }
        };
        Some(duration(&timeout.after))
    }
}

fn expression(source: &dsl::Expression) -> Expression {
    Expression::parse(&source.0)
}

fn duration(duration: &dsl::Duration) -> DurationPlan {
    match duration {
        dsl::Duration::Literal(span) => DurationPlan::Literal(*span),
        dsl::Duration::Expression(source) => DurationPlan::Expression(expression(source)),
    }
}

fn retry_plan(policy: &dsl::RetryPolicy) -> RetryPlan {
    RetryPlan {
        when: policy.when.as_ref().map(expression),
        except_when: policy.except_when.as_ref().map(expression),
        delay: policy.delay.as_ref().map(duration),
        backoff: policy.backoff,
        attempts: policy.attempts,
        attempt_duration: policy.attempt_duration.as_ref().map(duration),
        duration: policy.duration.as_ref().map(duration),
        jitter: policy.jitter.as_ref().map(|jitter| (duration(&jitter.from), duration(&jitter.to))),
    }
}

fn flow(directive: &dsl::FlowDirective, siblings: &Siblings<'_>) -> Flow {
    match directive {
        dsl::FlowDirective::Continue => Flow::Continue,
        dsl::FlowDirective::Exit => Flow::Exit,
        dsl::FlowDirective::End => Flow::End,
        dsl::FlowDirective::To(name) => {
            Flow::To(*siblings.get(name.as_str()).expect("validation refuses targets that are not in the same list"))
        }
    }
}
