//! gRPC-Web over HTTP/1.1, byte by byte.

use std::time::Duration;

use concord::api::proto::EvaluateResponse;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{Server, fine};

/// Sends a request and reads to the end of the connection.
async fn post(address: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /concord.v1.DecisionService/Evaluate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut answer = Vec::new();
    let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
    let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection ends");
    answer
}

fn frame(message: &[u8]) -> Vec<u8> {
    [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// The head, and the body without its chunks.
fn parts(answer: &[u8]) -> (String, Vec<u8>) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let mut rest = &answer[end..];
    if !head.contains("transfer-encoding: chunked") {
        return (head, rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return (head, body);
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

/// The message and the trailers of a body.
fn frames(mut body: &[u8]) -> (Option<EvaluateResponse>, String) {
    let (mut message, mut trailers) = (None, String::new());
    while let [flag, a, b, c, d, rest @ ..] = body {
        let (frame, after) = rest.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        match flag & 0x80 {
            0 => message = Some(EvaluateResponse::decode(frame).unwrap()),
            _ => trailers.push_str(&String::from_utf8_lossy(frame)),
        }
        body = after;
    }
    (message, trailers)
}

#[tokio::test]
async fn a_browser_is_answered_where_that_is_asked_for() {
    let server = Server::start(&["server.grpc_web=true"]);
    // The same listener still speaks HTTP/2.
    server.channel().await;
    let (head, body) =
        parts(&post(&server.address, "application/grpc-web+proto", &frame(&fine().encode_to_vec())).await);
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: application/grpc-web"), "{head}");
    let (message, trailers) = frames(&body);
    assert_eq!(message.unwrap().request_id, "r-1");
    assert!(trailers.contains("grpc-status:0"), "{trailers}");

    // What the service refuses, and what the edge refuses, arrive in the same form.
    let (head, body) = parts(&post(&server.address, "application/grpc-web+proto", &frame(&[])).await);
    let told = head + &frames(&body).1;
    assert!(told.contains("application/grpc-web") && told.replace(": ", ":").contains("grpc-status:3"), "{told}");

    // What is neither is turned away.
    let (head, _) = parts(&post(&server.address, "text/html", b"<p>").await);
    assert!(head.starts_with("http/1.1 400"), "{head}");
    // The last line of a call that is counted.
    let log = server.logged("\"INVALID_ARGUMENT\"").await;
    for status in ["\"OK\"", "\"INVALID_ARGUMENT\""] {
        let told = log.lines().filter(|line| line.contains("DecisionService/Evaluate") && line.contains(status));
        assert_eq!(told.count(), 1, "{status} in {log}");
    }
}

#[tokio::test]
async fn without_being_asked_for_it_is_not_spoken() {
    let server = Server::start(&[]);
    server.channel().await;
    let answer = post(&server.address, "application/grpc-web+proto", &frame(&fine().encode_to_vec())).await;
    assert!(!answer.starts_with(b"HTTP/1.1"), "{}", String::from_utf8_lossy(&answer));
}
