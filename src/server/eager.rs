//! Begins each call where its connection reads it, and gives it a task of its
//! own only where it has to wait.
//!
//! A call that is refused at once then costs no task, and the refusals of all
//! calls that came together leave together: with a task each, every one wakes
//! the connection again, which writes it alone.

use std::task::{Context, Waker};

use hyper::rt::Executor;

/// See the head of this file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eager;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Eager {
    fn execute(&self, work: F) {
        let mut work = Box::pin(work);
        // No one has to be woken: where it waits, its task asks again at once.
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_need_not_wait_is_done_at_once_and_what_waits_is_done_later() {
        let (done, mut at_once) = oneshot::channel();
        Eager.execute(async move { done.send(()).unwrap() });
        assert!(at_once.try_recv().is_ok());

        let go = Arc::new(Notify::new());
        let (done, later) = oneshot::channel();
        Eager.execute({
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                done.send(()).unwrap();
            }
        });
        go.notify_one();
        later.await.unwrap();
    }
}
