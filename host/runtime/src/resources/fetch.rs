//! What gets documents over HTTP.

use std::fmt;

use futures::future::BoxFuture;
use url::Url;

/// Gets documents over HTTP. Which hosts it reaches, and how long it waits, is its own affair.
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Gets a document, or a sentence that says why not.
    fn get<'a>(&'a self, request: FetchRequest<'a>) -> BoxFuture<'a, Result<Vec<u8>, String>>;
}

/// A document to get.
#[derive(Debug, Clone)]
pub struct FetchRequest<'a> {
    /// Where it is, `http:` or `https:`.
    pub url: &'a Url,
    /// The headers to send, by name. They may hold credentials, which are for the host of the URL alone.
    pub headers: Vec<(String, String)>,
    /// The most bytes that the document may have. What is longer need not be read to its end.
    pub limit: u64,
}
