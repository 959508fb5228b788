//! Tasks that have something done elsewhere: by a component, or by another workflow.

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;
use serde_json::Value;

use super::compiler::Compiler;
use crate::http::HttpPlan;
use crate::process::ProcessPlan;

use super::{HostShell, Kind, WasmPlan, WorkflowPlan};

impl<'d> Compiler<'d> {
    pub(super) fn call(&mut self, call: &'d dsl::Call, source: &Value, reference: &TaskReference) -> Kind {
        let components = self.components;
        let function = match call {
            dsl::Call::Wasm(call) => {
                return Kind::Wasm(Box::new(WasmPlan {
                    origin: self.site.origin.clone(),
                    pointer: self.site.locate(reference).0.into(),
                    component: self.template(&call.component, reference),
                    export: call.export.clone(),
                    input: call.input.as_ref().map(|input| self.template(input, reference)),
                }));
            }
            dsl::Call::Http(call) => {
                let compile = &mut |template: &dsl::Template| self.template(template, reference);
                return Kind::Http(Box::new(HttpPlan::http(call, components, source, compile)));
            }
            dsl::Call::OpenApi(call) => {
                let compile = &mut |template: &dsl::Template| self.template(template, reference);
                return Kind::Http(Box::new(HttpPlan::openapi(call, components, source, compile)));
            }
            dsl::Call::Grpc(_) => "grpc",
            dsl::Call::AsyncApi(_) => "asyncapi",
            dsl::Call::A2a(_) => "a2a",
            dsl::Call::Mcp(_) => "mcp",
            dsl::Call::Function(call) => return self.function_call(call, reference),
        };
        self.not_yet(
            reference,
            "call",
            &format!("`call: {function}` is not run yet; use `call: wasm` with a component that does it"),
        )
    }

    pub(super) fn run(&mut self, run: &dsl::Run, reference: &TaskReference) -> Kind {
        match &run.process {
            dsl::Process::Workflow(process) => Kind::Workflow(Box::new(WorkflowPlan {
                namespace: process.namespace.clone(),
                name: process.name.clone(),
                version: process.version.clone(),
                input: process.input.as_ref().map(|input| self.template(input, reference)),
                wait: run.wait,
                output: run.output,
            })),
            dsl::Process::Script(script) if self.site.is_foreign() && matches!(script.code, dsl::ScriptCode::External(_)) => self.not_yet(
                reference,
                "run",
                "the script of a function from elsewhere stands in its document; write it under `code`",
            ),
            dsl::Process::Script(script) => {
                let components = self.components;
                let mut template = |template: &dsl::Template| self.template(template, reference);
                Kind::Process(Box::new(ProcessPlan::script(run, script, components, &mut template)))
            }
            dsl::Process::Shell(_) if self.site.is_foreign() => self.not_yet(
                reference,
                "run",
                "a shell command would run on the host, outside of any cell, and nothing that others publish does; run the \
                 command in a task of the workflow itself",
            ),
            // What the operator allows is what stands in the definition, not what others publish.
            dsl::Process::Shell(shell) if self.shell == HostShell::Allowed => {
                let mut template = |template: &dsl::Template| self.template(template, reference);
                Kind::Process(Box::new(ProcessPlan::shell(run, shell, &mut template)))
            }
            dsl::Process::Shell(_) => self.not_yet(
                reference,
                "run",
                "a shell command would run on the host, outside of any cell; use `run: script`, or `call: wasm` with a \
                 component. On a machine that is yours alone, `hotcell run --allow-host-shell` runs it there",
            ),
            dsl::Process::Container(_) => self.not_yet(
                reference,
                "run",
                "a container of a Linux image cannot run in a cell, and nothing runs outside of one; use `run: script`, or \
                 compile the program to WebAssembly and use `call: wasm`",
            ),
        }
    }
}
