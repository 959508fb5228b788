//! `--cloudevents`: where lifecycle events go.

use std::time::Duration;

use anyhow::Context;
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
) -> anyhow::Result<Option<Publisher>> {
    let (Some(sink), Some(subscription)) = (&command.cloudevents, subscription) else { return Ok(None) };
    let lifecycle = Lifecycle::new(definitions).with_status_changes(command.cloudevents_status);
    let publisher = Publisher::start(subscription, lifecycle, sink, PublisherOptions::default());
    publisher.context("--cloudevents").map(Some)
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
