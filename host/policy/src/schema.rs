//! The JSON Schema of a policy, from the tables by which it is read.

use serde_json::{Map, Value, json};

use crate::amount::Unit;
use crate::host::METHODS;
use crate::limit::{Limit, Scope};
use crate::pattern::MAX_PATTERN;
use crate::read::{HOST_FIELDS, MAX_LIST, MAX_PORTS, MAX_RULES, RULE_FIELDS, TENANT_FIELDS, TOP_FIELDS};

/// The JSON Schema (2020-12) of a policy. What no schema can say, that no level allows more than those above it, is left to
/// [`Policy::read`](crate::Policy::read).
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/hotcell/hotcell/blob/main/docs/policy.schema.json",
        "title": "hotcell policy",
        "description": "What calls may use and reach: for the operator, and narrower for tenants, workflows and tasks.",
        "type": "object",
        "properties": fields(&TOP_FIELDS),
        "additionalProperties": false,
        "$defs": {
            "size": {
                "description": "Bytes: a number, or one with a unit.",
                "oneOf": [
                    { "type": "integer", "minimum": 0 },
                    { "type": "string", "pattern": "^\\s*[0-9]+\\s*(B|KiB|MiB|GiB)\\s*$" },
                ],
                "examples": ["128MiB", "64KiB", 4096],
            },
            "duration": {
                "description": "A duration with a unit, or in ISO 8601.",
                "type": "string",
                "examples": ["10s", "500ms", "2m", "PT10S"],
            },
            "limits": limits(|_| true),
            "taskLimits": limits(|limit| limit.scope() == Scope::Call),
            "hosts": {
                "description": "The hosts that requests may go to. At the top, none unless they are named; further down, those \
                                of the level above unless there are fewer.",
                "type": "array",
                "items": { "$ref": "#/$defs/host" },
                "maxItems": MAX_LIST,
            },
            "host": {
                "oneOf": [{ "$ref": "#/$defs/hostName" }, {
                    "type": "object",
                    "properties": fields(&HOST_FIELDS),
                    "required": ["host"],
                    "additionalProperties": false,
                }],
            },
            "hostName": {
                "description": "A host, with or without a port and methods. `*.example.com` stands for the hosts beneath example.com, `*` for \
                                every host; both at public addresses only.",
                "type": "string",
                "minLength": 1,
                "examples": ["api.example.com", "api.example.com:8443", "*.example.com", "*", "api.example.com=GET,HEAD"],
            },
            "secrets": {
                "description": "The secrets that may be used, by name; `*` stands for any characters. At the top, none unless they \
                                are named; further down, those of the level above unless there are fewer.",
                "type": "array",
                "items": pattern(),
                "maxItems": MAX_LIST,
            },
            "tenant": {
                "description": "What holds for a tenant.",
                "type": "object",
                "properties": fields(&TENANT_FIELDS),
                "additionalProperties": false,
            },
            "rule": {
                "description": "What holds for some tasks, and for the tasks inside them.",
                "type": "object",
                "properties": fields(&RULE_FIELDS),
                "additionalProperties": false,
                "anyOf": (["workflow", "version", "task"].map(|field| json!({ "required": [field] }))),
                "if": { "required": ["task"] },
                "then": { "properties": { "limits": { "$ref": "#/$defs/taskLimits" } } },
            },
        },
    })
}

fn pattern() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MAX_PATTERN })
}

/// The fields of an object: each is what it is wherever it stands.
fn fields(names: &[&str]) -> Map<String, Value> {
    let described = |description: &str| {
        let mut schema = pattern();
        schema["description"] = description.into();
        schema
    };
    let field = |name: &str| match name {
        "limits" => json!({ "$ref": "#/$defs/limits" }),
        "hosts" => json!({ "$ref": "#/$defs/hosts" }),
        "secrets" => json!({ "$ref": "#/$defs/secrets" }),
        "tasks" => json!({
            "description": "Rules for single workflows and tasks. All that are about a task hold for it.",
            "type": "array",
            "items": { "$ref": "#/$defs/rule" },
            "maxItems": MAX_RULES,
        }),
        "tenants" => json!({
            "description": "What holds for each tenant, by name.",
            "type": "object",
            "additionalProperties": { "$ref": "#/$defs/tenant" },
        }),
        "host" => json!({ "$ref": "#/$defs/hostName" }),
        "ports" => json!({
            "description": "The ports. Default: every port.",
            "type": "array",
            "items": { "type": "integer", "minimum": 1, "maximum": 65_535 },
            "minItems": 1,
            "maxItems": MAX_PORTS,
        }),
        "methods" => json!({
            "description": "The methods. Default: every method.",
            "type": "array",
            "items": { "enum": METHODS },
            "minItems": 1,
            "maxItems": METHODS.len(),
        }),
        "workflow" => described(
            "The workflow, as namespace/name, or by its name in any namespace; `*` stands for any characters.",
        ),
        "version" => described("The versions of the workflow: `1.2.3`, `^1.2`, `>=1 <3`."),
        "task" => described(
            "The task: by name, or by reference, which begins with a slash; `*` stands for any characters, `**` for any number of \
             segments.",
        ),
        other => unreachable!("there is no field {other}"),
    };
    names.iter().map(|name| ((*name).to_owned(), field(name))).collect()
}

fn limits(which: impl Fn(Limit) -> bool) -> Value {
    let properties = Limit::ALL.iter().filter(|limit| which(**limit)).map(|limit| {
        let facts = limit.facts();
        let (least, most) = (limit.show(facts.range.0), limit.show(facts.range.1));
        let description =
            format!("{} Default {}; from {least} to {most}.", facts.description, limit.show(facts.default));
        let schema = match facts.unit {
            Unit::Bytes => json!({ "$ref": "#/$defs/size", "description": description }),
            Unit::Time => json!({ "$ref": "#/$defs/duration", "description": description }),
            Unit::Count => {
                let (least, most) = facts.range;
                json!({ "type": "integer", "minimum": least, "maximum": most, "description": description })
            }
        };
        (facts.name.to_owned(), schema)
    });
    json!({
        "description": "What a call may use at most. A level can only lower what the levels above it allow.",
        "type": "object",
        "properties": Map::from_iter(properties),
        "additionalProperties": false,
    })
}
