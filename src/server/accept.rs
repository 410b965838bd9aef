//! Connections of a listener.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Pause after a failed accept. Without it a process out of file descriptors
/// spins, since the connection that can't be accepted stays in the queue.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Bytes with which a client of HTTP/2 must begin.
const PREFACE_BYTES: usize = 24;

/// Accepts connections, and waits where it can't.
#[derive(Debug)]
pub(super) struct Accepting {
    listener: TcpListener,
    /// Time that a connection has to say that it speaks HTTP/2.
    patience: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Accepting {
    pub(super) fn new(listener: TcpListener, patience: Duration) -> Self {
        Self { listener, patience, pause: None }
    }
}

impl Stream for Accepting {
    type Item = io::Result<Greeted>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, _)) => {
                    // Answers are small: waiting to fill a packet only delays them.
                    let _ = stream.set_nodelay(true);
                    return Poll::Ready(Some(Ok(Greeted::new(stream, self.patience))));
                }
                Err(error) => {
                    tracing::warn!(kind = %error.kind(), "a connection could not be accepted");
                    self.pause = Some(Box::pin(sleep(BACK_OFF)));
                }
            }
        }
    }
}

/// A connection that must greet in time. One that stays silent would be open
/// for ever: keepalive begins after the greeting, and so does the shutdown of
/// a connection, which would wait for it to the hard end.
#[derive(Debug)]
pub(super) struct Greeted {
    stream: TcpStream,
    awaited: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Greeted {
    fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, awaited: PREFACE_BYTES, timer: Some(Box::pin(sleep(patience))) }
    }
}

impl AsyncRead for Greeted {
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

impl AsyncWrite for Greeted {
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

impl Connected for Greeted {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_stream::StreamExt as _;

    use super::*;

    async fn accepted(sent: &[u8]) -> io::Result<usize> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let mut accepting = Accepting::new(listener, Duration::from_millis(50));
        let mut server = accepting.next().await.unwrap()?;
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
