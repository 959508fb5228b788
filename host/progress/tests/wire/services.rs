use futures::{StreamExt, stream};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use crate::running::{RunningSink, memory};

const SERVICE: &str = "hotcell.progress.v1.ProgressService";

async fn channel(sink: &RunningSink) -> Channel {
    Channel::from_shared(sink.url()).expect("a URL").connect().await.expect("the sink runs")
}

#[tokio::test]
async fn the_health_service_says_that_the_sink_serves() {
    let sink = RunningSink::start(memory()).await;
    let mut health = HealthClient::new(channel(&sink).await);

    for service in ["", SERVICE] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let response = health.check(request).await.expect("it answers").into_inner();

        assert_eq!(response.status(), ServingStatus::Serving);
    }
}

#[tokio::test]
async fn reflection_lists_and_describes_the_service() {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let sink = RunningSink::start(memory()).await;
    let mut reflection = v1::server_reflection_client::ServerReflectionClient::new(channel(&sink).await);
    let ask = |request| v1::ServerReflectionRequest { host: String::new(), message_request: Some(request) };

    let requests = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned())),
        ask(MessageRequest::FileByFilename("google/protobuf/timestamp.proto".to_owned())),
    ];
    let responses = reflection.server_reflection_info(stream::iter(requests)).await.expect("it answers");
    let answers: Vec<_> = responses
        .into_inner()
        .map(|response| response.expect("no error").message_response.expect("an answer"))
        .collect()
        .await;

    let MessageResponse::ListServicesResponse(services) = &answers[0] else { panic!("{:?}", answers[0]) };
    assert!(services.service.iter().any(|service| service.name == SERVICE), "{services:?}");
    assert!(matches!(answers[1], MessageResponse::FileDescriptorResponse(_)), "{:?}", answers[1]);
    assert!(matches!(answers[2], MessageResponse::FileDescriptorResponse(_)), "{:?}", answers[2]);
}

#[tokio::test]
async fn the_older_reflection_that_many_tools_speak_answers_too() {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let sink = RunningSink::start(memory()).await;
    let mut reflection = v1alpha::server_reflection_client::ServerReflectionClient::new(channel(&sink).await);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };

    let mut responses =
        reflection.server_reflection_info(stream::iter([request])).await.expect("it answers").into_inner();
    let answer = responses.message().await.expect("no error").expect("an answer");

    let Some(MessageResponse::ListServicesResponse(services)) = answer.message_response else { panic!("{answer:?}") };
    assert!(services.service.iter().any(|service| service.name == SERVICE), "{services:?}");
}
