//! `run: script` and `run: shell`: what a process is given, and what of its end is the task's output.

use hotcell_definition as dsl;
use hotcell_definition::{ErrorKind, Problem, ProcessOutput};
use hotcell_expression::{Data, ExpressionError, Template};
use serde_json::{Map, Value, json};

use crate::authentication::AuthenticationPlan;
use crate::bindings::Place;
use crate::machine::Run;
use crate::problem::expression_problem;
use crate::program::Kind;
use crate::state::Doing;
use crate::uri::UriPlan;
use crate::{CallId, Callee, Command, ScriptLanguage, StartCall};

/// How much of what a failed process complained about its problem repeats, in bytes.
const MAX_COMPLAINT: usize = 2_000;

/// A process, ready to be started.
#[derive(Debug)]
pub(crate) struct ProcessPlan {
    pub(crate) what: ProcessKind,
    pub(crate) stdin: Option<Template>,
    pub(crate) arguments: Option<Template>,
    pub(crate) environment: Option<Template>,
    pub(crate) wait: bool,
    pub(crate) output: ProcessOutput,
}

#[derive(Debug)]
pub(crate) enum ProcessKind {
    /// The text of a script is never evaluated: `${ … }` in it is the script's own.
    Script { language: ScriptLanguage, code: String },
    /// A script whose whole text is one expression.
    Computed { language: ScriptLanguage, code: Template },
    /// A script that stands elsewhere.
    Source { language: ScriptLanguage, endpoint: UriPlan, authentication: Option<AuthenticationPlan> },
    /// A command for the host's shell.
    Shell { command: Template },
}

impl ProcessPlan {
    /// The script of a definition.
    pub(crate) fn script(
        run: &dsl::Run,
        script: &dsl::ScriptProcess,
        components: &dsl::Components,
        template: &mut impl FnMut(&dsl::Template) -> Template,
    ) -> Self {
        let language = match script.language.as_str() {
            "python" => ScriptLanguage::Python,
            _ => ScriptLanguage::JavaScript,
        };
        let what = match &script.code {
            dsl::ScriptCode::Inline(code) => ProcessKind::Script { language, code: code.clone() },
            dsl::ScriptCode::Computed(code) => ProcessKind::Computed { language, code: template(code) },
            dsl::ScriptCode::External(resource) => {
                let authentication = resource.endpoint.authentication.as_ref();
                ProcessKind::Source {
                    language,
                    endpoint: UriPlan::new(&template(&resource.endpoint.uri)),
                    authentication: authentication.map(|policy| AuthenticationPlan::new(policy, components, template)),
                }
            }
        };
        Self::new(run, what, &script.io, template)
    }

    /// The shell command of a definition.
    pub(crate) fn shell(
        run: &dsl::Run,
        shell: &dsl::ShellProcess,
        template: &mut impl FnMut(&dsl::Template) -> Template,
    ) -> Self {
        let what = ProcessKind::Shell { command: template(&shell.command) };
        Self::new(run, what, &shell.io, template)
    }

    fn new(
        run: &dsl::Run,
        what: ProcessKind,
        io: &dsl::ProcessIo,
        template: &mut impl FnMut(&dsl::Template) -> Template,
    ) -> Self {
        ProcessPlan {
            what,
            stdin: io.stdin.as_ref().map(&mut *template),
            arguments: io.arguments.as_ref().map(&mut *template),
            environment: io.environment.as_ref().map(&mut *template),
            wait: run.wait,
            output: run.output,
        }
    }

    /// The language, if it is a script.
    pub(crate) fn language(&self) -> Option<ScriptLanguage> {
        match self.what {
            ProcessKind::Script { language, .. }
            | ProcessKind::Computed { language, .. }
            | ProcessKind::Source { language, .. } => Some(language),
            ProcessKind::Shell { .. } => None,
        }
    }

    fn is_shell(&self) -> bool {
        matches!(self.what, ProcessKind::Shell { .. })
    }
}

