//! The routes, and nothing of SQL: HTTP in, one call, HTTP out.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use serde::Deserialize;
use twox_hash::XxHash3_128;

use crate::database::Database;
use crate::requests::{Checkout, Failure, Read, Rows, Visit, Write};

/// What the handlers share.
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) key: Vec<u8>,
}

/// Every route of the yardstick.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/orders/{id}", get(order))
        .route("/orders/{id}", patch(change_order))
        .route("/orders", get(orders))
        .route("/orders-with-customer", get(orders_with_customer))
        .route("/customers-with-orders", get(customers_with_orders))
        .route("/orders-counted", get(orders_counted))
        .route("/orders-tagged/{id}", get(order_tagged))
        .route("/order-sums", get(order_sums))
        .route("/orders-by-customer", get(orders_after_place))
        .route("/orders-at", get(orders_at_offset))
        .route("/orders.xml", get(orders_as_xml))
        .route("/orders.ndjson", get(orders_as_lines))
        .route("/reviews", get(reviews))
        .route("/visits", post(visits))
        .route("/checkouts", post(check_out))
        .layer(DefaultBodyLimit::max(4 << 20))
        .layer(from_fn_with_state(Arc::clone(&app), check_key))
        .with_state(app)
}

async fn check_key(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match request.headers().get("apikey") {
        Some(key) if key.as_bytes() == app.key => next.run(request).await,
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

#[derive(Deserialize)]
struct After {
    after: i64,
}

#[derive(Deserialize)]
struct Span {
    from: i64,
    below: i64,
}

#[derive(Deserialize)]
struct Place {
    customer: i64,
    id: i64,
}

#[derive(Deserialize)]
struct Offset {
    offset: i64,
}

#[derive(Deserialize)]
struct Words {
    words: String,
}

async fn order(State(app): State<Arc<App>>, Path(id): Path<i64>) -> Response {
    answer(&app, Read::Order { id }).await
}

async fn orders(State(app): State<Arc<App>>, Query(page): Query<After>) -> Response {
    answer(&app, Read::Orders { after: page.after }).await
}

async fn orders_with_customer(State(app): State<Arc<App>>, Query(page): Query<After>) -> Response {
    answer(&app, Read::OrdersWithCustomer { after: page.after }).await
}

async fn customers_with_orders(State(app): State<Arc<App>>, Query(page): Query<After>) -> Response {
    answer(&app, Read::CustomersWithOrders { after: page.after }).await
}

async fn orders_counted(State(app): State<Arc<App>>, Query(span): Query<Span>) -> Response {
    answer(&app, Read::CountedOrders { from: span.from, below: span.below }).await
}

async fn order_sums(State(app): State<Arc<App>>, Query(span): Query<Span>) -> Response {
    answer(&app, Read::Sums { from: span.from, below: span.below }).await
}

async fn orders_after_place(State(app): State<Arc<App>>, Query(place): Query<Place>) -> Response {
    answer(&app, Read::OrdersAfterPlace { customer: place.customer, id: place.id }).await
}

async fn orders_at_offset(State(app): State<Arc<App>>, Query(page): Query<Offset>) -> Response {
    answer(&app, Read::OrdersAtOffset { offset: page.offset }).await
}

async fn reviews(State(app): State<Arc<App>>, Query(search): Query<Words>) -> Response {
    answer(&app, Read::Reviews { words: search.words }).await
}

async fn orders_as_xml(State(app): State<Arc<App>>, Query(page): Query<After>) -> Response {
    let mut response = answer(&app, Read::OrdersAsXml { after: page.after }).await;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    response
}

/// One order with a tag of its octets; nothing but the tag for a caller that has it already.
async fn order_tagged(State(app): State<Arc<App>>, Path(id): Path<i64>, headers: HeaderMap) -> Response {
    let rows = match app.database.read(Read::Order { id }).await {
        Ok(rows) => rows,
        Err(failure) => return refusal(&failure, StatusCode::INTERNAL_SERVER_ERROR),
    };
    let tag = format!("\"{:032x}\"", XxHash3_128::oneshot(&rows.body));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { respond(rows) };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

async fn orders_as_lines(State(app): State<Arc<App>>, Query(span): Query<Span>) -> Response {
    let parts = match app.database.orders(span.from, span.below).await {
        Ok(parts) => parts,
        Err(failure) => return refusal(&failure, StatusCode::INTERNAL_SERVER_ERROR),
    };
    let parts = futures_util::stream::unfold(parts, |mut parts| async {
        parts.recv().await.map(|part| (Ok::<_, Infallible>(part), parts))
    });
    let mut response = Response::new(Body::from_stream(parts));
    let kind = HeaderValue::from_static("application/x-ndjson; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn answer(app: &App, read: Read) -> Response {
    match app.database.read(read).await {
        Ok(rows) => respond(rows),
        Err(failure) => refusal(&failure, StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What a caller gets for a request that was not carried out: this status, unless it may be tried again.
fn refusal(failure: &Failure, status: StatusCode) -> Response {
    match failure {
        Failure::Overloaded => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        // Only the load generator's people read it.
        Failure::Failed(error) => (status, format!("{error:#}")).into_response(),
    }
}

fn respond(rows: Rows) -> Response {
    let part = rows.total.is_some_and(|total| usize::try_from(total).is_ok_and(|total| rows.rows < total));
    let range = content_range(&rows);
    let mut response = Response::new(Body::from(rows.body));
    *response.status_mut() = if part { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if let Ok(range) = HeaderValue::try_from(range) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    response
}

async fn visits(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let visits = match body.first() {
        Some(b'[') => serde_json::from_slice::<Vec<Visit>>(&body),
        _ => serde_json::from_slice::<Visit>(&body).map(|visit| vec![visit]),
    };
    match visits {
        Ok(visits) => written(&app, Write::Visits(visits), StatusCode::CREATED).await,
        Err(problem) => (StatusCode::BAD_REQUEST, problem.to_string()).into_response(),
    }
}

/// An order, the visit that it came from, and the order's payment, in one transaction.
async fn check_out(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let checkout: Checkout = match serde_json::from_slice(&body) {
        Ok(checkout) => checkout,
        Err(problem) => return (StatusCode::BAD_REQUEST, problem.to_string()).into_response(),
    };
    match app.database.write(Write::Checkout(checkout)).await {
        Ok(order) => {
            let body = format!("{{\"order\":{{\"id\":{}}}}}", order.unwrap_or_default());
            ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
        }
        Err(failure) => refusal(&failure, StatusCode::CONFLICT),
    }
}

async fn change_order(State(app): State<Arc<App>>, Path(id): Path<i64>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(change) => written(&app, Write::Order { id, change }, StatusCode::NO_CONTENT).await,
        Err(problem) => (StatusCode::BAD_REQUEST, problem.to_string()).into_response(),
    }
}

async fn written(app: &App, write: Write, status: StatusCode) -> Response {
    match app.database.write(write).await {
        Ok(_) => status.into_response(),
        Err(failure) => refusal(&failure, StatusCode::CONFLICT),
    }
}

/// The `Content-Range` of an answer.
fn content_range(rows: &Rows) -> String {
    let mut text = String::with_capacity(24);
    // Writing to a String cannot fail.
    let _ = match rows.first {
        Some(first) if rows.rows > 0 => write!(text, "{first}-{}/", first + rows.rows as i64 - 1),
        _ => write!(text, "*/"),
    };
    let _ = match rows.total {
        Some(total) => write!(text, "{total}"),
        None => write!(text, "*"),
    };
    text
}
