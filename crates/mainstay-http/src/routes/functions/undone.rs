//! A call whose changes are undone in the end (`Prefer: tx=rollback`): a transaction of its own that answers as if they
//! stayed.

use mainstay_engine::{Answer, CallAnswer, Error, Request, Sequence, Turn};
use mainstay_query::plan::Shape;
use mainstay_query::request::CallRequest;
use mainstay_schema::Returns;
use mainstay_store::RowSink;

use crate::encode::Sink;

/// One call, then the end.
pub(super) struct Undone<M> {
    request: CallRequest,
    make: M,
    is_done: bool,
    outcome: Option<Result<CallAnswer<Sink>, Error>>,
}

impl<M> Undone<M> {
    /// `make` makes the sink for the result.
    pub(super) fn new(request: CallRequest, make: M) -> Undone<M> {
        Undone { request, make, is_done: false, outcome: None }
    }

    /// What the call gave; `None` if something here broke a promise to itself.
    pub(super) fn outcome(self) -> Option<Result<CallAnswer<Sink>, Error>> {
        self.outcome
    }
}

impl<M: Fn(&Shape, Returns) -> Sink + Send + 'static> Sequence for Undone<M> {
    fn next(&mut self) -> Turn {
        if self.is_done { Turn::RollBack } else { Turn::Run(Box::new(Request::Call(self.request.clone()))) }
    }

    fn make_sink(&mut self, shape: &Shape, returns: Option<Returns>) -> Box<dyn RowSink> {
        Box::new((self.make)(shape, returns.unwrap_or(Returns::Nothing)))
    }

    fn take(&mut self, answer: Result<Answer, Error>) {
        self.is_done = true;
        self.outcome = match answer {
            Err(error) => Some(Err(error)),
            Ok(Answer::Call(CallAnswer { sink, returns, writes, rows, total })) => match sink.map(Sink::taken_back) {
                Some(None) => None,
                sink => Some(Ok(CallAnswer { sink: sink.flatten(), returns, writes, rows, total })),
            },
            Ok(Answer::Read(_) | Answer::Write(_)) => None,
        };
    }

    fn restart(&mut self) {
        (self.is_done, self.outcome) = (false, None);
    }
}
