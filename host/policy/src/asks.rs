//! What a definition asks for, as far as can be read in it without running it.

use hotcell_definition::{
    Call, Definition, Duration, NamedTask, Process, Reusable, TaskKind, TaskList, TaskReference, Template, Timeout,
};
use jiff::SpanRelativeTo;
use url::Url;

/// What a definition asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asks {
    /// Its calls, in the order in which they stand.
    pub calls: Vec<Ask>,
    /// The secrets that it declares: `use.secrets`.
    pub secrets: Vec<String>,
}

/// What one call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Where its task stands.
    pub reference: String,
    /// The task's name.
    pub name: String,
    /// What is called: `call: http`, `run: script`.
    pub what: String,
    /// The shortest `timeout` of the task and of what it stands in, in milliseconds. Those that are computed are not known.
    pub timeout: Option<u64>,
    /// Where it may send requests.
    pub host: HostAsk,
}

/// Where a call may send requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAsk {
    /// Nowhere: a component or a script.
    Nothing,
    /// To this host.
    Host {
        /// The method, unless it is computed.
        method: Option<String>,
        /// The host, as requests have it.
        host: String,
        /// The port.
        port: u16,
    },
    /// That is computed, or up to others: redirects, discovery, the document of a service.
    Unknown,
}

/// Reads a definition.
pub fn asks(definition: &Definition) -> Asks {
    let mut walk = Walk { definition, calls: Vec::new() };
    let root = TaskReference::root();
    let timeout = walk.shorter(None, definition.timeout.as_ref());
    walk.tasks(&definition.tasks, &root.join("do"), timeout);
    for (index, (name, extension)) in definition.components.extensions.iter().enumerate() {
        let at = root.join("use").join("extensions").index(index).join(name);
        for (side, tasks) in [("before", &extension.before), ("after", &extension.after)] {
            if let Some(tasks) = tasks {
                walk.tasks(tasks, &at.join(side), timeout);
            }
        }
    }
    Asks { calls: walk.calls, secrets: definition.components.secrets.clone() }
}

struct Walk<'d> {
    definition: &'d Definition,
    calls: Vec<Ask>,
}

impl Walk<'_> {
    /// As deep as a document is nested, which is bounded.
    fn tasks(&mut self, tasks: &TaskList, at: &TaskReference, around: Option<u64>) {
        for (index, NamedTask { name, task }) in tasks.0.iter().enumerate() {
            let reference = at.index(index).join(name);
            let timeout = self.shorter(around, task.timeout.as_ref());
            let mut call = |what: &str, host: HostAsk| {
                let (reference, name) = (reference.to_string(), name.clone());
                self.calls.push(Ask { reference, name, what: what.into(), timeout, host });
            };
            match &task.kind {
                TaskKind::Call(called) => match &**called {
                    Call::Http(http) => {
                        let host =
                            if http.redirect { HostAsk::Unknown } else { host(&http.method, &http.endpoint.uri) };
                        call("call: http", host);
                    }
                    Call::OpenApi(_) => call("call: openapi", HostAsk::Unknown),
                    Call::Grpc(_) => call("call: grpc", HostAsk::Unknown),
                    Call::AsyncApi(_) => call("call: asyncapi", HostAsk::Unknown),
                    Call::A2a(_) => call("call: a2a", HostAsk::Unknown),
                    Call::Mcp(_) => call("call: mcp", HostAsk::Unknown),
                    Call::Wasm(_) => call("call: wasm", HostAsk::Nothing),
                    Call::Function(function) => call(&format!("call: {}", function.name), HostAsk::Unknown),
                },
                TaskKind::Run(run) => match &run.process {
                    Process::Script(_) => call("run: script", HostAsk::Nothing),
                    Process::Shell(_) => call("run: shell", HostAsk::Nothing),
                    Process::Container(_) => call("run: container", HostAsk::Nothing),
                    // Another workflow, with a policy of its own.
                    Process::Workflow(_) => {}
                },
                TaskKind::Do(tasks) => self.tasks(tasks, &reference.join("do"), timeout),
                TaskKind::For(repeat) => self.tasks(&repeat.tasks, &reference.join("do"), timeout),
                TaskKind::Fork(fork) => self.tasks(&fork.branches, &reference.join("fork").join("branches"), timeout),
                TaskKind::Try(attempt) => {
                    self.tasks(&attempt.tasks, &reference.join("try"), timeout);
                    if let Some(tasks) = &attempt.catch.tasks {
                        self.tasks(tasks, &reference.join("catch").join("do"), timeout);
                    }
                }
                TaskKind::Listen(listen) => {
                    if let Some(tasks) = listen.foreach.as_ref().and_then(|foreach| foreach.tasks.as_ref()) {
                        self.tasks(tasks, &reference.join("foreach").join("do"), timeout);
                    }
                }
                TaskKind::Emit(_) | TaskKind::Raise(_) | TaskKind::Set(_) | TaskKind::Switch(_) | TaskKind::Wait(_) => {
                }
            }
        }
    }

    fn shorter(&self, around: Option<u64>, timeout: Option<&Reusable<Timeout>>) -> Option<u64> {
        let timeout = timeout.and_then(|timeout| match timeout {
            Reusable::Inline(timeout) => Some(timeout),
            Reusable::Named(name) => self.definition.components.timeouts.get(name),
        });
        let own = timeout.and_then(|timeout| match &timeout.after {
            Duration::Literal(span) => span.0.to_duration(SpanRelativeTo::days_are_24_hours()).ok(),
            Duration::Expression(_) => None,
        });
        let own = own.and_then(|own| u64::try_from(own.as_millis()).ok());
        [around, own].into_iter().flatten().min()
    }
}

