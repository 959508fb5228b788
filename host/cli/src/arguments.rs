//! What can be written behind `hotcell`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use hotcell_egress::AllowedHost;

use crate::authoring::Language;

/// Runs Open Workflow documents, each task in a WebAssembly cell of its own.
#[derive(Debug, Parser)]
#[command(name = "hotcell", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  hotcell run workflow.yaml --input '{\"name\": \"Ada\"}'
  hotcell validate workflows/*.yaml
  hotcell new price --language python && hotcell build price
  hotcell dev price --input @price/order.json
  hotcell graph workflow.yaml --output workflow.svg
  hotcell progress serve --listen 127.0.0.1:7070 --store events.db
  hotcell component push price.wasm oci://registry.example.com/team/price:1.2.0

`hotcell help COMMAND` tells more of each command.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a workflow and prints its output.
    Run(Box<RunCommand>),
    /// Begins a task: its source, its SDK, and a workflow that calls it.
    New(NewCommand),
    /// Builds a task with the tool of its language.
    Build(BuildCommand),
    /// Builds and runs a workflow again whenever its files change.
    Dev(DevCommand),
    /// Checks documents and shows every problem where it stands.
    Validate(ValidateCommand),
    /// Draws a workflow, as Mermaid or as SVG.
    Graph(GraphCommand),
    /// Shows what a policy allows calls, and the schema of policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Collects progress events over gRPC, and shows them.
    #[command(subcommand)]
    Progress(ProgressCommand),
    /// Pushes components to OCI registries, and pulls them.
    #[command(subcommand)]
    Component(ComponentCommand),
    /// Prints a completion script for a shell.
    Completions(CompletionsCommand),
    /// Tells what confines the processes that tasks run in on this machine, and what is missing.
    #[cfg(target_os = "linux")]
    #[command(
        after_help = "Exit codes: 0 everything is there, 1 something is missing, 2 no worker process can be started."
    )]
    Doctor,
    /// Runs cells for the hotcell process that started it.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Worker,
    /// Compiles a component for the hotcell process that started it.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Compile,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell run workflow.yaml                                 the input is {}
  hotcell run workflow.yaml --input @orders.json            from a file
  curl … | hotcell run workflow.yaml --input - | jq .total  from a pipe, into a pipe
  hotcell run workflow.yaml --event @orders.ndjson          for a workflow that listens
  hotcell run workflow.yaml --secret api-key=@key.txt --secret TOKEN
  hotcell run workflow.yaml --allow-net api.example.com --allow-net localhost:8080
  hotcell run workflow.yaml --policy policy.yaml --tenant acme
  hotcell run workflow.yaml --progress json 2> events.ndjson
  hotcell run workflow.yaml --report-to http://127.0.0.1:7070
  hotcell run workflow.yaml --cloudevents http://127.0.0.1:8080/events
  hotcell run nightly.yaml --schedule --timezone Europe/Paris
  hotcell run workflow.yaml --workers 2                     tasks in processes of their own

The output is the only thing on standard output, as JSON; progress goes to standard error.
Exit codes: 0 completed, 1 faulted (or its output could not be written), 2 refused before it ran,
130 cancelled.
Scripts in Python need an interpreter that is not part of the binary: python.wasm in the folder HOTCELL_RUNTIMES
(default: hotcell/runtimes in the user's data folder), which scripts/runtimes builds.
Ctrl-C cancels the workflow: what runs is interrupted and told so. A second one ends at once.
With --schedule: 0 all runs completed, 1 at least one faulted, 130 stopped by Ctrl-C.")]
pub(crate) struct RunCommand {
    /// The definition, in YAML or JSON. Components are found relative to it.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// The input: a JSON text, @FILE, or - for standard input [default: {}].
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) input: Option<String>,

    /// Events that tasks can listen for: a file, or - for standard input, with one CloudEvent (1.0, as JSON) a line.
    /// They are held until something listens for them. May be given several times.
    #[arg(long, value_name = "@FILE|-")]
    pub(crate) event: Vec<String>,

    /// How progress is shown on standard error: drawn, one JSON event a line, or not at all.
    #[arg(long, value_name = "FORM", default_value = "pretty")]
    pub(crate) progress: ProgressForm,

    /// A host that workflows may send requests to, at any port or only this one; everything else is denied. May be
    /// given several times. *.example.com stands for the hosts beneath example.com, * for every host. Addresses that
    /// are not public (localhost, private networks) are reached only if the very host is named. Behind it,
    /// =GET,HEAD allows only requests with these methods.
    #[arg(long, value_name = "HOST[:PORT][=METHODS]")]
    pub(crate) allow_net: Vec<AllowedHost>,

    #[command(flatten)]
    pub(crate) policy: PolicyArguments,

    /// A file with certificates of issuers, in PEM form, that are trusted for https (requests of workflows, lifecycle events)
    /// besides those of the system.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,

    /// A secret that the workflow may use if its definition declares it: its value, a file that holds it, or its
    /// name alone for the environment variable of that name. May be given several times.
    #[arg(long, value_name = "NAME[=VALUE|=@FILE]")]
    pub(crate) secret: Vec<String>,

    /// A progress service to which every event is pushed, as `hotcell progress serve` is one. It never slows or
    /// fails the workflow.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) report_to: Option<String>,

    /// How long to wait at the end until the progress service and the sink of lifecycle events have everything, in
    /// seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) report_grace: u64,

    /// Runs tasks in so many processes of their own, which can open no file and no connection, instead of in this one:
    /// for components that you do not trust. `hotcell doctor` tells what confines them.
    #[cfg(target_os = "linux")]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,

    /// Lets `run: shell` run commands on this machine, outside of any cell: they can do whatever you can. Only for
    /// definitions that you trust as much as your own programs.
    #[arg(long)]
    pub(crate) allow_host_shell: bool,

    /// A folder of definitions that `run: workflow` finds, beside those that are in the folder of FILE. The functions of
    /// `call: name:version@default` are in it, too: functions/NAME/VERSION/function.yaml.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) catalog: Option<PathBuf>,

    /// Runs the workflow by the `schedule` of its definition until it is stopped, each run an execution of its own. The
    /// output of each completed run is one line. Without it, a workflow with a schedule runs once, now.
    #[arg(long)]
    pub(crate) schedule: bool,

    /// Ends the schedule after so many runs.
    #[arg(long, value_name = "N", requires = "schedule", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) schedule_runs: Option<u64>,

    /// How many runs of the schedule there are at once at the most. A time that comes while so many are going on is
    /// skipped.
    #[arg(long, value_name = "N", requires = "schedule", default_value_t = 16,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) schedule_concurrency: u64,

    /// The time zone in which a schedule counts days and reads cron expressions that name none, Europe/Paris for
    /// example.
    #[arg(long, value_name = "ZONE", requires = "schedule", default_value = "UTC")]
    pub(crate) timezone: String,

    /// Where lifecycle events (CloudEvents, as the specification has them) go: POSTed one by one to an http:// or https:// URL, or
    /// appended to a file, one a line. It never slows or fails the workflow; --report-grace holds for it too.
    #[arg(long, value_name = "URL|@FILE", value_hint = ValueHint::Url)]
    pub(crate) cloudevents: Option<String>,

    /// A token that is sent with each lifecycle event (Authorization: Bearer), or @ and the file that holds it. It is sent over
    /// https, or to this machine, only.
    #[arg(long, value_name = "TOKEN|@FILE", requires = "cloudevents")]
    #[arg(env = "HOTCELL_CLOUDEVENTS_TOKEN", hide_env_values = true)]
    pub(crate) cloudevents_token: Option<String>,

    /// Sends an event for each change of a status phase too, which the specification leaves open.
    #[arg(long, requires = "cloudevents")]
    pub(crate) cloudevents_status: bool,

    /// Where compiled components are kept. Empty: nowhere [default: hotcell in the user's cache folder].
    #[arg(long, value_name = "DIR", env = "HOTCELL_CACHE", value_hint = ValueHint::DirPath)]
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) cache: Option<PathBuf>,
}

/// Which policy holds.
#[derive(Debug, Args)]
pub(crate) struct PolicyArguments {
    /// The policy: what calls may use and reach, for everybody, for tenants, and for single tasks. --allow-net and
    /// --secret then give what the policy allows, and nothing else. docs/policy.md says what stands in it.
    #[arg(long, value_name = "FILE", env = "HOTCELL_POLICY", value_hint = ValueHint::FilePath)]
    pub(crate) policy: Option<PathBuf>,

    /// The tenant of the policy for whom this is.
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says what each call of a workflow may use and reach, and which level of the policy decided it.
    Explain(ExplainCommand),
    /// Prints the JSON Schema of policies, for editors.
    Schema,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell policy explain workflow.yaml --policy policy.yaml
  hotcell policy explain workflow.yaml --policy policy.yaml --tenant acme --task charge
  hotcell policy explain workflow.yaml --policy policy.yaml --json | jq '.calls[].limits.memory'

Without a policy, it shows the defaults. A policy with a level that allows more than the one above it is refused.
Exit codes: 0 explained, 2 the workflow or the policy is not valid, or has no such task or tenant.")]
pub(crate) struct ExplainCommand {
    /// The definition, in YAML or JSON; - for standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) policy: PolicyArguments,

    /// Only calls of the task with this name or reference, and of the tasks inside it.
    #[arg(long, value_name = "NAME|REFERENCE")]
    pub(crate) task: Option<String>,

    /// Prints a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressForm {
    /// A live tree on a terminal, lines elsewhere.
    Pretty,
    /// One event a line, as JSON.
    Json,
    /// Nothing.
    None,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell validate workflow.yaml
  hotcell validate workflows/*.yaml --format json | jq '.[].diagnostics[].code'

Exit codes: 0 all are valid, 2 at least one is not.")]
pub(crate) struct ValidateCommand {
    /// The documents, in YAML or JSON; - for standard input.
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// The folder of definitions that `run: workflow` finds, and of the default catalog of functions. With it, a workflow that
    /// is named and not known is an error.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) catalog: Option<PathBuf>,

    /// How problems are shown: for people, or as a JSON array with one entry for each file.
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,

    /// Where compiled components are kept. Empty: nowhere [default: hotcell in the user's cache folder].
    #[arg(long, value_name = "DIR", env = "HOTCELL_CACHE", value_hint = ValueHint::DirPath)]
    pub(crate) cache: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell new price --language rust
  hotcell new tasks/ship --language python

The task works as it stands; `hotcell build` makes its component. Nothing is downloaded, and nothing that is there is
overwritten.")]
pub(crate) struct NewCommand {
    /// The folder to make; its last part is the name of the task.
    #[arg(value_name = "NAME", value_hint = ValueHint::DirPath)]
    pub(crate) path: PathBuf,

    /// The language of the task.
    #[arg(long, short, value_name = "LANGUAGE")]
    pub(crate) language: Language,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell build                  the task in this folder
  hotcell build tasks/price

The language is known by Cargo.toml, package.json, requirements.txt, go.mod or Makefile; its own tool makes task.wasm in
the folder. That tool runs on this machine, outside of any cell: build only what you trust as much as your own programs.
The first build of JavaScript or Python installs what package-lock.json or requirements.txt pin, into node_modules or
.venv in the folder.
Exit codes: 0 built, 2 not built.")]
pub(crate) struct BuildCommand {
    /// The folder with the source of the task.
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell dev price --input @price/order.json
  hotcell dev workflow.yaml -- --allow-net api.example.com --progress json

Builds the tasks that the definition calls and whose source is here (`component: …/task.wasm`), as `hotcell build` does,
and runs it, as `hotcell run` does. When a file changes, a run that is going on is cancelled, what has changed is built,
and the workflow runs again. Ctrl-C ends it, with exit code 0.")]
pub(crate) struct DevCommand {
    /// The definition, or a folder with a workflow.yaml.
    #[arg(value_name = "FILE|DIR", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub(crate) file: PathBuf,

    /// The input of each run: a JSON text or @FILE [default: {}].
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) input: Option<String>,

    /// Options of `hotcell run`.
    #[arg(last = true, value_name = "RUN-OPTION")]
    pub(crate) options: Vec<std::ffi::OsString>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell graph workflow.yaml                              Mermaid, on standard output
  hotcell graph workflow.yaml --output workflow.svg        SVG, for light and dark backgrounds
  hotcell graph workflow.yaml --format svg > workflow.svg

Of a workflow with more than 1,000 tasks, the picture says how many it leaves out.
Exit codes: 0 drawn, 2 the document is not valid.")]
pub(crate) struct GraphCommand {
    /// The document, in YAML or JSON; - for standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// What is written [default: svg if the output is called so, otherwise mermaid].
    #[arg(long)]
    pub(crate) format: Option<GraphFormat>,

    /// The file to write [default: standard output].
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

/// How a workflow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A flowchart, for Markdown and wikis.
    Mermaid,
    /// A picture that needs nothing else.
    Svg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProgressCommand {
    /// Collects progress events and serves them to whoever watches.
    Serve(ServeCommand),
    /// Draws the events that a progress service has, and those that come.
    Watch(WatchCommand),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell progress serve --listen 127.0.0.1:7070                      in memory
  hotcell progress serve --listen 127.0.0.1:7070 --store events.db    in a SQLite file
  grpcurl -plaintext 127.0.0.1:7070 list                              health and reflection are on

There is no authentication: listen where only those can connect who may read everything.")]
pub(crate) struct ServeCommand {
    /// The address to listen at.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7070")]
    pub(crate) listen: SocketAddr,

    /// The SQLite file that keeps the events [default: they are kept in memory].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell progress watch http://127.0.0.1:7070                        every execution
  hotcell progress watch http://127.0.0.1:7070 01939c2e-…             one, until it ends
  hotcell progress watch http://127.0.0.1:7070 01939c2e-… --from 40 --progress json")]
pub(crate) struct WatchCommand {
    /// The progress service.
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: String,

    /// The execution to watch [default: all].
    #[arg(value_name = "EXECUTION")]
    pub(crate) execution: Option<String>,

    /// The first sequence number to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) from: u64,

    /// How events are shown: drawn on standard error, or one JSON event a line on standard output.
    #[arg(long, value_name = "FORM", default_value = "pretty")]
    pub(crate) progress: ProgressForm,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ComponentCommand {
    /// Shows what a component or a WASI module exports and imports, with an example call for each function.
    Inspect(InspectCommand),
    /// Pushes a component, or a WASI module, to an OCI registry, and prints the reference that pins it.
    Push(PushCommand),
    /// Pulls a component from an OCI registry into a file, and prints the reference that pins it.
    Pull(PullCommand),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell component inspect price.wasm
  hotcell component inspect price.wasm --json | jq -r '.exports[].name'

Nothing of the component is run. An import that is marked as denied is why a component is refused.")]
pub(crate) struct InspectCommand {
    /// The component, or the module.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// Prints everything as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell component push price.wasm oci://registry.example.com/team/price:1.2.0
  hotcell component push price.wasm oci://localhost:5000/price:dev        without TLS, as it stays on this machine

Credentials are those of `docker login`: $DOCKER_CONFIG/config.json, or else ~/.docker/config.json.
A definition names it by `component: oci://registry.example.com/team/price:1.2.0`, and runs with
`--allow-net registry.example.com`.")]
pub(crate) struct PushCommand {
    /// The component.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// Where it goes: oci://REGISTRY/REPOSITORY:TAG.
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: String,

    #[command(flatten)]
    pub(crate) registry: RegistryArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell component pull oci://registry.example.com/team/price:1.2.0
  hotcell component pull oci://registry.example.com/team/price@sha256:… --output price.wasm

What was pulled is kept by its digest in the user's cache folder (hotcell/content), and is not asked for again.")]
pub(crate) struct PullCommand {
    /// Where it is: oci://REGISTRY/REPOSITORY:TAG, or oci://REGISTRY/REPOSITORY@sha256:… by the digest of its manifest.
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: String,

    /// The file to write [default: the last name of the repository, with .wasm].
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) registry: RegistryArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryArguments {
    /// A host at an address that is not public to which the registry sends on: for tokens or for its storage. The
    /// registry itself, and what is public, need not be named. May be given several times.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) allow_net: Vec<AllowedHost>,

    /// A file with certificates of issuers, in PEM form, that are trusted besides those of the system.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hotcell completions bash > ~/.local/share/bash-completion/completions/hotcell
  hotcell completions zsh > \"${fpath[1]}/_hotcell\"
  hotcell completions fish > ~/.config/fish/completions/hotcell.fish")]
pub(crate) struct CompletionsCommand {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
