//! Showing events as they come.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use hotcell_machine::Event;
use hotcell_progress::Subscription;
use jiff::Timestamp;

use crate::arguments::ProgressForm;
use crate::drawing::{Drawing, Mode};

/// How often a live drawing moves.
const TICK: Duration = Duration::from_millis(80);

/// How long events gather before they are shown. Whoever waits for each of a hundred thousand events a second has to be woken as
/// often, by the threads that run the workflow.
const GATHER: Duration = Duration::from_millis(5);

/// Shows events in one of the forms.
pub(crate) enum Show {
    Drawing(Box<Drawing>),
    Lines(Box<dyn Write + Send>),
    Nothing,
}

impl Show {
    /// Shows events; `json` says where lines of JSON go.
    pub(crate) fn new(form: ProgressForm, json: Box<dyn Write + Send>) -> Self {
        match form {
            ProgressForm::Pretty => {
                let live = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
                let mode = if live { Mode::Live } else { Mode::Lines };
                Show::Drawing(Box::new(Drawing::stderr(mode)))
            }
            ProgressForm::Json => Show::Lines(Box::new(BufWriter::new(json))),
            ProgressForm::None => Show::Nothing,
        }
    }

    /// Draws in lines, also on a terminal.
    pub(crate) fn in_lines(self) -> Self {
        match self {
            Show::Drawing(_) => Show::Drawing(Box::new(Drawing::stderr(Mode::Lines))),
            other => other,
        }
    }

    /// Shows some events.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub(crate) fn events(&mut self, events: &[Arc<Event>]) -> io::Result<()> {
        match self {
            Show::Drawing(drawing) => events.iter().for_each(|event| drawing.event(event)),
            Show::Lines(writer) => {
                for event in events {
                    serde_json::to_writer(&mut *writer, event)?;
                    writer.write_all(b"\n")?;
                }
                writer.flush()?;
            }
            Show::Nothing => {}
        }
        Ok(())
    }

    /// Lets what is drawn live move on.
    pub(crate) fn tick(&mut self) {
        if let Show::Drawing(drawing) = self {
            drawing.tick(Timestamp::now());
        }
    }

    /// Leaves the last state on the screen.
    pub(crate) fn finish(self) {
        if let Show::Drawing(drawing) = self {
            drawing.finish();
        }
    }

    /// Shows everything that a subscription has, until its log is closed.
    pub(crate) async fn follow(mut self, mut subscription: Subscription) {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                biased;
                // First, so that a steady stream of events does not keep the drawing from moving.
                _ = ticks.tick() => self.tick(),
                events = subscription.next() => {
                    let Some(events) = events else { break };
                    // Nobody reads standard error any more; the workflow goes on.
                    if self.events(&events).is_err() {
                        return;
                    }
                    tokio::time::sleep(GATHER).await;
                }
            }
        }
        self.finish();
    }
}
