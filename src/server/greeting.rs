//! A connection that must greet in time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes with which a client of HTTP/2 must begin. A request of HTTP/1.1 has
/// more.
const PREFACE_BYTES: usize = 24;

/// One that stays silent would be open for ever: keepalive begins after the
/// greeting, and so does the shutdown of a connection, which would wait for it
/// to the hard end.
#[derive(Debug)]
pub(super) struct Greeted<S> {
    stream: S,
    awaited: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Greeted<S> {
    /// `patience` is the time that it has.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, awaited: PREFACE_BYTES, timer: Some(Box::pin(sleep(patience))) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Greeted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(timer) = &mut self.timer else {
            return read;
        };
        if read.is_pending() {
            ready!(timer.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let came = buffer.filled().len().saturating_sub(before);
        self.awaited = self.awaited.saturating_sub(came);
        if self.awaited == 0 {
            self.timer = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Greeted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    async fn accepted(sent: &[u8]) -> io::Result<usize> {
        let (mut client, server) = duplex(64);
        let mut server = Greeted::new(server, Duration::from_millis(50));
        client.write_all(sent).await?;
        let mut buffer = [0; 64];
        let mut read = 0;
        // The client stays open and says no more.
        while read < PREFACE_BYTES {
            read += server.read(&mut buffer).await?;
        }
        match tokio::time::timeout(Duration::from_millis(100), server.read(&mut buffer)).await {
            Ok(more) => more,
            Err(_) => Ok(read),
        }
    }

    #[tokio::test]
    async fn who_does_not_greet_is_dropped_and_who_does_may_be_silent() {
        let greeting = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for part in [&greeting[..0], &greeting[..12]] {
            assert_eq!(accepted(part).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(accepted(greeting).await.unwrap(), PREFACE_BYTES);
    }
}
