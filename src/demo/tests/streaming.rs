//! Streamed responses, connections that become WebSockets, and shutdown.

use http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Service;

/// Longer than any test.
const MINUTE: &str = "ms=60000";

#[tokio::test]
async fn bytes_come_whole_and_in_order() {
    let service = Service::start().await;
    let mut client = service.client().await;
    for target in ["/bytes/300000", "/bytes/300000?chunked=1"] {
        let body = client.get(target).await.body;
        assert_eq!(body.len(), 300_000);
        assert!(body.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251), "{target}");
    }
}

#[tokio::test]
async fn an_event_is_sent_before_the_next_one_is_due() {
    let service = Service::start().await;
    let mut client = service.client().await;
    let mut response = client.start(&format!("GET /events?n=2&{MINUTE}"), &[], "").await;
    let frame = response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "id: 1\nevent: tick\ndata: {\"n\":1}\n\n");
}

#[tokio::test]
async fn a_slow_response_delays_no_other_request() {
    let service = Service::start().await;
    let (mut slow, mut quick) = (service.client().await, service.client().await);
    let target = format!("/slow?{MINUTE}");
    let response = tokio::select! {
        biased;
        response = slow.get(&target) => response,
        response = quick.get("/slow?ms=1") => response,
    };
    assert_eq!(response.text(), "{\"waited_ms\":1}");
}

#[tokio::test]
async fn a_large_echo_flows_through() {
    let service = Service::start().await;
    let mut client = service.client().await;
    let body = "fracas ".repeat(500_000);
    assert_eq!(client.send("PUT /echo", &[], &body).await.text(), body);
}

#[tokio::test]
async fn a_request_in_flight_ends_before_the_service_does() {
    let mut service = Service::start().await;
    let (mut slow, mut other) = (service.client().await, service.client().await);
    let stop = async {
        while other.count("requests", "GET /slow").await == 0 {}
        drop(service.stop);
    };
    let (response, ()) = tokio::join!(slow.get("/slow?ms=20"), stop);
    assert_eq!(response.status, StatusCode::OK);
    assert!(service.tasks.join_next().await.unwrap().is_ok());
    assert!(TcpStream::connect(service.address).await.is_err());
}

/// Opens a WebSocket by hand.
async fn websocket(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let request = "GET /ws HTTP/1.1\r\nHost: shop.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    stream
}

/// A client's frame, masked.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[tokio::test]
async fn a_websocket_echoes_message_by_message_and_closes() {
    let service = Service::start().await;
    let mut stream = websocket(&service).await;
    let exchanges: [(Vec<u8>, &[u8]); 6] = [
        (masked(0x81, b"hello"), b"\x81\x05hello"),
        (masked(0x82, b""), b"\x82\x00"),
        (masked(0x01, b"first "), b""),
        (masked(0x89, b"ping"), b"\x8a\x04ping"),
        (masked(0x80, b"last"), b"\x81\x0afirst last"),
        (masked(0x88, b"\x03\xe8bye"), b"\x88\x05\x03\xe8bye"),
    ];
    for (sent, expected) in exchanges {
        stream.write_all(&sent).await.unwrap();
        let mut echoed = vec![0; expected.len()];
        stream.read_exact(&mut echoed).await.unwrap();
        assert_eq!(echoed, expected);
    }
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_websocket_carries_messages_of_up_to_1_mib() {
    let service = Service::start().await;
    let mut stream = websocket(&service).await;
    let payload = vec![7; 1024 * 1024];
    stream.write_all(&masked(0x82, &payload)).await.unwrap();
    let mut echoed = vec![0; payload.len() + 10];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(echoed.split_off(10), payload);

    let too_long = masked(0x82, &vec![7; 1024 * 1024 + 1]);
    stream.write_all(&too_long).await.unwrap();
    let mut close = Vec::new();
    stream.read_to_end(&mut close).await.unwrap();
    assert_eq!(close, b"\x88\x02\x03\xf1"); // 1009
}

#[tokio::test]
async fn a_websocket_that_breaks_a_rule_is_told_which() {
    let service = Service::start().await;
    for (frame, code) in [
        (b"\x81\x02hi".to_vec(), 1002), // not masked
        (masked(0xc1, b"an extension's bit"), 1002),
        (masked(0x83, b"no such opcode"), 1002),
        (masked(0x09, b"a fragment of a ping"), 1002),
        (masked(0x80, b"continues nothing"), 1002),
        (masked(0x81, b"\xc3\x28"), 1007),
    ] {
        let mut stream = websocket(&service).await;
        stream.write_all(&frame).await.unwrap();
        let mut close = Vec::new();
        stream.read_to_end(&mut close).await.unwrap();
        let [high, low] = u16::to_be_bytes(code);
        assert_eq!(close, [0x88, 2, high, low], "{frame:02x?}");
    }
}

#[tokio::test]
async fn a_websocket_is_told_that_the_service_goes_away() {
    let mut service = Service::start().await;
    let mut stream = websocket(&service).await;
    drop(service.stop);
    let mut close = Vec::new();
    stream.read_to_end(&mut close).await.unwrap();
    assert_eq!(close, b"\x88\x02\x03\xe9"); // 1001
    drop(stream);
    assert!(service.tasks.join_next().await.unwrap().is_ok());
}
