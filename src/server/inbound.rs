//! What a connection may send before and beside its calls.
//!
//! **A greeting.** One that stays silent would be open for ever: keepalive
//! begins after the greeting, and so does the shutdown of a connection, which
//! would wait for it to the hard end. So it has to come in time.
//!
//! **Frames that ask for nothing** (SETTINGS, PING, PRIORITY, unknown ones).
//! They are nine bytes long and cost next to nothing each, and a flood of them
//! keeps a processor busy for as long as there is more to read. So a connection
//! reads only so much before the others have their turn; one that has sent many
//! of these lately reads them in parts, with rests between, in which its sender
//! waits; and one that sends more of them in a second than anyone needs is ended.
//! Of resets, continuations and empty data the protocol's library keeps count
//! itself.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Bytes of a turn.
const TURN: usize = 16 * 1024;

/// Frames that ask for nothing within a second. More than that is seldom of use.
const MANY: u32 = 500;

/// Bytes that are read at once where there were as many: 16 of the shortest.
const SHORT: usize = 144;

/// Of what a second may bring, the part that is read before a rest.
const PART: u32 = 50;

/// Short enough that a flood reaches its end well within the second: sleeps are
/// longer than they are asked to be.
const REST: Duration = Duration::from_millis(8);

/// After so many of them the clock is looked at.
const LOOK: u32 = 64;

/// What a connection of HTTP/2 begins with. A request of HTTP/1.1 is longer.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes before the payload of a frame.
const HEAD: usize = 9;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Inbound {
    /// Bytes of the greeting that are still to come.
    awaited: usize,
    /// Until it is there.
    patience: Option<Pin<Box<Sleep>>>,
    /// Bytes of this turn.
    read: usize,
    rest: Option<Pin<Box<Sleep>>>,
    frames: Frames,
}

impl Inbound {
    /// A greeting within `patience`, and at most `most` frames a second that ask
    /// for nothing.
    pub(super) fn new(patience: Duration, most: u32) -> Self {
        let patience = Some(Box::pin(sleep(patience)));
        Self { awaited: PREFACE.len(), patience, read: 0, rest: None, frames: Frames::new(most) }
    }

    /// Reads as [`AsyncRead::poll_read`] does, and no more than may be.
    pub(super) fn poll_read<S: AsyncRead>(
        &mut self,
        stream: Pin<&mut S>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.frames.rests() {
            self.rest = Some(Box::pin(sleep(REST)));
        }
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(context));
            self.rest = None;
        }
        let left = TURN.saturating_sub(self.read);
        if left == 0 {
            self.read = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = if self.frames.count > MANY { SHORT } else { TURN };
        let room = left.min(most).min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        let Poll::Ready(read) = stream.poll_read(context, &mut part) else {
            self.read = 0;
            let Some(patience) = &mut self.patience else { return Poll::Pending };
            ready!(patience.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        };
        read?;
        let came = part.filled().len();
        self.read = self.read.saturating_add(came);
        self.awaited = self.awaited.saturating_sub(came);
        if self.awaited == 0 {
            self.patience = None;
        }
        if !self.frames.see(part.filled()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        buffer.advance(came);
        Poll::Ready(Ok(()))
    }
}

/// Counts the frames that ask for nothing, by their heads alone.
#[derive(Debug)]
struct Frames {
    most: u32,
    begins: Begins,
    head: [u8; HEAD],
    /// Bytes of the head that are there.
    known: usize,
    /// Bytes of the payload that are still to come.
    payload: usize,
    /// Of these frames, since then, which is a second ago or little more.
    count: u32,
    since: Instant,
    /// The count at the last rest.
    rested: u32,
}

/// Whether it is HTTP/2 that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    /// So many bytes of the preface came.
    Preface(usize),
    /// It was whole.
    Done,
    /// Something else: HTTP/1.1 has no frames.
    Otherwise,
}

impl Frames {
    fn new(most: u32) -> Self {
        let begins = Begins::Preface(0);
        Self { most, begins, head: [0; HEAD], known: 0, payload: 0, count: 0, since: Instant::now(), rested: 0 }
    }

    /// Is a rest due, which is then taken?
    fn rests(&mut self) -> bool {
        let due = self.count > MANY && self.count.saturating_sub(self.rested) >= (self.most / PART).max(1);
        if due {
            self.rested = self.count;
        }
        due
    }

