//! Calls as bytes: any method, any message, and everything that comes back but for the body of an OK answer.

use concord::api::json::pool;
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};
use tokio_stream::StreamExt as _;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Messages as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}

/// What came of a call.
pub struct Outcome {
    pub code: Code,
    /// The fields that the status names with their reasons.
    pub told: String,
    /// The details of the status, as they came.
    pub details: Vec<u8>,
    /// What may hold no marker: metadata, trailers, status.
    pub open: Vec<u8>,
    /// Bodies of answers, which are for the caller.
    pub answers: Vec<Vec<u8>>,
}

fn metadata(of: &MetadataMap, to: &mut Vec<u8>) {
    for pair in of.iter() {
        let (key, value) = match pair {
            KeyAndValueRef::Ascii(key, value) => (key.as_str(), value.as_bytes().to_vec()),
            KeyAndValueRef::Binary(key, value) => {
                // Both as it was sent and as it reads.
                let read = value.to_bytes().map(|bytes| bytes.to_vec()).unwrap_or_default();
                (key.as_str(), [value.as_encoded_bytes(), b"\n", &read].concat())
            }
        };
        to.extend([key.as_bytes(), b": ", &value, b"\n"].concat());
    }
}

impl Outcome {
    fn fails(&mut self, status: &Status) {
        self.code = status.code();
        self.open.extend([status.message().as_bytes(), b"\n", status.details(), b"\n"].concat());
        metadata(status.metadata(), &mut self.open);
        self.told.push_str(&String::from_utf8_lossy(status.details()));
        self.details.extend(status.details());
    }
}

/// Calls a method with messages, and reads to the end.
pub async fn call(channel: Channel, path: &str, messages: Vec<Vec<u8>>, with: &[(&'static str, String)]) -> Outcome {
    let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(64 * 1024 * 1024);
    client.ready().await.unwrap();
    let mut request = Request::new(tokio_stream::iter(messages));
    for (key, value) in with {
        request.metadata_mut().insert(*key, value.parse().unwrap());
    }
    let mut outcome =
        Outcome { code: Code::Ok, told: String::new(), details: Vec::new(), open: Vec::new(), answers: Vec::new() };
    let path = PathAndQuery::try_from(path.to_owned()).unwrap();
    match client.streaming(request, path, Raw).await {
        Err(status) => outcome.fails(&status),
        Ok(response) => {
            metadata(response.metadata(), &mut outcome.open);
            let mut body = response.into_inner();
            while let Some(message) = body.next().await {
                match message {
                    Ok(message) => outcome.answers.push(message),
                    Err(status) => outcome.fails(&status),
                }
            }
            if let Ok(Some(trailers)) = body.trailers().await {
                metadata(&trailers, &mut outcome.open);
            }
        }
    }
    outcome
}

/// The statuses that stand in answers of a stream: an error is one wherever it stands.
pub fn statuses(answer: &[u8], of: &MessageDescriptor) -> Vec<u8> {
    let status = pool().unwrap().get_message_by_name("concord.v1.ItemStatus").unwrap();
    let mut found = Vec::new();
    for field in of.fields().filter(|field| field.kind() == Kind::Message(status.clone())) {
        let answer = DynamicMessage::decode(of.clone(), answer).unwrap();
        if let (true, Value::Message(inner)) = (answer.has_field(&field), answer.get_field(&field).as_ref()) {
            found.extend(inner.encode_to_vec());
        }
    }
    found
}

/// A request of HTTP/2 as no client of gRPC would send it: what came back, and apart from it the body of an answer.
pub async fn bare(address: &str, request: http::Request<()>, body: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let (mut open, mut answer) = (Vec::new(), Vec::new());
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let (response, mut stream) = client.send_request(request, false).unwrap();
    // The server may have answered before it has read the body.
    let _ = stream.send_data(body.into(), true);
    let keep = |headers: &http::HeaderMap, open: &mut Vec<u8>| {
        for (key, value) in headers {
            open.extend([key.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
        }
    };
    match response.await {
        Err(error) => open.extend(error.to_string().into_bytes()),
        Ok(response) => {
            let (head, mut body) = response.into_parts();
            open.extend(head.status.as_str().as_bytes());
            keep(&head.headers, &mut open);
            while let Some(Ok(part)) = body.data().await {
                let _ = body.flow_control().release_capacity(part.len());
                answer.extend(part);
            }
            let trailers = body.trailers().await.ok().flatten().unwrap_or_default();
            keep(&trailers, &mut open);
            if trailers.get("grpc-status").is_none_or(|status| status != "0") {
                open.append(&mut answer);
            }
        }
    }
    connection.abort();
    (open, answer)
}
