//! What the routes share.

use std::ops::Deref;
use std::sync::Arc;

use http::HeaderName;
use mainstay_engine::Engine;

use crate::description::Description;
use crate::errors::Verbosity;
use crate::layers::coding::Compression;
use crate::layers::cors::Cors;
use crate::layers::keys::Keys;
use crate::layers::limits::{InFlight, RequestLimits};
use crate::openapi::Documents;
use crate::routes::prefer::TxEnd;

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// The parts of an [`App`].
pub struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) keys: Keys,
    pub(crate) limits: RequestLimits,
    pub(crate) cors: Cors,
    pub(crate) answers: AnswerSettings,
    pub(crate) in_flight: InFlight,
    pub(crate) description: Description,
    pub(crate) documents: Documents,
}

/// How answers are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerSettings {
    /// When and how they are compressed.
    pub compression: Compression,
    /// Whether they tell how long each stage took (`Server-Timing`).
    pub timing: bool,
    /// How transactions that write end.
    pub tx_end: TxEnd,
    /// A header that is copied from each request to its answer.
    pub trace_header: Option<HeaderName>,
    /// How much errors tell.
    pub errors: Verbosity,
}

impl App {
    /// An app that answers from `engine` to holders of `keys`.
    pub fn new(engine: Arc<Engine>, keys: Keys, limits: RequestLimits, cors: Cors) -> App {
        App::described(engine, keys, limits, cors, Description::default())
    }

    /// As [`App::new`], with what the API tells of itself.
    pub fn described(
        engine: Arc<Engine>,
        keys: Keys,
        limits: RequestLimits,
        cors: Cors,
        description: Description,
    ) -> App {
        let (answers, in_flight, documents) = Default::default();
        App(Arc::new(Shared { engine, keys, limits, cors, answers, in_flight, description, documents }))
    }

    /// The app with other settings of its answers; for before it is shared.
    #[must_use]
    pub fn with_answers(mut self, answers: AnswerSettings) -> App {
        Arc::get_mut(&mut self.0).expect("an app is set up by whoever made it").answers = answers;
        self
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
