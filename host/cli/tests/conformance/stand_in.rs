//! A stand-in for the services that cases and the specification's conformance test kit name. Nothing leaves this machine:
//! in definitions, the addresses of those services are replaced by that of one server on the loopback interface, and put
//! back in what a run tells.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// The services that it stands in for: the pet store and httpbin of the kit, and a server of our own cases. Their paths
/// differ, so that one server can be all of them.
const SERVICES: [&str; 3] = ["https://petstore.swagger.io", "https://httpbin.org", "http://stand-in.test"];

/// How much of a request is read.
const LIMIT: u64 = 1 << 20;

/// The one server of this process.
pub(crate) struct StandIn {
    address: SocketAddr,
}

/// A request, with the names of its headers in lower case.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Map<String, Value>,
    body: String,
}

struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl StandIn {
    /// The server, which starts when it is first needed.
    pub(crate) fn start() -> &'static StandIn {
        static SERVER: OnceLock<StandIn> = OnceLock::new();
        SERVER.get_or_init(|| {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of the loopback interface");
            let address = listener.local_addr().expect("it is bound");
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    // A client that goes away in the midst of a request is no failure of ours.
                    std::thread::spawn(move || drop(serve(stream, address)));
                }
            });
            StandIn { address }
        })
    }

    /// `HOST:PORT`
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn is_named_in(text: &str) -> bool {
        SERVICES.iter().any(|service| text.contains(service))
    }

    /// The text with addresses of services replaced by that of the server.
    pub(crate) fn redirect(text: &str) -> String {
        if !Self::is_named_in(text) {
            return text.to_owned();
        }
        let server = format!("http://{}", Self::start().address);
        SERVICES.iter().fold(text.to_owned(), |text, service| text.replace(service, &server))
    }

    /// The text with the address of the server replaced by that of our own service.
    pub(crate) fn restore(text: &str) -> String {
        text.replace(&format!("http://{}", Self::start().address), SERVICES[2])
    }
}

/// One request on each connection.
fn serve(stream: TcpStream, address: SocketAddr) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?.take(LIMIT));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or("/").to_owned());
    let mut headers = Map::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().into());
    }
    let length = headers.get("content-length").and_then(|length| length.as_str()?.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let response = answer(&request, address);
    let mut out = format!("HTTP/1.1 {} Stand-in\r\nconnection: close\r\n", response.status);
    for (name, value) in &response.headers {
        out += &format!("{name}: {value}\r\n");
    }
    out += &format!("content-length: {}\r\n\r\n", response.body.len());
    let mut stream = stream;
    stream.write_all(out.as_bytes())?;
    if request.method != "HEAD" {
        stream.write_all(response.body.as_bytes())?;
    }
    stream.flush()
}

fn answer(request: &Request, address: SocketAddr) -> Response {
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["v2", "swagger.json"] => data(200, &pet_store(address)),
        ["v2", "pet", "findByStatus"] => data(200, &json!([pet(1)])),
        ["v2", "pet", id] if id.parse::<u32>().is_ok() => data(200, &pet(id.parse().expect("it is a number"))),
        ["v2", "pet", ..] => data(404, &json!({"code": 1, "type": "error", "message": "Pet not found"})),
        ["basic-auth", user, password] => basic(request, user, password),
        ["echo", ..] => data(200, &echo(request)),
        ["status", status] => data(status.parse().unwrap_or(400), &json!({"status": status})),
        ["redirect"] => Response {
            status: 302,
            headers: vec![("location", format!("http://{address}/echo/redirected"))],
            body: String::new(),
        },
        ["text"] => {
            Response { status: 200, headers: vec![("content-type", "text/plain".into())], body: "plain text".into() }
        }
        ["empty"] => Response { status: 204, headers: Vec::new(), body: String::new() },
        _ => data(404, &json!({"message": "there is nothing here"})),
    }
}

fn data(status: u16, body: &Value) -> Response {
    Response { status, headers: vec![("content-type", "application/json".into())], body: body.to_string() }
}

fn echo(request: &Request) -> Value {
    let body: Value = serde_json::from_str(&request.body).unwrap_or_else(|_| request.body.clone().into());
    json!({
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "body": body,
    })
}

fn pet(id: u32) -> Value {
    json!({"id": id, "name": format!("pet {id}"), "photoUrls": [], "tags": [], "status": "available"})
}

/// A description of what is there of the pet store.
fn pet_store(address: SocketAddr) -> Value {
    let parameter =
        |name: &str, place: &str, kind: &str| json!({"name": name, "in": place, "required": true, "type": kind});
    let operation = |id: &str, parameter: Value| {
        json!({"get": {
            "operationId": id,
            "produces": ["application/json"],
            "parameters": [parameter],
            "responses": {"200": {"description": "found"}},
        }})
    };
    json!({
        "swagger": "2.0",
        "info": {"title": "Pets", "version": "1.0.0"},
        "host": address.to_string(),
        "basePath": "/v2",
        "schemes": ["http"],
        "paths": {
            "/pet/findByStatus": operation("findPetsByStatus", parameter("status", "query", "string")),
            "/pet/{petId}": operation("getPetById", parameter("petId", "path", "integer")),
        },
    })
}

/// Lets in who knows the user and the password that stand in the path.
fn basic(request: &Request, user: &str, password: &str) -> Response {
    let expected = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
    if request.headers.get("authorization").is_some_and(|given| *given == expected) {
        return data(200, &json!({"authenticated": true, "user": user}));
    }
    let mut refusal = data(401, &json!({"authenticated": false}));
    refusal.headers.push(("www-authenticate", "Basic realm=\"stand-in\"".into()));
    refusal
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= chunk.len() { digit.into() } else { '=' });
        }
    }
    out
}
