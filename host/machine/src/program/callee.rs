//! Tasks that have something done elsewhere: by a component, or by another workflow.

use hotcell_definition as dsl;
use hotcell_definition::TaskReference;

use super::compiler::Compiler;
use super::{Kind, WasmPlan, WorkflowPlan};

impl<'d> Compiler<'d> {
    pub(super) fn call(&mut self, call: &'d dsl::Call, reference: &TaskReference) -> Kind {
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
            dsl::Call::Http(_) => "http",
            dsl::Call::OpenApi(_) => "openapi",
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
}
