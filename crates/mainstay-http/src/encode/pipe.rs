//! The way of an answer from the thread that reads rows to the task that sends them, with room for little: who writes
//! faster than the client takes has to wait.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::layers::coding::Encoder;

/// Octets that are kept back before anything is sent: an answer that fits is sent whole, with its length and its
/// counts, and an error before them is an error and no broken answer.
const START_BYTES: usize = 1 << 20;
/// Octets of a chunk after the first.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that may wait for the client.
const CHUNKS_MAX: usize = 4;

/// How many rows there are, known before the first of them is sent if a count was asked.
pub(crate) type Total = Arc<OnceLock<u64>>;

/// The writing end.
pub(crate) struct Pipe {
    sender: mpsc::Sender<Bytes>,
    runtime: Handle,
    /// How long the client may take no chunk.
    write_time: Duration,
    encoder: Encoder,
    /// Octets of the first chunk.
    start: usize,
    has_sent: bool,
    total: Total,
    broken: Option<Unsent>,
    /// Whether the store reads on a task, which waits when it is told to and must not be held up.
    is_awaited: bool,
    /// What a task has to wait for.
    waiting: Option<Waiting>,
}

/// A chunk for which there was no room.
struct Waiting {
    chunk: Bytes,
    room: Pin<Box<dyn Future<Output = Result<mpsc::OwnedPermit<Bytes>, Unsent>> + Send>>,
}

/// Why the rest of an answer was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The client went away.
    Gone,
    /// The client took nothing for too long.
    Slow,
    /// The rows could not be encoded.
    Encoding,
}

impl Pipe {
    /// A pipe, and the end at which its chunks come out. Must be called in a runtime.
    /// It sends nothing before there are `bytes_max` octets, or [`START_BYTES`] if that is less.
    pub(crate) fn new(encoder: Encoder, bytes_max: usize, write_time: Duration) -> (Pipe, mpsc::Receiver<Bytes>) {
        let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
        let (runtime, start) = (Handle::current(), START_BYTES.min(bytes_max));
        let (has_sent, total, broken) = (false, Total::default(), None);
        let (is_awaited, waiting) = (false, None);
        let pipe = Pipe { sender, runtime, write_time, encoder, start, has_sent, total, broken, is_awaited, waiting };
        (pipe, chunks)
    }

    /// Where the number of rows will be found.
    pub(crate) fn total(&self) -> Total {
        self.total.clone()
    }

    /// Tells the number of rows.
    pub(super) fn count(&self, total: u64) {
        let _ = self.total.set(total);
    }

    /// Sends what was written if it is enough for a chunk, and empties `written` then. Waits for room, or has the task
    /// that calls [`Pipe::poll_ready`] wait.
    pub(super) fn offer(&mut self, written: &mut Vec<u8>) {
        let enough = if self.has_sent { CHUNK_BYTES } else { self.start };
        // A task that does not ask cannot be made to wait. What it gives is kept, up to the bound of the sink.
        let is_on_task = Handle::try_current().is_ok();
        let must_keep = self.broken.is_some() || self.waiting.is_some() || (is_on_task && !self.is_awaited);
        if written.len() < enough || must_keep {
            return;
        }
        // The first chunk is certain to come out at the other end: until then nobody there knows that the answer is sent.
        let is_first = !std::mem::replace(&mut self.has_sent, true);
        let outcome = self.encoder.push(written, is_first).map_err(|_| Unsent::Encoding);
        written.clear();
        written.shrink_to(2 * CHUNK_BYTES);
        if let Err(unsent) = outcome.and_then(|chunk| self.send(chunk, is_on_task)) {
            self.broken = Some(unsent);
        }
    }

