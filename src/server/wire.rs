//! The bytes of a connection. What comes keeps the rules of
//! [`inbound`](super::inbound); what leaves is gathered.
//!
//! The protocol's library flushes after every call that it reads. A refusal is
//! some thirty bytes, and a write to the socket for each was a third of what a
//! refusal cost. So small writes wait here until the library has nothing more to
//! do, and leave as one.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::inbound::Inbound;

/// Bytes that are gathered at most. What is as long by itself is not copied.
const GATHERED: usize = 4 * 1024;

/// One end is the library's, and the other who drives it: see [`Wire::driven`].
#[derive(Debug)]
pub(super) struct Wire<S>(Arc<Mutex<Ends<S>>>);

#[derive(Debug)]
struct Ends<S> {
    stream: S,
    inbound: Inbound,
    gathered: BytesMut,
}

impl<S> Clone for Wire<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Wire<S> {
    /// A greeting within `patience`, and at most `most` frames a second that ask
    /// for nothing.
    pub(super) fn new(stream: S, patience: Duration, most: u32) -> Self {
        let inbound = Inbound::new(patience, most);
        Self(Arc::new(Mutex::new(Ends { stream, inbound, gathered: BytesMut::new() })))
    }

    fn ends(&self) -> MutexGuard<'_, Ends<S>> {
        // A panic leaves bytes that are true as far as they go.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Drives the library's work on this connection, and sends after each step
    /// what has been gathered.
    pub(super) async fn driven<W, E>(&self, mut work: Pin<&mut W>) -> Result<(), E>
    where
        W: Future<Output = Result<(), E>> + ?Sized,
        E: From<io::Error>,
    {
        std::future::poll_fn(|context| {
            let step = work.as_mut().poll(context);
            if step.is_ready() {
                return step;
            }
            match self.ends().send(context) {
                Poll::Ready(Err(broken)) => Poll::Ready(Err(broken.into())),
                _ => Poll::Pending,
            }
        })
        .await
    }
}

impl<S: AsyncWrite + Unpin> Ends<S> {
    fn send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.empty(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn empty(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gathered.has_remaining() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, &self.gathered))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gathered.advance(sent);
        }
        Poll::Ready(Ok(()))
    }

    /// Is there room for so many bytes beside what is gathered?
    fn room(&mut self, bytes: usize, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.gathered.len().saturating_add(bytes) > GATHERED {
            ready!(self.empty(context))?;
        }
        Poll::Ready(Ok(bytes <= GATHERED))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Ends { stream, inbound, .. } = &mut *self.ends();
        inbound.poll_read(Pin::new(stream), context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut ends = self.ends();
        if !ready!(ends.room(bytes.len(), context))? {
            return Pin::new(&mut ends.stream).poll_write(context, bytes);
        }
        ends.gathered.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut ends = self.ends();
        let all = parts.iter().map(|part| part.len()).sum();
        if !ready!(ends.room(all, context))? {
            return Pin::new(&mut ends.stream).poll_write_vectored(context, parts);
        }
        for part in parts {
            ends.gathered.extend_from_slice(part);
        }
        Poll::Ready(Ok(all))
    }

    fn is_write_vectored(&self) -> bool {
        self.ends().stream.is_write_vectored()
    }

    /// Nothing: [`Wire::driven`] does it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.ends();
        ready!(ends.empty(context))?;
        Pin::new(&mut ends.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Keeps each write by itself; every other one of them waits.
    #[derive(Debug, Default)]
    struct Kept {
        writes: Vec<Vec<u8>>,
        waits: bool,
    }

    impl AsyncWrite for Kept {
        fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.waits = !self.waits;
            if self.waits {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // And never all at once.
            let some = bytes.len().min(3000);
            self.writes.push(bytes[..some].to_vec());
            Poll::Ready(Ok(some))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn wire<S>(stream: S) -> Wire<S> {
        Wire::new(stream, Duration::from_secs(1), 100)
    }

    #[tokio::test]
    async fn what_is_written_leaves_whole_and_in_order_whatever_its_sizes() {
        let wire = wire(Kept::default());
        let parts: Vec<Vec<u8>> =
            (0..).zip([1, 30, 4096, 4097, 5, 20_000, 4095, 2, 0, 9]).map(|(at, size)| vec![at; size]).collect();
        let mut library = wire.clone();
        let work = async {
            for part in &parts {
                library.write_all(part).await?;
                library.flush().await?;
            }
            library.shutdown().await
        };
        let mut work = std::pin::pin!(work);
        wire.driven(work.as_mut()).await.unwrap();
        assert!(wire.ends().stream.writes.concat() == parts.concat());
    }

    #[tokio::test]
    async fn small_writes_of_a_step_leave_as_one_when_it_ends() {
        let wire = wire(Kept::default());
        let mut library = wire.clone();
        let work = async {
            for _ in 0..50 {
                library.write_all(b"refused").await?;
                library.flush().await?;
            }
            std::future::pending::<io::Result<()>>().await
        };
        let mut work = std::pin::pin!(work);
        let driven = wire.driven(work.as_mut());
        assert!(tokio::time::timeout(Duration::from_millis(50), driven).await.is_err());
        assert_eq!(wire.ends().stream.writes, [b"refused".repeat(50)]);
    }

    #[tokio::test]
    async fn who_takes_nothing_holds_the_writer_up_and_who_has_left_ends_it() {
        let (mut client, server) = duplex(64);
        let wire = wire(server);
        let mut library = wire.clone();
        let mut written = 0;
        let work = async {
            loop {
                library.write_all(&[7; 100]).await?;
                written += 100;
            }
        };
        let mut work: Pin<Box<dyn Future<Output = io::Result<()>>>> = Box::pin(work);
        let driven = tokio::time::timeout(Duration::from_millis(50), wire.driven(work.as_mut()));
        let mut taken = [0; 1000];
        let (driven, taken) = tokio::join!(driven, client.read_exact(&mut taken));
        assert!(driven.is_err() && taken.is_ok());
        drop(client);
        assert!(wire.driven(work.as_mut()).await.is_err());
        drop(work);
        assert!(written < GATHERED + 64 + 1200, "{written}");
    }
}
