//! The routes, and nothing of SQL: HTTP in, one call, HTTP out.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use serde::Deserialize;

use crate::read::{Read, Readers, Rows, content_range};
use crate::write::{Visit, Write, Writer};

/// What the handlers share.
pub(crate) struct App {
    pub(crate) readers: Readers,
    pub(crate) writer: Writer,
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
        .route("/visits", post(visits))
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

async fn answer(app: &App, read: Read) -> Response {
    match app.readers.run(read).await {
        Some(Ok(rows)) => respond(rows),
        Some(Err(_)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn respond(rows: Rows) -> Response {
    let part = rows.total.is_some_and(|total| usize::try_from(total).is_ok_and(|total| rows.rows < total));
    let range = content_range(&rows);
    let mut response = Response::new(Body::from(rows.json));
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

async fn change_order(State(app): State<Arc<App>>, Path(id): Path<i64>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(change) => written(&app, Write::Order { id, change }, StatusCode::NO_CONTENT).await,
        Err(problem) => (StatusCode::BAD_REQUEST, problem.to_string()).into_response(),
    }
}

async fn written(app: &App, write: Write, status: StatusCode) -> Response {
    match app.writer.run(write).await {
        Some(Ok(())) => status.into_response(),
        Some(Err(_)) => StatusCode::CONFLICT.into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
