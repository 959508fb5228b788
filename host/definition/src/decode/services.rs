//! Calls of services that the specification defines: AsyncAPI, gRPC, HTTP, OpenAPI, A2A, MCP.

use indexmap::IndexMap;

use super::authentication::policy_or_name;
use super::duration::duration;
use super::events::{enclosed_expression, iterator};
use super::resource::{endpoint, external_resource};
use crate::reader::{Node, Object};
use crate::{
    A2aCall, AsyncApiAction, AsyncApiCall, AsyncApiServer, AsyncApiSubscription, Consume, Duration, GrpcCall,
    GrpcService, HttpCall, HttpOutput, McpCall, McpTransport, OpenApiCall, Template,
};

/// "HTTP Call"
pub(super) fn http(node: Node<'_>) -> Option<HttpCall> {
    let http = node.object(&["method", "endpoint", "headers", "body", "query", "output", "redirect"])?;
    let method = http.required("method", Node::text_template);
    let endpoint = http.required("endpoint", endpoint);
    Some(HttpCall {
        headers: http.optional("headers", Node::object_or_expression),
        body: http.optional("body", Node::template),
        query: http.optional("query", Node::object_or_expression),
        output: http.optional("output", output).unwrap_or_default(),
        redirect: http.optional("redirect", Node::boolean).unwrap_or(false),
        method: method?,
        endpoint: endpoint?,
    })
}

fn output(node: Node<'_>) -> Option<HttpOutput> {
    node.choice(&[("raw", HttpOutput::Raw), ("content", HttpOutput::Content), ("response", HttpOutput::Response)])
}

/// "OpenAPI Call"
pub(super) fn openapi(node: Node<'_>) -> Option<OpenApiCall> {
    let fields = ["document", "operationId", "parameters", "authentication", "output", "redirect"];
    let openapi = node.object(&fields)?;
    let document = openapi.required("document", external_resource);
    let operation_id = openapi.required("operationId", Node::text_template);
    Some(OpenApiCall {
        parameters: openapi.optional("parameters", Node::object_or_expression),
        authentication: openapi.optional("authentication", policy_or_name),
        output: openapi.optional("output", output).unwrap_or_default(),
        redirect: openapi.optional("redirect", Node::boolean).unwrap_or(false),
        document: document?,
        operation_id: operation_id?,
    })
}

/// "gRPC Call"
pub(super) fn grpc(node: Node<'_>) -> Option<GrpcCall> {
    let grpc = node.object(&["proto", "service", "method", "arguments"])?;
    let proto = grpc.required("proto", external_resource);
    let service = grpc.required("service", grpc_service);
    let method = grpc.required("method", Node::text_template);
    let arguments = grpc.optional("arguments", Node::object_or_expression);
    Some(GrpcCall { proto: proto?, service: service?, method: method?, arguments })
}

fn grpc_service(node: Node<'_>) -> Option<GrpcService> {
    let service = node.object(&["name", "host", "port", "authentication"])?;
    let name = service.required("name", Node::text_template);
    let host = service.required("host", Node::text_template);
    let port = service.optional("port", |node| node.count(u16::MAX.into())).map(|port| port as u16);
    let authentication = service.optional("authentication", policy_or_name);
    Some(GrpcService { name: name?, host: host?, port, authentication })
}

/// "AsyncAPI Call"
pub(super) fn asyncapi(node: Node<'_>) -> Option<AsyncApiCall> {
    let fields =
        ["document", "channel", "operation", "server", "protocol", "message", "subscription", "authentication"];
    let asyncapi = node.object(&fields)?;
    let document = asyncapi.required("document", external_resource);
    let addressed = asyncapi.exactly_one(&["channel", "operation"]);
    let channel = asyncapi.optional("channel", Node::text_template);
    let operation = asyncapi.optional("operation", Node::text_template);
    let server = asyncapi.optional("server", asyncapi_server);
    let protocol = asyncapi.optional("protocol", |node| node.choice(&PROTOCOLS.map(|protocol| (protocol, protocol))));
    let authentication = asyncapi.optional("authentication", policy_or_name);
    let action = match asyncapi.exactly_one(&["message", "subscription"]) {
        Some(("message", message)) => publish(message),
        Some((_, subscription)) => subscribe(subscription),
        None => None,
    };
    addressed?;
    Some(AsyncApiCall {
        document: document?,
        channel,
        operation,
        server,
        protocol: protocol.map(Into::into),
        action: action?,
        authentication,
    })
}

const PROTOCOLS: [&str; 19] = [
    "amqp",
    "amqp1",
    "anypointmq",
    "googlepubsub",
    "http",
    "ibmmq",
    "jms",
    "kafka",
    "mercure",
    "mqtt",
    "mqtt5",
    "nats",
    "pulsar",
    "redis",
    "sns",
    "solace",
    "sqs",
    "stomp",
    "ws",
];

/// "AsyncAPI Server"
fn asyncapi_server(node: Node<'_>) -> Option<AsyncApiServer> {
    let server = node.object(&["name", "variables"])?;
    let name = server.required("name", Node::text);
    let variables = server.optional("variables", Node::object_or_expression);
    Some(AsyncApiServer { name: name?, variables })
}

