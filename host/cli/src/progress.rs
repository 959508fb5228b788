//! `hotcell progress serve` and `hotcell progress watch`

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use hotcell_machine::ExecutionId;
use hotcell_progress::{Limits, Store, Watch, serve as serve_progress, watch as watch_progress};
use tokio::net::TcpListener;

use crate::arguments::{ProgressForm, ServeCommand, WatchCommand};
use crate::drawing::printable;
use crate::say::say;
use crate::show::Show;
use crate::signals::Interruptions;

/// Serves until it is interrupted.
pub(crate) async fn serve(command: ServeCommand) -> anyhow::Result<ExitCode> {
    let mut interruptions = Interruptions::listen()?;
    let store = match &command.store {
        Some(file) => Store::open(file)?,
        None => Store::in_memory()?,
    };
    let listener = TcpListener::bind(command.listen)
        .await
        .with_context(|| format!("could not listen at {}; choose another address with --listen", command.listen))?;
    let kept = command.store.as_ref().map_or("in memory".to_owned(), |file| format!("in {}", file.display()));
    say(format_args!("collecting progress at http://{}, kept {kept}", listener.local_addr()?));
    serve_progress(listener, store.clone(), Limits::default(), async move { interruptions.next().await }).await?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Shows what a progress service has and gets.
pub(crate) async fn watch(command: WatchCommand) -> anyhow::Result<ExitCode> {
    let mut interruptions = Interruptions::listen()?;
    let mut show = Show::new(command.progress, Box::new(io::stdout()));
    let wanted =
        Watch { execution: command.execution.map(ExecutionId::new), from_sequence: command.from, ..Watch::default() };
    let mut events = watch_progress(&command.url, wanted)?;
    let mut ticks = tokio::time::interval(Duration::from_millis(80));
    let result = loop {
        tokio::select! {
            biased;
            () = interruptions.next() => break Ok(()),
            // Before the events, so that a steady stream of them does not keep the drawing from moving.
            _ = ticks.tick() => show.tick(),
            event = events.next() => match event {
                Some(Ok(event)) => if show.events(&[event.into()]).is_err() { break Ok(()) },
                Some(Err(error)) if error.is_temporary() => {
                    // In the midst of a live drawing it would only be painted over.
                    if command.progress != ProgressForm::Pretty {
                        say(format_args!("{}", printable(&error.to_string())));
                    }
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            },
        }
    };
    show.finish();
    result?;
    Ok(ExitCode::SUCCESS)
}
