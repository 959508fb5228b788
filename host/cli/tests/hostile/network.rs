//! What names stand for while an attack goes on.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{self, BoxFuture};
use hotcell_egress::Resolve;

/// A name server whose answers change, or never come.
pub(crate) struct Names {
    answers: BTreeMap<String, Vec<Vec<IpAddr>>>,
    /// How often each name was looked up.
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Names {
    pub(crate) fn new(answers: &BTreeMap<String, Vec<Vec<IpAddr>>>) -> Self {
        Names { answers: answers.clone(), asked: Mutex::default() }
    }

    /// A name that was not looked up as often as its answers are: an answer was used twice, or a name asked for that
    /// nobody may know of.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = asked.keys().filter(|name| !self.answers.contains_key(*name));
        let mut wrong: Vec<String> = unknown.map(|name| format!("the name {name} was looked up")).collect();
        for (name, answers) in &self.answers {
            let (asked, answers) = (asked.get(name).copied().unwrap_or(0), answers.len().max(1));
            if asked != answers {
                wrong.push(format!("the name {name} was looked up {asked} times instead of {answers}"));
            }
        }
        wrong
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(name.to_owned()).or_default();
        *times += 1;
        match self.answers.get(name) {
            None => future::ready(Err(io::Error::from(io::ErrorKind::NotFound))).boxed(),
            Some(answers) if answers.is_empty() => future::pending().boxed(),
            Some(answers) => future::ready(Ok(answers[(*times - 1).min(answers.len() - 1)].clone())).boxed(),
        }
    }
}