impl Run<'_> {
    /// Starts a process. One that nobody waits for goes on by itself; the task outputs its transformed input.
    pub(crate) fn begin_process(&mut self, id: u64, plan: &ProcessPlan, input: Data) -> Result<(), Problem> {
        let (callee, given) = self.given(id, plan, &input)?;
        let deadline = self.state.ancestry(id).filter_map(|(_, frame)| frame.deadline).min();
        let task = self.event_task(id).expect("a process is started by a task");
        let call = Box::new(StartCall {
            id: CallId::new(&self.state.execution, id),
            task,
            callee,
            input: given,
            deadline: deadline.filter(|_| plan.wait),
        });
        if plan.wait {
            self.turn.commands.push(Command::StartCall(call));
            self.frame_mut(id).doing = Doing::Call;
        } else {
            self.turn.commands.push(Command::StartDetached(call));
            self.settle(id, Ok(input));
        }
        Ok(())
    }

    /// What runs, and the input that it gets.
    fn given(&mut self, id: u64, plan: &ProcessPlan, input: &Data) -> Result<(Callee, Data), Problem> {
        let place = Place::TaskDefinition;
        let mut given = Map::new();
        let callee = match &plan.what {
            ProcessKind::Script { language, code } => {
                given.insert("code".into(), Value::String(code.clone()));
                Callee::Script { language: *language }
            }
            ProcessKind::Computed { language, code } => {
                let code = self.evaluate(id, place, "run.script.code", code, input)?;
                given.insert("code".into(), Value::String(text(code.value())));
                Callee::Script { language: *language }
            }
            ProcessKind::Source { language, endpoint, authentication } => {
                let source = self.uri(id, "run.script.source.endpoint", endpoint, input)?;
                given.insert("source".into(), Value::String(source));
                if let Some(authentication) = authentication {
                    let policy = self.authentication(id, authentication, input)?;
                    given.insert("authentication".into(), policy.into_value());
                }
                Callee::Script { language: *language }
            }
            ProcessKind::Shell { command } => {
                let command = self.evaluate(id, place, "run.shell.command", command, input)?;
                given.insert("command".into(), Value::String(text(command.value())));
                Callee::Shell
            }
        };
        if let Some(template) = &plan.arguments {
            let arguments = self.evaluate(id, place, "arguments", template, input)?;
            given.insert("arguments".into(), arguments_of(arguments.value(), plan.is_shell())?);
        }
        if let Some(template) = &plan.environment {
            let environment = self.evaluate(id, place, "environment", template, input)?;
            given.insert("environment".into(), environment_of(environment.value())?);
        }
        if let Some(template) = &plan.stdin {
            let stdin = self.evaluate(id, place, "stdin", template, input)?;
            given.insert("stdin".into(), Value::String(text(stdin.value())));
        }
        let given = Data::new(Value::Object(given)).map_err(|error| expression_problem("run", None, error))?;
        Ok((callee, given))
    }

    /// A call is over. One over HTTP tells its output among other things. Of a process, `return` says what is the output; an exit code other than 0 is an error, unless the code
    /// is part of what was asked for.
    pub(crate) fn call_ended(&mut self, id: u64, result: Result<Data, Problem>) {
        let result = match self.frame(id).node.map(|node| &self.program.node(node).kind) {
            Some(Kind::Http(_)) => result.and_then(|answer| self.http_answered(id, answer)),
            Some(Kind::Process(plan)) => result.and_then(|ended| returned(plan, ended.value())),
            _ => result,
        };
        self.settle(id, result);
    }
}

/// What of the end of a process, `{code, stdout, stderr}`, is the output. A script that has `returned` something means that.
fn returned(plan: &ProcessPlan, ended: &Value) -> Result<Data, Problem> {
    let code = ended["code"].as_i64().unwrap_or(0);
    let stream = |name: &str| ended[name].as_str().unwrap_or_default().trim_end_matches(['\n', '\r']);
    if code != 0 && !matches!(plan.output, ProcessOutput::Code | ProcessOutput::All) {
        return Err(failed(plan, code, stream("stderr")));
    }
    let output = match plan.output {
        ProcessOutput::Stdout => ended.get("returned").cloned().unwrap_or_else(|| json!(stream("stdout"))),
        ProcessOutput::Stderr => json!(stream("stderr")),
        ProcessOutput::Code => json!(code),
        ProcessOutput::All => json!({"code": code, "stdout": stream("stdout"), "stderr": stream("stderr")}),
        ProcessOutput::None => Value::Null,
    };
    Data::new(output).map_err(|error| expression_problem("return", None, error))
}

fn failed(plan: &ProcessPlan, code: i64, complaint: &str) -> Problem {
    let (what, title) = match plan.is_shell() {
        true => ("command", "Command failed"),
        false => ("script", "Script failed"),
    };
    // What matters of a stack trace stands at its beginning.
    let mut end = complaint.len().min(MAX_COMPLAINT);
    while !complaint.is_char_boundary(end) {
        end -= 1;
    }
    let detail = match &complaint[..end] {
        "" => format!("the {what} ended with exit code {code}"),
        told if end < complaint.len() => format!("the {what} ended with exit code {code}: {told} …"),
        told => format!("the {what} ended with exit code {code}: {told}"),
    };
    let mut problem = Problem::new(ErrorKind::Runtime, title, detail);
    problem.extensions.insert("exitCode".into(), json!(code));
    problem
}

