//! The body of an answer: one piece, or rows that are sent while they are read.
//!
//! A streamed body owns the read that fills it: dropping the body, as happens when the client goes away, stops the
//! read. A read that fails after the head was sent ends the body with an error, which the server turns into a
//! connection (HTTP/1.1) or a stream (HTTP/2) that is cut: nobody can take such an answer for a whole one.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// The body of an answer.
#[derive(Default)]
pub struct AnswerBody(Inner);

enum Inner {
    /// All of it; `None` once it was taken.
    Whole(Option<Bytes>),
    Streamed(Box<Stream>),
}

impl Default for Inner {
    fn default() -> Inner {
        Inner::Whole(None)
    }
}

/// Rows on their way.
struct Stream {
    first: Option<Bytes>,
    chunks: mpsc::Receiver<Bytes>,
    /// The read; it gives the octets that come after all chunks. `None` once it has ended.
    read: Option<BoxFuture<'static, Result<Bytes, Cut>>>,
    last: Option<Bytes>,
    /// What must live as long as the body.
    guards: Vec<Box<dyn Any + Send>>,
}

/// The answer ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer was cut: the rows after these could not be read")
    }
}

impl std::error::Error for Cut {}

impl AnswerBody {
    /// A body in one piece.
    pub fn whole(bytes: impl Into<Bytes>) -> AnswerBody {
        AnswerBody(Inner::Whole(Some(bytes.into())))
    }

    /// A body that consists of `first`, of `chunks` as they come, and then of what `read` gives. Whoever fills
    /// `chunks` must drop its end before `read` ends.
    pub(crate) fn streamed(
        first: Bytes,
        chunks: mpsc::Receiver<Bytes>,
        read: BoxFuture<'static, Result<Bytes, Cut>>,
    ) -> AnswerBody {
        let (first, read) = (Some(first), Some(read));
        AnswerBody(Inner::Streamed(Box::new(Stream { first, chunks, read, last: None, guards: Vec::new() })))
    }

    /// The octets of a body in one piece; `None` for a streamed one. This is where an `ETag` or a compressor finds
    /// the encoded rows.
    pub(crate) fn as_whole(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Whole(bytes) => bytes.as_ref(),
            Inner::Streamed(_) => None,
        }
    }

    /// Keeps `guard` until a streamed body has ended; drops it at once for one that is there already.
    pub(crate) fn keep(&mut self, guard: impl Any + Send) {
        if let Inner::Streamed(stream) = &mut self.0 {
            stream.guards.push(Box::new(guard));
        }
    }
}

impl From<Bytes> for AnswerBody {
    fn from(bytes: Bytes) -> AnswerBody {
        AnswerBody::whole(bytes)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut self.0 {
            Inner::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Streamed(stream) => stream.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Inner::Streamed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Inner::Streamed(_) => SizeHint::default(),
        }
    }
}

impl Stream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        // The read goes on while its chunks wait, so it is asked first.
        if let Some(read) = &mut self.read
            && let Poll::Ready(ended) = read.as_mut().poll(cx)
        {
            self.read = None;
            match ended {
                Ok(last) => self.last = Some(last),
                Err(cut) => {
                    self.chunks.close();
                    self.guards.clear();
                    return Poll::Ready(Some(Err(cut)));
                }
            }
        }
        if let Poll::Ready(Some(chunk)) = self.chunks.poll_recv(cx) {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if self.read.is_some() {
            return Poll::Pending;
        }
        let last = self.last.take().filter(|last| !last.is_empty());
        if last.is_none() {
            self.guards.clear();
        }
        Poll::Ready(last.map(|last| Ok(Frame::data(last))))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{self, FutureExt};
    use http_body_util::BodyExt;

    use super::*;

    async fn frames(mut body: AnswerBody) -> Vec<Result<String, Cut>> {
        let mut all = Vec::new();
        while let Some(frame) = body.frame().await {
            all.push(frame.map(|frame| String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()));
        }
        all
    }

    #[tokio::test]
    async fn a_whole_body_is_one_piece_of_known_length() {
        let body = AnswerBody::whole("rows");
        assert_eq!(body.size_hint().exact(), Some(4));
        assert_eq!(frames(body).await, [Ok("rows".to_owned())]);
        assert!(AnswerBody::default().is_end_stream());
        assert_eq!(frames(AnswerBody::default()).await, []);
    }

    #[tokio::test]
    async fn chunks_come_before_what_the_read_gives_in_the_end() {
        let (sender, chunks) = mpsc::channel(4);
        sender.try_send(Bytes::from("b")).unwrap();
        drop(sender);
        let body = AnswerBody::streamed(Bytes::from("a"), chunks, future::ready(Ok(Bytes::from("c"))).boxed());
        assert_eq!(body.size_hint().exact(), None);
        assert_eq!(frames(body).await, [Ok("a".to_owned()), Ok("b".to_owned()), Ok("c".to_owned())]);
    }

    #[tokio::test]
    async fn a_read_that_fails_cuts_the_body() {
        let (sender, chunks) = mpsc::channel(4);
        sender.try_send(Bytes::from("b")).unwrap();
        let body = AnswerBody::streamed(Bytes::from("a"), chunks, future::ready(Err(Cut)).boxed());
        assert!(frames(body).await.contains(&Err(Cut)));
    }

    #[tokio::test]
    async fn what_a_streamed_body_keeps_goes_with_it() {
        let kept = std::sync::Arc::new(());
        let (_sender, chunks) = mpsc::channel(1);
        let mut body = AnswerBody::streamed(Bytes::from("a"), chunks, future::pending().boxed());
        body.keep(kept.clone());
        assert_eq!(std::sync::Arc::strong_count(&kept), 2);
        drop(body);
        assert_eq!(std::sync::Arc::strong_count(&kept), 1);
        AnswerBody::whole("x").keep(kept.clone());
        assert_eq!(std::sync::Arc::strong_count(&kept), 1);
    }
}
