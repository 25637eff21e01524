//! What the server has counted of its collections and indexes.

use std::collections::HashMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bson::{Bson, RawBsonRef, doc};
use mainstay_store::{IndexStatistics, Statistics, StoreError, TableStatistics};
use mongodb::bson;

use super::link::{Link, View};
use super::ours::OURS;
use super::read::known;
use super::session::Session;

const MILLISECONDS_PER_DAY: i64 = 86_400_000;

/// What it has counted. Uses of indexes are those since the server's start, or since the index was made.
///
/// # Errors
/// As the server says.
pub(super) async fn look(link: &Link, deadline: Instant) -> Result<Statistics, StoreError> {
    let mut session = link.session(deadline, View::Latest).await?;
    let listed =
        session.apart(doc! { "listCollections": 1, "filter": { "type": "collection" }, "nameOnly": true }).await?;
    let names = listed.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
    let names = names.map(Vec::as_slice).unwrap_or_default().iter().filter_map(Bson::as_document);
    let names: Vec<String> = names.filter_map(|each| each.get_str("name").ok()).map(str::to_owned).collect();
    let mut statistics = Statistics::default();
    for name in names.into_iter().filter(|name| !name.starts_with(OURS) && !name.starts_with("system.")) {
        let rows = known(&mut session, &name).await?;
        match of_indexes(&mut session, &name, &mut statistics).await {
            // It was dropped meanwhile.
            Err(StoreError::SchemaChanged(_)) => continue,
            // It takes a role of its own to see them.
            Err(StoreError::Database(error)) if &*error.code == "42501" => {
                statistics.uncounted = Some(format!(
                    "this login may not read what the server has counted; the role clusterMonitor lets it ({})",
                    error.message
                ));
            }
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        statistics.tables.push(TableStatistics { table: name, rows });
    }
    if statistics.uncounted.is_some() {
        statistics.days = None;
        statistics.indexes.clear();
    }
    Ok(statistics)
}

async fn of_indexes(session: &mut Session, name: &str, statistics: &mut Statistics) -> Result<(), StoreError> {
    let sizes = sizes(session, name).await?;
    let documents = session.aggregate(name, vec![doc! { "$indexStats": {} }]).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    // A collection has 64 indexes at most.
    for document in documents.all(session, 1_000).await?.unwrap_or_default() {
        let Ok(index) = document.get_str("name") else { continue };
        let Ok(accesses) = document.get_document("accesses") else { continue };
        let uses = match accesses.get("ops").ok().flatten() {
            Some(RawBsonRef::Int64(uses)) => u64::try_from(uses).unwrap_or_default(),
            Some(RawBsonRef::Int32(uses)) => u64::try_from(uses).unwrap_or_default(),
            _ => 0,
        };
        if let Ok(since) = accesses.get_datetime("since") {
            let days = (now - since.timestamp_millis()).max(0) / MILLISECONDS_PER_DAY;
            let days = u64::try_from(days).unwrap_or_default();
            statistics.days = Some(statistics.days.map_or(days, |known| known.min(days)));
        }
        let bytes = sizes.get(index).copied();
        statistics.indexes.push(IndexStatistics { table: name.to_owned(), index: index.to_owned(), uses, bytes });
    }
    Ok(())
}

/// Octets of each index.
async fn sizes(session: &mut Session, name: &str) -> Result<HashMap<String, u64>, StoreError> {
    let answer = session.apart(doc! { "collStats": name }).await?;
    let sizes = answer.get_document("indexSizes").into_iter().flatten();
    let octets = |size: &Bson| match size {
        Bson::Int32(octets) => u64::try_from(*octets).ok(),
        Bson::Int64(octets) => u64::try_from(*octets).ok(),
        Bson::Double(octets) => Some(*octets as u64),
        _ => None,
    };
    Ok(sizes.filter_map(|(name, size)| Some((name.clone(), octets(size)?))).collect())
}
