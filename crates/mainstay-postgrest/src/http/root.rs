//! The root document: what the API offers, for the role that asks.

use std::time::Instant;

use http::header::{CONTENT_TYPE, VARY};
use http::{HeaderName, HeaderValue, Response, request};
use mainstay_http::{AnswerBody, Problem, codes};

use super::ask::{Ask, Deed};
use super::caller::Caller;
use super::{Api, context};
use crate::catalog::Catalog;
use crate::openapi::{About, Address, document};
use crate::plan::media::Media;
use crate::run;
use crate::settings::{OpenApi, Place, Settings};

/// The version that the document tells, since tools look at it.
const VERSION: &str = "16.1";

/// `GET /`.
///
/// # Errors
/// PGRST107 for a media type that it is not, and what the server says.
pub(super) async fn answer(
    api: &Api,
    settings: &Settings,
    catalog: &Catalog,
    head: &request::Parts,
    path: &str,
    caller: &Caller,
    ask: &Ask<'_>,
) -> Result<Response<AnswerBody>, Problem> {
    if !ask.accept.iter().any(|media| matches!(media, Media::Any | Media::Json | Media::OpenApi)) {
        let names: Vec<String> = ask.accept.iter().map(Media::to_string).collect();
        let message = format!("None of these media types are available: {}", names.join(", "));
        return Err(Problem::new(codes::MEDIA, message));
    }
    let own = context::settings(settings, catalog, head, path, caller, ask, &[]);
    let deadline = Instant::now() + api.0.limits.handler_time;
    let found = run::allowed(api.pool(), deadline, &own, settings.pre_request.as_ref(), &ask.schema);
    let found = found.await.map_err(|failure| super::problem(&failure, caller.is_anonymous))?;
    let about = About {
        catalog,
        schema: &ask.schema,
        allowed: (settings.openapi == OpenApi::FollowPrivileges).then_some(&found),
        security: settings.openapi_security,
        address: &address(settings),
        version: VERSION,
    };
    let mut response = Response::new(AnswerBody::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/openapi+json; charset=utf-8"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Prefer, Range"));
    if let (true, Ok(schema)) = (ask.tells_schema, HeaderValue::try_from(&ask.schema)) {
        headers.insert(HeaderName::from_static("content-profile"), schema);
    }
    if ask.deed != (Deed::Read { is_head: true }) {
        *response.body_mut() = AnswerBody::whole(document(&about).to_string());
    }
    Ok(response)
}

fn address(settings: &Settings) -> Address {
    let own = || match &settings.place {
        Place::Tcp(host, port) => Address::of(host, *port),
        Place::Unix(..) => Address::of("0.0.0.0", 3000),
    };
    settings.proxy_uri.as_deref().and_then(|uri| Address::of_proxy(uri).ok()).unwrap_or_else(own)
}