/// A list of texts, as programs have them; for a script also an object, whose members keep their types.
fn arguments_of(arguments: &Value, shell: bool) -> Result<Value, Problem> {
    match arguments {
        Value::Null => Ok(json!([])),
        Value::Array(items) => Ok(items.iter().map(text).collect()),
        Value::Object(_) if !shell => Ok(arguments.clone()),
        Value::Object(_) => {
            Err(invalid("arguments", "a shell command has no named arguments; list them, or use `environment`"))
        }
        _ => Err(invalid("arguments", "arguments are a list of strings")),
    }
}

/// Variables are texts. One that is null is not set.
fn environment_of(environment: &Value) -> Result<Value, Problem> {
    match environment {
        Value::Null => Ok(json!({})),
        Value::Object(variables) => {
            let set = variables.iter().filter(|(_, value)| !value.is_null());
            Ok(Value::Object(set.map(|(name, value)| (name.clone(), Value::String(text(value)))).collect()))
        }
        _ => Err(invalid("environment", "an environment is an object of names and values")),
    }
}

/// A text as it is, nothing for null, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn invalid(what: &str, message: &str) -> Problem {
    expression_problem(what, None, ExpressionError::Failed(message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(output: ProcessOutput) -> ProcessPlan {
        let what = ProcessKind::Script { language: ScriptLanguage::JavaScript, code: String::new() };
        ProcessPlan { what, stdin: None, arguments: None, environment: None, wait: true, output }
    }

    fn output(output: ProcessOutput, code: i64) -> Result<Value, Problem> {
        let ended = json!({"code": code, "stdout": "out\n\n", "stderr": " err\r\n"});
        returned(&plan(output), &ended).map(|data| data.value().clone())
    }

    #[test]
    fn return_chooses_what_is_the_output_without_the_line_ends_behind_it() {
        assert_eq!(output(ProcessOutput::Stdout, 0).unwrap(), json!("out"));
        assert_eq!(output(ProcessOutput::Stderr, 0).unwrap(), json!(" err"));
        assert_eq!(output(ProcessOutput::Code, 0).unwrap(), json!(0));
        assert_eq!(output(ProcessOutput::All, 0).unwrap(), json!({"code": 0, "stdout": "out", "stderr": " err"}));
        assert_eq!(output(ProcessOutput::None, 0).unwrap(), json!(null));
    }

    #[test]
    fn an_exit_code_is_an_error_unless_it_was_asked_for() {
        for what in [ProcessOutput::Stdout, ProcessOutput::Stderr, ProcessOutput::None] {
            let problem = output(what, 3).unwrap_err();
            assert!(problem.is(ErrorKind::Runtime));
            assert_eq!(problem.detail.as_deref(), Some("the script ended with exit code 3:  err"));
            assert_eq!(problem.extensions["exitCode"], 3);
        }
        assert_eq!(output(ProcessOutput::Code, 3).unwrap(), json!(3));
        assert_eq!(output(ProcessOutput::All, 3).unwrap()["code"], 3);
    }

    #[test]
    fn what_a_process_complained_about_is_repeated_only_in_part() {
        let ended = json!({"code": 1, "stdout": "", "stderr": "ä".repeat(1_000_000)});
        let problem = returned(&plan(ProcessOutput::Stdout), &ended).unwrap_err();
        assert!(problem.detail.unwrap().len() < 2 * MAX_COMPLAINT);
    }

    #[test]
    fn arguments_and_variables_are_texts_but_for_named_arguments_of_a_script() {
        assert_eq!(arguments_of(&json!(["a", 1, null, {"b": 2}]), false).unwrap(), json!(["a", "1", "", r#"{"b":2}"#]));
        assert_eq!(arguments_of(&json!({"a": 1}), false).unwrap(), json!({"a": 1}));
        assert!(arguments_of(&json!({"a": 1}), true).is_err());
        assert!(arguments_of(&json!("a"), false).is_err());
        assert_eq!(environment_of(&json!({"a": 1, "b": null, "c": "x"})).unwrap(), json!({"a": "1", "c": "x"}));
        assert!(environment_of(&json!(["a"])).is_err());
    }
}