    /// Reads on. False: there are too many.
    fn see(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, rest)) = bytes.split_first() {
            match self.begins {
                Begins::Otherwise => return true,
                Begins::Preface(at) => {
                    bytes = rest;
                    self.begins = match PREFACE.get(at) {
                        Some(wanted) if wanted != first => Begins::Otherwise,
                        _ if at.saturating_add(1) == PREFACE.len() => Begins::Done,
                        _ => Begins::Preface(at.saturating_add(1)),
                    };
                }
                Begins::Done if self.payload > 0 => {
                    let part = self.payload.min(bytes.len());
                    self.payload = self.payload.saturating_sub(part);
                    bytes = bytes.get(part..).unwrap_or_default();
                }
                Begins::Done => {
                    bytes = rest;
                    if let Some(place) = self.head.get_mut(self.known) {
                        *place = *first;
                    }
                    self.known = self.known.saturating_add(1);
                    if self.known == HEAD && !self.frame() {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// A head is whole.
    fn frame(&mut self) -> bool {
        let [high, middle, low, kind, ..] = self.head;
        self.known = 0;
        self.payload = usize::try_from(u32::from_be_bytes([0, high, middle, low])).unwrap_or(usize::MAX);
        // DATA, HEADERS, RST_STREAM, PUSH_PROMISE, GOAWAY, WINDOW_UPDATE, CONTINUATION.
        if matches!(kind, 0 | 1 | 3 | 5 | 7 | 8 | 9) {
            return true;
        }
        self.count = self.count.saturating_add(1);
        // The clock is asked seldom.
        if !self.count.is_multiple_of(LOOK) && self.count <= self.most {
            return true;
        }
        let now = Instant::now();
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            (self.count, self.since, self.rested) = (1, now, 0);
        }
        self.count <= self.most
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;
    use crate::server::wire::Wire;

    const PATIENCE: Duration = Duration::from_millis(50);

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let [_, high, middle, low] = u32::try_from(payload).unwrap().to_be_bytes();
        [&[high, middle, low, kind, 0, 0, 0, 0, 0][..], &vec![6; payload]].concat()
    }

    /// Is it let through, in parts of this size?
    fn passes(frames: &mut Frames, bytes: &[u8], size: usize) -> bool {
        bytes.chunks(size).all(|part| frames.see(part))
    }

    #[tokio::test(start_paused = true)]
    async fn frames_that_ask_for_nothing_are_counted_however_they_arrive() {
        for size in [1, 7, 9, 10, 4096] {
            for kind in [2, 4, 6, 10, 0xff] {
                let mut frames = Frames::new(10);
                assert!(passes(&mut frames, PREFACE, size));
                // Data that looks like such frames is none of them.
                assert!(passes(&mut frames, &frame(0, 4000).repeat(20), size));
                assert!(passes(&mut frames, &frame(kind, 8).repeat(10), size), "{kind}");
                assert!(!passes(&mut frames, &frame(kind, 8), size), "{kind}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_a_second_as_may_be_are_no_flood() {
        let mut frames = Frames::new(10);
        assert!(frames.see(PREFACE));
        for _ in 0..20 {
            assert!(frames.see(&frame(6, 8).repeat(10)));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(!frames.see(&frame(6, 8).repeat(11)));
    }

    #[tokio::test]
    async fn what_is_no_http_2_has_no_frames() {
        let mut frames = Frames::new(1);
        assert!(frames.see(b"POST /concord.v1.DecisionService/Evaluate HTTP/1.1\r\n"));
        assert!(frames.see(&frame(6, 8).repeat(100)));
    }

    #[tokio::test]
    async fn others_have_their_turn_while_one_has_much_to_say() {
        let (mut client, server) = duplex(1 << 20);
        client.write_all(PREFACE).await.unwrap();
        let much = frame(0, 8).repeat(20_000);
        client.write_all(&much).await.unwrap();
        let mut server = Wire::new(server, PATIENCE, 30_000);
        let turns = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let other = tokio::spawn({
            let turns = std::sync::Arc::clone(&turns);
            async move {
                loop {
                    turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut all = vec![0; PREFACE.len() + much.len()];
        server.read_exact(&mut all).await.unwrap();
        other.abort();
        assert!(all.strip_prefix(PREFACE).is_some_and(|rest| rest == much));
        let turns = turns.load(std::sync::atomic::Ordering::Relaxed);
        assert!(turns >= much.len() / TURN - 1, "{turns}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_read_in_parts_with_rests_between_and_comes_to_its_end() {
        let (mut client, server) = duplex(1 << 20);
        let mut server = Wire::new(server, PATIENCE, 10_000);
        let mut sent = [PREFACE, &frame(6, 8).repeat(10_000)].concat();
        client.write_all(&sent).await.unwrap();
        let (mut read, begun) = (vec![0; sent.len()], Instant::now());
        // As many as anyone may have send are read without a rest.
        let (few, rest) = read.split_at_mut(PREFACE.len() + 17 * 500);
        server.read_exact(few).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        server.read_exact(rest).await.unwrap();
        assert!(read == sent);
        // 9,500 in parts of 200 or few more.
        let took = begun.elapsed();
        assert!((REST * 44..=REST * 48).contains(&took), "{took:?}");
        sent = frame(6, 8).repeat(16);
        client.write_all(&sent).await.unwrap();
        let error = server.read_exact(&mut sent).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed() < Duration::from_secs(1)), (io::ErrorKind::ConnectionAborted, true));
    }

    async fn accepted(sent: &[u8]) -> io::Result<usize> {
        let (mut client, server) = duplex(64);
        let mut server = Wire::new(server, PATIENCE, 10_000);
        client.write_all(sent).await?;
        let mut buffer = [0; 64];
        let mut read = 0;
        // The client stays open and says no more.
        while read < PREFACE.len() {
            read += server.read(&mut buffer).await?;
        }
        match tokio::time::timeout(Duration::from_millis(100), server.read(&mut buffer)).await {
            Ok(more) => more,
            Err(_) => Ok(read),
        }
    }

    #[tokio::test]
    async fn who_does_not_greet_is_dropped_and_who_does_may_be_silent() {
        for part in [&PREFACE[..0], &PREFACE[..12]] {
            assert_eq!(accepted(part).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(accepted(PREFACE).await.unwrap(), PREFACE.len());
    }
}