    fn send(&mut self, chunk: Bytes, is_on_task: bool) -> Result<(), Unsent> {
        if chunk.is_empty() {
            return Ok(()); // The encoder waits for more.
        }
        match self.sender.try_send(chunk) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Unsent::Gone),
            Err(mpsc::error::TrySendError::Full(chunk)) if is_on_task => {
                let (sender, write_time) = (self.sender.clone(), self.write_time);
                let room = Box::pin(async move {
                    let room = tokio::time::timeout(write_time, sender.reserve_owned()).await;
                    room.map_err(|_| Unsent::Slow)?.map_err(|_| Unsent::Gone)
                });
                self.waiting = Some(Waiting { chunk, room });
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(chunk)) => {
                let sent = self.runtime.block_on(async {
                    // The clock is that of the runtime, so it is set inside.
                    tokio::time::timeout(self.write_time, self.sender.send(chunk)).await
                });
                sent.map_err(|_| Unsent::Slow)?.map_err(|_| Unsent::Gone)
            }
        }
    }

    /// Whether there is room for more.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.is_awaited = true;
        let Some(waiting) = &mut self.waiting else { return Poll::Ready(()) };
        let room = ready!(waiting.room.as_mut().poll(context));
        let chunk = self.waiting.take().map(|waiting| waiting.chunk).unwrap_or_default();
        match room {
            Ok(room) => drop(room.send(chunk)),
            Err(unsent) => self.broken = Some(unsent),
        }
        Poll::Ready(())
    }

    /// Whether something was sent.
    pub(super) fn has_sent(&self) -> bool {
        self.has_sent
    }

    /// Whether nothing more is sent.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// What comes after all that was sent.
    pub(super) fn finish(self, rest: Vec<u8>) -> Result<Bytes, Unsent> {
        match self.broken {
            Some(unsent) => Err(unsent),
            None => {
                let rest = self.encoder.finish(&rest).map_err(|_| Unsent::Encoding)?;
                Ok(match self.waiting {
                    None => rest,
                    Some(Waiting { chunk, .. }) => [chunk, rest].concat().into(),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::coding::Coding;

    fn pipe(write_time: Duration) -> (Pipe, mpsc::Receiver<Bytes>) {
        Pipe::new(Encoder::new(Coding::Identity, 1).unwrap(), usize::MAX, write_time)
    }

    /// Writes `count` chunks on a thread of its own, as a store does.
    async fn write(mut pipe: Pipe, count: usize) -> Result<Bytes, Unsent> {
        let thread = std::thread::spawn(move || {
            for _ in 0..count {
                pipe.offer(&mut vec![b'x'; START_BYTES]);
            }
            pipe.finish(b"end".to_vec())
        });
        tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn little_is_kept_and_much_is_sent() {
        let (mut little, mut chunks) = pipe(Duration::from_secs(1));
        let mut written = vec![b'x'; START_BYTES - 1];
        std::thread::spawn(move || little.offer(&mut written)).join().unwrap();
        assert!(chunks.try_recv().is_err());

        let (much, mut chunks) = pipe(Duration::from_secs(1));
        let reading = tokio::spawn(async move {
            let mut octets = 0;
            while let Some(chunk) = chunks.recv().await {
                octets += chunk.len();
            }
            octets
        });
        assert_eq!(write(much, 20).await, Ok(Bytes::from("end")));
        assert_eq!(reading.await.unwrap(), 20 * START_BYTES);
    }

    #[tokio::test]
    async fn a_client_that_goes_or_stands_still_ends_the_writing() {
        let (gone, chunks) = pipe(Duration::from_secs(10));
        drop(chunks);
        assert_eq!(write(gone, 2).await, Err(Unsent::Gone));

        let (slow, chunks) = pipe(Duration::from_millis(50));
        let begun = std::time::Instant::now();
        assert_eq!(write(slow, CHUNKS_MAX + 2).await, Err(Unsent::Slow));
        assert!(begun.elapsed() >= Duration::from_millis(50));
        drop(chunks);
    }

    #[tokio::test]
    async fn a_task_waits_for_the_client() {
        let (mut pipe, mut chunks) = pipe(Duration::from_secs(10));
        let (progress, written) = tokio::sync::watch::channel(0);
        let writing = tokio::spawn(async move {
            for number in 0..20 {
                std::future::poll_fn(|context| pipe.poll_ready(context)).await;
                pipe.offer(&mut vec![b'x'; START_BYTES]);
                progress.send_replace(number + 1);
            }
            pipe.finish(b"end".to_vec())
        });
        // As many as have room, and one that waits; a task that went on would be seen after so many turns.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(*written.borrow(), CHUNKS_MAX + 1);
        let mut octets = 0;
        while let Some(chunk) = chunks.recv().await {
            octets += chunk.len();
        }
        assert_eq!(octets + writing.await.unwrap().unwrap().len(), 20 * START_BYTES + 3);

        let (mut slow, _chunks) = self::pipe(Duration::from_millis(50));
        for _ in 0..=CHUNKS_MAX {
            std::future::poll_fn(|context| slow.poll_ready(context)).await;
            slow.offer(&mut vec![b'x'; START_BYTES]);
        }
        std::future::poll_fn(|context| slow.poll_ready(context)).await;
        assert_eq!(slow.finish(Vec::new()), Err(Unsent::Slow));
    }

    #[tokio::test]
    async fn what_cannot_wait_is_kept() {
        let (mut here, mut chunks) = pipe(Duration::from_secs(1));
        let mut written = vec![b'x'; 2 * START_BYTES];
        here.offer(&mut written);
        assert_eq!(written.len(), 2 * START_BYTES);
        assert!(chunks.try_recv().is_err());
    }
}
