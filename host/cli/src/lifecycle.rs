//! `--cloudevents`: where lifecycle events go.

use std::time::Duration;

use anyhow::Context;
use hotcell_egress::Egress;
use hotcell_progress::{Definitions, Lifecycle, Publisher, PublisherOptions, Subscription};

use crate::arguments::RunCommand;
use crate::drawing::printable;
use crate::say::say;
use crate::signals::Interruptions;

/// Starts to publish, if that is wanted.
pub(crate) fn publish(
    command: &RunCommand,
    subscription: Option<Subscription>,
    definitions: Definitions,
    egress: &Egress,
) -> anyhow::Result<Option<Publisher>> {
    let (Some(sink), Some(subscription)) = (&command.cloudevents, subscription) else { return Ok(None) };
    let lifecycle = Lifecycle::new(definitions).with_status_changes(command.cloudevents_status);
    // Reading the system's certificates takes milliseconds.
    let tls = sink.starts_with("https:").then(|| egress.tls());
    let token = command.cloudevents_token.as_deref().map(token).transpose()?;
    let publisher =
        Publisher::start(subscription, lifecycle, sink, PublisherOptions { tls, token, ..PublisherOptions::default() });
    publisher.context("--cloudevents").map(Some)
}

/// The token, or the one in a file.
fn token(given: &str) -> anyhow::Result<String> {
    let Some(file) = given.strip_prefix('@') else { return Ok(given.to_owned()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("--cloudevents-token: could not read {file}"))?;
    Ok(text.trim_end().to_owned())
}

/// Waits until everything is published, for as long as the user grants, and says what is not.
pub(crate) async fn finish(publisher: Publisher, command: &RunCommand, interruptions: &mut Interruptions) {
    let published = tokio::select! {
        published = publisher.finish(Duration::from_secs(command.report_grace)) => published,
        () = interruptions.next() => return say(format_args!("lifecycle events may not have been published")),
    };
    if !published.is_complete() {
        say(format_args!("{}", printable(&published.to_string())));
    }
}