fn host(method: &Template, uri: &Template) -> HostAsk {
    let plain = |template: &Template| template.0.as_str().filter(|text| !text.contains("${")).map(ToOwned::to_owned);
    let Some(uri) = plain(uri) else { return HostAsk::Unknown };
    // A URI template computes its host if the braces stand in it.
    let authority = uri.split("://").nth(1).map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let Some(url) = authority.filter(|authority| !authority.contains('{')).and_then(|_| Url::parse(&uri).ok()) else {
        return HostAsk::Unknown;
    };
    match (url.host(), url.port_or_known_default()) {
        (Some(host), Some(port)) => {
            let host = match host {
                url::Host::Domain(name) => name.strip_suffix('.').unwrap_or(name).to_owned(),
                url::Host::Ipv4(address) => address.to_string(),
                url::Host::Ipv6(address) => std::net::IpAddr::V6(address).to_canonical().to_string(),
            };
            HostAsk::Host { method: plain(method).map(|method| method.to_uppercase()), host, port }
        }
        _ => HostAsk::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_wherever_they_stand_with_their_shortest_timeout_and_their_host() {
        let text = "
document: { dsl: '1.0.3', namespace: shop, name: orders, version: '1.0.0' }
use:
  secrets: [ key ]
  timeouts: { short: { after: PT2S } }
timeout: { after: PT1M }
do:
  - pay:
      timeout: short
      try:
        - charge: { call: http, with: { method: post, endpoint: 'https://Pay.example.com:8443/v1/{id}' } }
      catch:
        do:
          - tell: { call: wasm, with: { component: tell.wasm } }
  - ask: { call: http, with: { method: get, endpoint: 'https://{host}/x' } }
";
        let asks = asks(&Definition::parse(text.as_bytes()).unwrap().definition);
        assert_eq!(asks.secrets, ["key"]);
        let found: Vec<_> = asks.calls.iter().map(|ask| (ask.reference.as_str(), ask.timeout)).collect();
        assert_eq!(
            found,
            [
                ("/do/0/pay/try/0/charge", Some(2_000)),
                ("/do/0/pay/catch/do/0/tell", Some(2_000)),
                ("/do/1/ask", Some(60_000)),
            ]
        );
        let (method, host) = (Some("POST".to_owned()), "pay.example.com".to_owned());
        assert_eq!(asks.calls[0].host, HostAsk::Host { method, host, port: 8443 });
        assert_eq!(asks.calls[1].host, HostAsk::Nothing);
        assert_eq!(asks.calls[2].host, HostAsk::Unknown);
    }
}
