//! What gets documents over HTTP.

use futures::future::BoxFuture;
use serde_json::Value;
use url::Url;

/// Gets documents over HTTP. Which hosts it reaches, and how long it waits, is its own affair.
pub trait Fetch: Send + Sync {
    /// Gets a document, or a sentence that says why not.
    fn get<'a>(&'a self, request: FetchRequest<'a>) -> BoxFuture<'a, Result<Vec<u8>, String>>;
}

/// A document to get.
#[derive(Clone)]
pub struct FetchRequest<'a> {
    /// Where it is, `http:` or `https:`.
    pub url: &'a Url,
    /// How to authenticate, evaluated: an object whose one member is the scheme, with its properties. They are secret, and for the
    /// host of the URL (or its authority) alone.
    pub authentication: Option<Value>,
    /// The most bytes that the document may have. What is longer need not be read to its end.
    pub limit: u64,
}
