//! The events that `hotcell run --event` feeds.

use std::io::{self, BufRead, BufReader, Read};

use anyhow::{Context, bail};
use hotcell_expression::Data;
use hotcell_machine::CloudEvent;
use hotcell_runtime::Broker;

/// How many events may be fed: half of what the broker holds, so that those that workflows emit do not drive them out
/// before anything listens.
const MAX_EVENTS: usize = Broker::MAX_EVENTS / 2;

/// How large all of them may be together: half of what the broker holds.
const MAX_BYTES: u64 = Broker::MAX_BYTES / 2;

/// Whether the arguments ask for standard input.
pub(crate) fn reads_standard_input(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == "-")
}

/// Reads all events from the files that the arguments name: NDJSON, one CloudEvent a line. Empty lines are passed over.
pub(crate) fn read(arguments: &[String]) -> anyhow::Result<Vec<CloudEvent>> {
    if arguments.iter().filter(|argument| *argument == "-").count() > 1 {
        bail!("--event -: standard input can be read once; put one of them into a file");
    }
    let mut feed = Feed::default();
    for argument in arguments {
        match argument.strip_prefix('@') {
            Some(file) => {
                let opened = std::fs::File::open(file).with_context(|| format!("--event: could not open {file}"))?;
                feed.read(opened, file)?;
            }
            None if argument == "-" => feed.read(io::stdin().lock(), "standard input")?,
            None => bail!("--event {argument}: write @FILE, or - for standard input"),
        }
    }
    Ok(feed.events)
}

#[derive(Default)]
struct Feed {
    events: Vec<CloudEvent>,
    bytes: u64,
}

impl Feed {
    fn read(&mut self, from: impl Read, name: &str) -> anyhow::Result<()> {
        let mut lines = BufReader::new(from);
        for number in 1u64.. {
            let at = || format!("{name}:{number}");
            let mut line = Vec::new();
            // A little more than an event may have at the most; what is cut is refused as too large.
            let limit = Data::MAX_BYTES * 2;
            let read = lines.by_ref().take(limit).read_until(b'\n', &mut line);
            if read.with_context(|| format!("--event: could not read {}", at()))? == 0 {
                break;
            }
            let line = std::str::from_utf8(&line).with_context(|| format!("--event: {}: not UTF-8", at()))?.trim();
            if line.is_empty() {
                continue;
            }
            let event = CloudEvent::from_json(line).map_err(|error| anyhow::anyhow!("--event: {}: {error}", at()))?;
            self.bytes += event.envelope().bytes();
            self.events.push(event);
            if self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
                bail!(
                    "--event: {}: these are too many events; at most {MAX_EVENTS} are fed, of {} MiB together",
                    at(),
                    MAX_BYTES >> 20
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Feed::default().read(text.as_bytes(), "feed").unwrap_err().to_string()
    }

    #[test]
    fn an_event_that_is_none_is_refused_with_its_line() {
        let event = r#"{"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}"#;
        assert!(refused(&format!("{event}\n\n{{\"id\": 1}}\n")).contains("feed:3: the event has no `specversion`"));
        assert!(refused(&format!("{event}\n{event} x")).contains("feed:2: not valid JSON"));
    }

    #[test]
    fn more_events_than_the_broker_holds_are_refused() {
        let event = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}\n";
        assert!(
            refused(&event.repeat(MAX_EVENTS + 1)).contains(&format!("feed:{}: these are too many", MAX_EVENTS + 1))
        );
    }

    #[test]
    fn a_line_without_end_is_refused() {
        assert!(refused(&"[".repeat(64 << 20)).contains("feed:1: the data is larger"));
    }
}
