//! What the routes share.

use std::ops::Deref;
use std::sync::Arc;

use mainstay_engine::Engine;

use crate::description::Description;
use crate::layers::cors::Cors;
use crate::layers::keys::Keys;
use crate::layers::limits::{InFlight, RequestLimits};
use crate::openapi::Documents;

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// The parts of an [`App`].
pub struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) keys: Keys,
    pub(crate) limits: RequestLimits,
    pub(crate) cors: Cors,
    pub(crate) in_flight: InFlight,
    pub(crate) description: Description,
    pub(crate) documents: Documents,
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
        let (in_flight, documents) = (InFlight::default(), Documents::default());
        App(Arc::new(Shared { engine, keys, limits, cors, in_flight, description, documents }))
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
