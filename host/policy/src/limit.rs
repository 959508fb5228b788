//! The limits: what each is called, what it counts, its default, and how far an operator can raise it.

use std::time::Duration;

use crate::amount::Unit;

/// Whether a limit is of one call, or of all that a definition does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Of one call. May be lowered for a task.
    Call,
    /// Of expressions, schemas and components, which the tasks of a definition share. May be lowered for a workflow, but not
    /// for a task of it.
    Workflow,
}

/// What is known of a limit.
pub(crate) struct Facts {
    /// What it is called in a policy.
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) scope: Scope,
    /// What holds where a policy says nothing.
    pub(crate) default: u64,
    /// The least that lets anything run, and the most that the host can hold.
    pub(crate) range: (u64, u64),
    /// What it counts, and what happens beyond it.
    pub(crate) description: &'static str,
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $limit:ident: $name:literal, $unit:ident, $scope:ident, $default:expr, $range:expr;)+) => {
        /// A limit. The documentation of each is that of the policy's JSON Schema.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Limit {
            $($(#[doc = $doc])+ $limit,)+
        }

        impl Limit {
            /// Every limit, in the order in which they are shown.
            pub const ALL: &'static [Limit] = &[$(Limit::$limit),+];

            pub(crate) fn facts(self) -> Facts {
                match self {
                    $(Limit::$limit => Facts {
                        name: $name,
                        unit: Unit::$unit,
                        scope: Scope::$scope,
                        default: $default,
                        range: $range,
                        description: concat!($($doc),+).trim_ascii(),
                    },)+
                }
            }
        }
    };
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// Times are kept in milliseconds.
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;

limits! {
    /// Bytes of all linear memories of a call together. Beyond: the problem "Memory limit".
    Memory: "memory", Bytes, Call, 128 * MIB, (64 * KIB, 1 << 30);
    /// How long a call may take, instantiation and host calls included; a task's `timeout` shortens it. Beyond: the problem "Time limit", 408.
    WallTime: "wallTime", Time, Call, 60 * SECOND, (1, 24 * HOUR);
    /// The time that a processor spends on a call. Beyond: the problem "CPU limit".
    CpuTime: "cpuTime", Time, Call, 10 * SECOND, (1, HOUR);
    /// Bytes of a call's input, of its output, and of each host call's data. Beyond: the problem "Payload limit".
    Payload: "payload", Bytes, Call, 8 * MIB, (16, 8 * MIB);
    /// JSON values in a call's output, and in the data of each progress report. Beyond: the problem "Payload limit".
    PayloadValues: "payloadValues", Count, Call, 1_000_000, (1, 1_000_000);
    /// Bytes of all that a call logs and prints. Beyond: the rest is dropped, a last line says how much, and the task goes on.
    LogBytes: "logBytes", Bytes, Call, 256 * KIB, (0, 64 * MIB);
    /// Resources and handles of the component model that a call holds at the same time. Beyond: the problem "Resource limit".
    Handles: "handles", Count, Call, 1_000, (1, 100_000);
    /// Progress reports that a call makes at once; one more each 100 ms. Beyond: they are dropped, a last log line says how many, and the task goes on.
    Reports: "reports", Count, Call, 1_000, (0, 100_000);
    /// Bytes of memory for evaluating the workflow's expressions and schemas. Beyond: the problem "Expression memory limit".
    ExpressionMemory: "expressionMemory", Bytes, Workflow, 64 * MIB, (4 * MIB, 1 << 30);
    /// The time that a processor spends on one evaluation of an expression or a schema. Beyond: the problem "Expression time limit".
    ExpressionTime: "expressionTime", Time, Workflow, SECOND, (1, 60 * SECOND);
    /// Bytes of a component. Beyond: the problem "Component not available", before anything is compiled.
    ComponentSize: "componentSize", Bytes, Workflow, 64 * MIB, (KIB, 64 * MIB);
    /// How long compiling a component may take. Beyond: the problem "Component not available".
    CompileTime: "compileTime", Time, Workflow, 30 * SECOND, (1, HOUR);
}

impl Limit {
    /// What it is called in a policy: `memory`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The limit of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Limit::ALL.iter().copied().find(|limit| limit.name() == name)
    }

    /// What it is a limit of.
    pub fn scope(self) -> Scope {
        self.facts().scope
    }

    /// What holds where no policy says anything: bytes, a number, or milliseconds.
    pub fn default_amount(self) -> u64 {
        self.facts().default
    }

    /// What it counts, and what happens beyond it.
    pub fn description(self) -> &'static str {
        self.facts().description
    }

    /// An amount of it as people write it: `128MiB`, `10s`, `1000`.
    pub fn show(self, amount: u64) -> String {
        self.facts().unit.show(amount)
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// An amount of time.
pub(crate) fn duration(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
