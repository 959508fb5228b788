//! `hotcell component`

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use hotcell_egress::{AllowedHost, Egress};
use hotcell_registry::{ComponentReference, Credentials, OciReference, Registry};

use crate::arguments::{PullCommand, PushCommand, RegistryArguments};
use crate::engine;
use crate::say::say;

/// Pushes a component to a registry. What is printed is the reference that means it and nothing else.
pub(crate) async fn push(command: PushCommand) -> anyhow::Result<ExitCode> {
    let reference = reference(&command.reference)?;
    if reference.digest.is_some() {
        bail!("{}: a digest follows from what is pushed; name a tag instead", command.reference);
    }
    let component =
        std::fs::read(&command.file).with_context(|| format!("could not read {}", command.file.display()))?;
    let registry = registry(&reference, &command.registry)?;
    let pushed = registry.push(&component, &reference).await.with_context(|| command.reference.clone())?;
    say(format_args!("pushed {} ({} bytes, {})", command.file.display(), component.len(), pushed.component));
    println!("{}", pushed.pinned);
    Ok(ExitCode::SUCCESS)
}

/// Pulls a component from a registry.
pub(crate) async fn pull(command: PullCommand) -> anyhow::Result<ExitCode> {
    let reference = reference(&command.reference)?;
    let registry = registry(&reference, &command.registry)?;
    let fetched = registry.fetch(&ComponentReference::Oci(reference.clone())).await;
    let fetched = fetched.with_context(|| command.reference.clone())?;
    let name = reference.repository.rsplit('/').next().expect("a repository has a name");
    let file = command.output.unwrap_or_else(|| Path::new(name).with_extension("wasm"));
    std::fs::write(&file, &fetched.component).with_context(|| format!("could not write {}", file.display()))?;
    say(format_args!("wrote {} ({} bytes)", file.display(), fetched.component.len()));
    println!("{}", fetched.pinned);
    Ok(ExitCode::SUCCESS)
}

fn reference(text: &str) -> anyhow::Result<OciReference> {
    match text.parse()? {
        ComponentReference::Oci(reference) => Ok(reference),
        ComponentReference::Url(_) => {
            bail!("{text}: components are pushed to and pulled from registries; write `oci://…`")
        }
    }
}

/// The registry that the user names: it may be anywhere, and send on to wherever is public.
fn registry(reference: &OciReference, arguments: &RegistryArguments) -> anyhow::Result<Registry> {
    let mut allowed: Vec<AllowedHost> = arguments.allow_net.clone();
    allowed.push("*".parse().expect("a pattern"));
    allowed.push(reference.registry.parse().with_context(|| reference.registry.clone())?);
    let egress: Egress = engine::egress(&allowed, arguments.ca_file.as_deref(), None)?;
    Ok(Registry::new(&egress, engine::content_store(), Credentials::of_docker()))
}
