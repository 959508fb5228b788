//! What gets documents over HTTP.

use futures::FutureExt;
use futures::future::BoxFuture;
use hotcell_egress::Egress;
use url::Url;

/// Gets documents over HTTP. Which hosts it reaches, and how long it waits, is its own affair.
pub trait Fetch: Send + Sync {
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

/// Through the one way out: to the hosts that the operator allows, and no others.
impl Fetch for Egress {
    fn get<'a>(&'a self, request: FetchRequest<'a>) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        async move {
            let document = Egress::get(self, request.url.as_str(), &request.headers);
            let document = document.await.map_err(|error| error.to_string())?;
            if document.bytes.len() as u64 > request.limit {
                return Err(format!("it is larger than {} MiB", request.limit >> 20));
            }
            Ok(document.bytes.to_vec())
        }
        .boxed()
    }
}
