//! Names, and the addresses that they stand for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use hotcell_egress::{Egress, EgressError, Resolve};

use crate::server::{allowing, answering, get, options};

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Answers of a name server that the attacker runs: each question takes the next answer.
#[derive(Default)]
struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    questions: AtomicU32,
}

impl Names {
    fn answering(name: &str, answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let names = Names::default();
        let answers: Vec<Vec<IpAddr>> = answers.iter().map(parse).collect();
        names.answers.lock().unwrap().insert(name.into(), answers);
        Arc::new(names)
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(name).filter(|answers| !answers.is_empty()).map(|answers| answers.remove(0));
        async move { answer.ok_or_else(|| std::io::Error::other("no such name")) }.boxed()
    }
}

fn with_names(allowed: &[&str], names: &Arc<Names>) -> Egress {
    let mut options = options(allowed);
    options.names = Arc::clone(names) as Arc<dyn Resolve>;
    Egress::new(options)
}

#[tokio::test]
async fn a_name_that_stands_for_this_machine_is_reached_only_if_it_is_named() {
    let server = answering(HELLO).await;
    let uri = format!("http://evil.example:{}/", server.address.port());
    for allowed in ["*", "*.example"] {
        let names = Names::answering("evil.example", &[&["127.0.0.1"]]);
        let error = get(&with_names(&[allowed], &names), &uri).await.err();
        assert!(matches!(error, Some(EgressError::NotPublic { .. })), "{error:?}");
        assert!(!error.unwrap().to_string().contains("127.0.0.1"), "the address is not told");
    }
    assert_eq!(server.connections(), 0);
    let names = Names::answering("evil.example", &[&["127.0.0.1"]]);
    assert!(get(&with_names(&["evil.example"], &names), &uri).await.is_ok());
}

#[tokio::test]
async fn one_address_that_is_not_public_spoils_the_name() {
    let names = Names::answering("mixed.example", &[&["93.184.216.34", "10.0.0.1"]]);
    let error = get(&with_names(&["*"], &names), "http://mixed.example/").await.err();
    assert!(matches!(error, Some(EgressError::NotPublic { .. })), "{error:?}");
}

#[tokio::test]
async fn where_clouds_keep_credentials_is_reached_by_no_name() {
    for address in ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"] {
        let names = Names::answering("named.example", &[&[address]]);
        let error = get(&with_names(&["named.example"], &names), "http://named.example/").await.err();
        assert!(matches!(error, Some(EgressError::NotPublic { .. })), "{address}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_what_was_checked_is_connected_to() {
    let server = answering(HELLO).await;
    // A second question would get another answer: the address of another server.
    let names = Names::answering("rebinding.example", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let uri = format!("http://rebinding.example:{}/", server.address.port());
    assert!(get(&with_names(&["rebinding.example"], &names), &uri).await.is_ok());
    assert_eq!((names.questions.load(Ordering::SeqCst), server.connections()), (1, 1));
}

#[tokio::test]
async fn names_that_are_not_allowed_are_not_even_looked_up() {
    let names = Arc::new(Names::default());
    let egress = with_names(&["api.example"], &names);
    let error = get(&egress, "http://s3cret.attacker.example/").await.err();
    assert!(matches!(error, Some(EgressError::NotAllowed { .. })), "{error:?}");
    assert_eq!(names.questions.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let server = answering(HELLO).await;
    let names = Names::answering("two.example", &[&["::1", "127.0.0.1"]]);
    let uri = format!("http://two.example:{}/", server.address.port());
    assert!(get(&with_names(&["two.example"], &names), &uri).await.is_ok());
}

#[tokio::test]
async fn a_name_that_is_not_known_is_unreachable() {
    let error = get(&with_names(&["*"], &Arc::new(Names::default())), "http://nobody.example/").await.err();
    assert!(matches!(error, Some(EgressError::Unreachable { .. })), "{error:?}");
}

#[tokio::test]
async fn localhost_is_reached_if_it_is_named() {
    let server = answering(HELLO).await;
    let port = server.address.port();
    assert!(get(&allowing(&["localhost"]), &format!("http://localhost:{port}/")).await.is_ok());
    let other = format!("localhost:{}", port.wrapping_add(1).max(1));
    let error = get(&allowing(&[&other]), &format!("http://localhost:{port}/")).await.err();
    assert!(matches!(error, Some(EgressError::NotAllowed { .. })), "{error:?}");
}
