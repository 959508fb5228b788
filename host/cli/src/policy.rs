//! The policy of calls: read for a tenant, and its schema.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use hotcell_definition::Definition;
use hotcell_policy::{Policy, TenantPolicy, Workflow, schema};

use crate::arguments::PolicyArguments;
use crate::say::{read_enough, say_text};
use crate::{diagnostics, document};

/// The policy for the tenant that the arguments name; nothing, if they name no policy.
pub(crate) fn for_tenant(arguments: &PolicyArguments) -> anyhow::Result<Option<TenantPolicy>> {
    let tenant = arguments.tenant.as_deref();
    // An empty variable is none.
    let Some(file) = arguments.policy.as_deref().filter(|file| !file.as_os_str().is_empty()) else {
        match tenant {
            Some(tenant) => bail!("--tenant {tenant}: tenants stand in a policy; give one with --policy"),
            None => return Ok(None),
        }
    };
    let name = file.display().to_string();
    let bytes = document::read(file).context("--policy")?;
    let policy = Policy::read(&bytes).map_err(|refused| {
        say_text(&diagnostics::render(&name, &String::from_utf8_lossy(&bytes), &refused.diagnostics));
        anyhow::anyhow!("--policy: {name} is refused; nothing was run")
    })?;
    policy.tenant(tenant).map(Some).with_context(|| format!("--policy {name}"))
}

/// A definition, as policies know it. The version is given as text, by who keeps it.
pub(crate) fn workflow<'a>(definition: &'a Definition, version: &'a str) -> Workflow<'a> {
    Workflow { namespace: &definition.document.namespace, name: &definition.document.name, version }
}

/// Prints the schema.
pub(crate) fn print_schema() -> anyhow::Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{:#}", schema()).and_then(|()| stdout.flush());
    read_enough(written).context("could not write the schema")?;
    Ok(ExitCode::SUCCESS)
}