/// "AsyncAPI Outbound Message"
fn publish(node: Node<'_>) -> Option<AsyncApiAction> {
    let message = node.object(&["payload", "headers"])?;
    let payload = message.optional("payload", Node::object_or_expression);
    let headers = message.optional("headers", Node::object_or_expression);
    Some(AsyncApiAction::Publish { payload, headers })
}

/// "AsyncAPI Subscription"
fn subscribe(node: Node<'_>) -> Option<AsyncApiAction> {
    let subscription = node.object(&["filter", "consume", "foreach"])?;
    let filter = subscription.optional("filter", enclosed_expression);
    let foreach = subscription.optional("foreach", iterator);
    let (duration, consume) = subscription.required("consume", lifetime)?;
    Some(AsyncApiAction::Subscribe(Box::new(AsyncApiSubscription { filter, duration, consume, foreach })))
}

/// "AsyncAPI Subscription Lifetime"
fn lifetime(node: Node<'_>) -> Option<(Option<Duration>, Consume)> {
    let lifetime = node.object(&["amount", "for", "while", "until"])?;
    let duration = lifetime.optional("for", duration);
    let consume = match lifetime.exactly_one(&["amount", "while", "until"])? {
        ("amount", node) => node.count(u64::MAX).map(Consume::Amount),
        ("while", node) => enclosed_expression(node).map(Consume::While),
        (_, node) => enclosed_expression(node).map(Consume::Until),
    };
    Some((duration, consume?))
}

/// "A2A Call"
pub(super) fn a2a(node: Node<'_>) -> Option<A2aCall> {
    let methods = [
        "message/send",
        "message/stream",
        "tasks/get",
        "tasks/list",
        "tasks/cancel",
        "tasks/resubscribe",
        "tasks/pushNotificationConfig/set",
        "tasks/pushNotificationConfig/get",
        "tasks/pushNotificationConfig/list",
        "tasks/pushNotificationConfig/delete",
        "agent/getAuthenticatedExtendedCard",
    ];
    let a2a = node.object(&["method", "agentCard", "server", "parameters"])?;
    let method = a2a.required("method", |node| node.choice(&methods.map(|method| (method, method))));
    let agent_card = a2a.optional("agentCard", external_resource);
    let server = a2a.optional("server", endpoint);
    let parameters = a2a.optional("parameters", Node::object_or_expression);
    if !a2a.has("agentCard") && !a2a.has("server") {
        return a2a.missing("agentCard", "Add `agentCard` or `server`, to say where the agent is.");
    }
    Some(A2aCall { method: method?.into(), agent_card, server, parameters })
}

/// The version of MCP where none is given.
const MCP_VERSION: &str = "2025-06-18";

/// "MCP Call"
pub(super) fn mcp(node: Node<'_>) -> Option<McpCall> {
    let methods = [
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/read",
        "resources/templates/list",
    ];
    let mcp = node.open_object(&["protocolVersion", "method", "parameters", "timeout", "transport", "client"])?;
    let protocol_version = mcp.optional("protocolVersion", Node::text);
    let method = mcp.required("method", |node| node.choice(&methods.map(|method| (method, method))));
    let parameters = mcp.optional("parameters", Node::object_or_expression);
    let timeout = mcp.optional("timeout", duration);
    let client = mcp.optional("client", mcp_client);
    let transport = mcp.required("transport", |node| node.open_object(&["http", "stdio", "options"]))?;
    let options = transport.optional("options", string_map);
    let transport = mcp_transport(transport);
    Some(McpCall {
        protocol_version: protocol_version.unwrap_or_else(|| MCP_VERSION.into()),
        method: method?.into(),
        parameters,
        timeout,
        transport: transport?,
        options: options.unwrap_or_default(),
        client,
    })
}

/// "MCP Transport"
fn mcp_transport(transport: Object<'_>) -> Option<McpTransport> {
    match transport.exactly_one(&["http", "stdio"])? {
        ("http", node) => {
            let http = node.open_object(&["endpoint", "headers"])?;
            let endpoint = http.required("endpoint", endpoint);
            let headers = http.optional("headers", checked_map);
            Some(McpTransport::Http { endpoint: endpoint?, headers: headers.unwrap_or_default() })
        }
        (_, node) => {
            let stdio = node.open_object(&["command", "arguments", "environment"])?;
            let command = stdio.required("command", Node::text_template);
            let arguments: Option<Vec<Template>> = stdio.optional("arguments", |node| node.list(Node::text_template));
            let environment = stdio.optional("environment", checked_map);
            Some(McpTransport::Stdio {
                command: command?,
                arguments: arguments.unwrap_or_default(),
                environment: environment.unwrap_or_default(),
            })
        }
    }
}

/// "MCP Client"
fn mcp_client(node: Node<'_>) -> Option<(String, String)> {
    let client = node.open_object(&["name", "version"])?;
    let name = client.required("name", Node::text);
    let version = client.required("version", Node::text);
    Some((name?, version?))
}

fn string_map(node: Node<'_>) -> Option<IndexMap<String, String>> {
    node.named(|node| node.string().map(String::from))
}

/// An object of texts in which `${ }` is evaluated.
fn checked_map(node: Node<'_>) -> Option<serde_json::Map<String, serde_json::Value>> {
    if !node.is_object() {
        return node.wrong_type("an object");
    }
    node.template()?;
    node.map()
}
