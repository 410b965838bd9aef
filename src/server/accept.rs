//! Connections of a listener.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;

/// Pause after a failed accept. Without it a process out of file descriptors
/// spins, since the connection that can't be accepted stays in the queue.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Accepts connections, and waits where it can't.
#[derive(Debug)]
pub(super) struct Accepting {
    listener: TcpListener,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Accepting {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, pause: None }
    }
}

impl Stream for Accepting {
    type Item = io::Result<TcpStream>;

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
                    return Poll::Ready(Some(Ok(stream)));
                }
                Err(error) => {
                    tracing::warn!(kind = %error.kind(), "a connection could not be accepted");
                    self.pause = Some(Box::pin(sleep(BACK_OFF)));
                }
            }
        }
    }
}
