//! Calls of services and functions.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    Authentication, Duration, Endpoint, Export, Expression, ExternalResource, Output, Reusable, TaskList, Template,
};

/// `call`: what is called. The arguments as a whole stand in the task's source under `with`.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// An operation of a service that AsyncAPI describes.
    AsyncApi(AsyncApiCall),
    /// A method of a gRPC service.
    Grpc(GrpcCall),
    /// A request over HTTP.
    Http(HttpCall),
    /// An operation of a service that OpenAPI describes.
    OpenApi(OpenApiCall),
    /// A method of an agent that speaks A2A.
    A2a(A2aCall),
    /// A method of an MCP server.
    Mcp(McpCall),
    /// A WebAssembly component: `call: wasm`, hotcell's own function.
    Wasm(WasmCall),
    /// A function of `use.functions`, of a catalog, or at a URL.
    Function(FunctionCall),
}

/// `call: wasm`: a WebAssembly component as a task.
#[derive(Debug, Clone, PartialEq)]
pub struct WasmCall {
    /// Where the component is: a path relative to the definition. May hold `${ … }`.
    pub component: Template,
    /// The export to call: `namespace:package/interface@version#function` or a shorter name. Default: the handler of
    /// `hotcell:task`; without one, `wasi:cli/run`; without that, the only function.
    pub export: Option<String>,
    /// What the component gets. Default: the task's input.
    pub input: Option<Template>,
}

/// A call of a function by name.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionCall {
    /// The name of a function of `use.functions`, `name:version@catalog`, or a URL.
    pub name: String,
    /// The arguments, by name.
    pub with: Option<Template>,
}

/// How the answer to an HTTP request becomes output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpOutput {
    /// The content in base64.
    Raw,
    /// The content, deserialized where its type is known.
    #[default]
    Content,
    /// The whole response.
    Response,
}

/// `call: http`
#[derive(Debug, Clone, PartialEq)]
pub struct HttpCall {
    /// The method.
    pub method: Template,
    /// Where to send the request.
    pub endpoint: Endpoint,
    /// Headers: an object of strings, or one expression.
    pub headers: Option<Template>,
    /// The body.
    pub body: Option<Template>,
    /// Query parameters: an object, or one expression.
    pub query: Option<Template>,
    /// What the output is.
    pub output: HttpOutput,
    /// Whether redirects are followed rather than errors.
    pub redirect: bool,
}

/// `call: openapi`
#[derive(Debug, Clone, PartialEq)]
pub struct OpenApiCall {
    /// The document that describes the service.
    pub document: ExternalResource,
    /// The operation.
    pub operation_id: Template,
    /// Its parameters, by name.
    pub parameters: Option<Template>,
    /// How to authenticate.
    pub authentication: Option<Reusable<Authentication>>,
    /// What the output is.
    pub output: HttpOutput,
    /// Whether redirects are followed rather than errors.
    pub redirect: bool,
}

/// `call: grpc`
#[derive(Debug, Clone, PartialEq)]
pub struct GrpcCall {
    /// The proto resource that describes the service.
    pub proto: ExternalResource,
    /// The service.
    pub service: GrpcService,
    /// The method.
    pub method: Template,
    /// Its arguments, by name.
    pub arguments: Option<Template>,
}

/// The service of a gRPC call.
#[derive(Debug, Clone, PartialEq)]
pub struct GrpcService {
    /// Its name.
    pub name: Template,
    /// Its host.
    pub host: Template,
    /// Its port.
    pub port: Option<u16>,
    /// How to authenticate.
    pub authentication: Option<Reusable<Authentication>>,
}

/// `call: asyncapi`
#[derive(Debug, Clone, PartialEq)]
pub struct AsyncApiCall {
    /// The document that describes the service.
    pub document: ExternalResource,
    /// AsyncAPI 2: the channel.
    pub channel: Option<Template>,
    /// AsyncAPI 3: the operation.
    pub operation: Option<Template>,
    /// The server.
    pub server: Option<AsyncApiServer>,
    /// The protocol by which a server is chosen.
    pub protocol: Option<String>,
    /// Whether a message is published or messages are consumed.
    pub action: AsyncApiAction,
    /// How to authenticate.
    pub authentication: Option<Reusable<Authentication>>,
}

/// The server of an AsyncAPI call.
#[derive(Debug, Clone, PartialEq)]
pub struct AsyncApiServer {
    /// Its name.
    pub name: String,
    /// Its variables.
    pub variables: Option<Template>,
}

/// What an AsyncAPI call does.
#[derive(Debug, Clone, PartialEq)]
pub enum AsyncApiAction {
    /// Publishes a message.
    Publish {
        /// The payload.
        payload: Option<Template>,
        /// The headers.
        headers: Option<Template>,
    },
    /// Consumes messages.
    Subscribe(Box<AsyncApiSubscription>),
}

/// A subscription to messages.
#[derive(Debug, Clone, PartialEq)]
pub struct AsyncApiSubscription {
    /// Which messages are consumed. Default: all.
    pub filter: Option<Expression>,
    /// For how long at most.
    pub duration: Option<Duration>,
    /// Until when.
    pub consume: Consume,
    /// What is done with each.
    pub foreach: Option<SubscriptionIterator>,
}

/// When a subscription to messages ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Consume {
    /// After so many messages.
    Amount(u64),
    /// When this, tested after each message, no longer holds.
    While(Expression),
    /// When this, tested before each message, holds.
    Until(Expression),
}

/// `foreach`: what is done with each event or message.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscriptionIterator {
    /// The variable that holds the item. Default: `item`.
    pub item: String,
    /// The variable that holds the index, from 0. Default: `index`.
    pub at: String,
    /// What is performed. Default: nothing.
    pub tasks: Option<TaskList>,
    /// Transforms and validates each item's output.
    pub output: Option<Output>,
    /// What becomes the context after each item.
    pub export: Option<Export>,
}

/// `call: a2a`
#[derive(Debug, Clone, PartialEq)]
pub struct A2aCall {
    /// The method, `message/send` for example.
    pub method: String,
    /// The card that describes the agent.
    pub agent_card: Option<ExternalResource>,
    /// The server. Required without a card.
    pub server: Option<Endpoint>,
    /// The parameters: an object, or one expression.
    pub parameters: Option<Template>,
}

/// `call: mcp`
#[derive(Debug, Clone, PartialEq)]
pub struct McpCall {
    /// The version of the protocol. Default: `2025-06-18`.
    pub protocol_version: String,
    /// The method, `tools/call` for example.
    pub method: String,
    /// The parameters: an object, or one expression.
    pub parameters: Option<Template>,
    /// How long the call may take.
    pub timeout: Option<Duration>,
    /// How to reach the server.
    pub transport: McpTransport,
    /// Options of the transport.
    pub options: IndexMap<String, String>,
    /// Who calls: name and version.
    pub client: Option<(String, String)>,
}

/// How to reach an MCP server.
#[derive(Debug, Clone, PartialEq)]
pub enum McpTransport {
    /// Over HTTP.
    Http {
        /// Where.
        endpoint: Endpoint,
        /// Headers, by name.
        headers: Map<String, Value>,
    },
    /// A program that speaks on its standard input and output.
    Stdio {
        /// The program.
        command: Template,
        /// Its arguments.
        arguments: Vec<Template>,
        /// Its environment.
        environment: Map<String, Value>,
    },
}
