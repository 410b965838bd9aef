//! Callers that cost little: one message, encoded once, over raw HTTP/2.

use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord::api::proto::EvaluateRequest;
use h2::client::SendRequest;
use prost::Message as _;

use crate::audited::binary;
use crate::server::fine;

/// A connection.
#[derive(Clone)]
pub struct Caller {
    send: SendRequest<Bytes>,
    uri: http::Uri,
    message: Bytes,
}

/// How a call ended: its status and how long it took. None: the connection broke.
pub type End = Option<(i32, Duration)>;

impl Caller {
    pub async fn connect(address: &str) -> Self {
        Self::with(address, fine()).await
    }

    /// One that asks this, again and again.
    pub async fn with(address: &str, request: EvaluateRequest) -> Self {
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (send, connection) = h2::client::Builder::new()
            .initial_window_size(1 << 20)
            .initial_connection_window_size(1 << 24)
            .handshake(socket)
            .await
            .unwrap();
        tokio::spawn(connection);
        let message = EvaluateRequest { request_id: String::new(), ..request }.encode_to_vec();
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(&message);
        let uri = format!("http://{address}/concord.v1.DecisionService/Evaluate").parse().unwrap();
        Self { send, uri, message: framed.into() }
    }

    pub async fn call(&self) -> End {
        let begun = Instant::now();
        let status = self.status().await.ok().flatten()?;
        Some((status, begun.elapsed()))
    }

    async fn status(&self) -> Result<Option<i32>, h2::Error> {
        let request = http::Request::post(self.uri.clone())
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .unwrap();
        let mut ready = self.send.clone().ready().await?;
        let (response, mut body) = ready.send_request(request, false)?;
        // A call may be refused by its head alone, and its stream closed, before this is sent: the answer is there all the
        // same.
        let _ = body.send_data(self.message.clone(), true);
        let (head, mut body) = response.await?.into_parts();
        let code = |headers: &http::HeaderMap| headers.get("grpc-status")?.to_str().ok()?.parse().ok();
        if let Some(status) = code(&head.headers) {
            return Ok(Some(status));
        }
        while let Some(data) = body.data().await {
            body.flow_control().release_capacity(data?.len())?;
        }
        Ok(body.trailers().await?.as_ref().and_then(code))
    }
}

/// The first processor for the server, and the others for the callers, so that what ten times the load costs who makes it
/// is not taken for what the server lacks. It is for a test that runs alone: all of the others are callers too.
pub fn apart() -> Command {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(processors > 1, "there is no processor for the callers");
    let (others, me) = (format!("1-{}", processors - 1), std::process::id().to_string());
    let pinned = Command::new("taskset").args(["-acp", &others, &me]).output().expect("taskset");
    assert!(pinned.status.success(), "{}", String::from_utf8_lossy(&pinned.stderr));
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(binary());
    command
}

/// The time that `percent` of the calls took at most.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Memory of a process in MiB: now, and at most so far.
pub fn memory(process: u32) -> (usize, usize) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}
