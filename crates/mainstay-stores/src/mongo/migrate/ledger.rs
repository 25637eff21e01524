//! Which migrations were carried out, and which commands of one that is half done.
//!
//! Each command that changes collections is written down before it runs, with what those that it names were then, and again
//! when it has run. So whoever comes after a process that was killed knows whether it happened: if they are other ones
//! than before, it did. Commands that change documents do nothing when they are carried out again.

use std::future::Future;
use std::time::Duration;

use futures_util::TryStreamExt;
use mainstay_schema::Schema;
use mainstay_store::{Migrated, Migration, StoreError};
use mongodb::Database;
use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::options::WriteConcern;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::run::{Runner, is_of_documents};
use super::{internal, refusals, text};
use crate::mongo::ours::{COUNTERS, LOCKS, MIGRATIONS, STEPS};
use crate::mongo::{errors, moments, proof};

/// `_id` of the lock that one migration of a database holds.
const LOCK: &str = "migration";
/// How long a lock holds of which nobody says that it still does: that of a process that is no more.
const LEASE: Duration = Duration::from_secs(30);
/// How often whoever holds it says so.
const RENEWED_EVERY: Duration = Duration::from_secs(8);
/// How long one migration waits for another.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(60);
/// How often it looks meanwhile.
const LOCK_LOOK: Duration = Duration::from_millis(500);
/// `NamespaceExists`: somebody made it in between.
const IS_THERE: i32 = 48;
/// Characters of a command that are told.
const CHARS_MAX: usize = 200;

/// Makes what Mainstay keeps for itself where it is missing.
///
/// # Errors
/// As the server says.
pub(super) async fn prepare(runner: &Runner) -> Result<(), StoreError> {
    let database = runner.database();
    let there = database.list_collection_names().await.map_err(errors::meaning)?;
    let mut wanted: Vec<Document> = Vec::new();
    let names = doc! { "key": { "name": 1 }, "name": "name", "unique": true };
    let once = doc! { "createIndexes": MIGRATIONS, "indexes": [names] };
    let own = [COUNTERS, LOCKS, MIGRATIONS, STEPS].map(|name| doc! { "create": name });
    for command in own.into_iter().chain([once]).chain(internal()) {
        let name = command.get_str("create").or_else(|_| command.get_str("createIndexes")).unwrap_or_default();
        if !there.iter().any(|other| other == name) {
            wanted.push(command);
        }
    }
    for mut command in wanted {
        command.insert("writeConcern", doc! { "w": "majority" });
        match database.run_command(command).await {
            Err(error) if errors::code(&error) == Some(IS_THERE) => {}
            done => drop(done.map_err(errors::meaning)?),
        }
    }
    Ok(())
}

/// The migrations that were applied, oldest first.
///
/// # Errors
/// As the server says.
pub(super) async fn applied(database: &Database) -> Result<Vec<Migrated>, StoreError> {
    let all = database.collection::<Document>(MIGRATIONS);
    let rows: Vec<Document> = async { all.find(doc! {}).sort(doc! { "_id": 1 }).await?.try_collect().await }
        .await
        .map_err(errors::meaning)?;
    let text = |row: &Document, name: &str| row.get_str(name).unwrap_or_default().to_owned();
    let migrated = |row: Document| Migrated {
        name: text(&row, "name"),
        applied_at: row.get_datetime("applied_at").map(|time| whole_seconds(*time)).unwrap_or_default(),
        sql: text(&row, "commands"),
        schema: text(&row, "schema"),
    };
    Ok(rows.into_iter().map(migrated).collect())
}

/// Carries out a migration, command by command, and remembers it. What an earlier try has done of it is not done again.
///
/// # Errors
/// [`StoreError::Migration`] if a command is refused; those before it stay done.
pub(super) async fn apply(runner: &Runner, migration: &Migration) -> Result<(), StoreError> {
    let commands = text::commands(&migration.sql).map_err(failed)?;
    let schema =
        Schema::from_json(&migration.schema).map_err(|error| failed(format!("{}: {error}", migration.name)))?;
    let refused = refusals(&schema);
    if !refused.is_empty() {
        return Err(failed(refused.join("; ")));
    }
    prepare(runner).await?;
    let lock = Lock::take(runner.database()).await?;
    let done = lock.hold(Run { runner, name: &migration.name }.all(migration, &commands)).await;
    lock.release().await;
    done
}

fn failed(message: String) -> StoreError {
    StoreError::Migration { message }
}

/// The right to change the collections, held as long as it is renewed.
struct Lock<'d> {
    database: &'d Database,
    owner: String,
}

impl<'d> Lock<'d> {
    async fn take(database: &'d Database) -> Result<Lock<'d>, StoreError> {
        let lock = Lock { database, owner: Uuid::now_v7().to_string() };
        let start = tokio::time::Instant::now();
        loop {
            if lock.renew(true).await? {
                return Ok(lock);
            }
            if start.elapsed() > LOCK_WAIT_MAX {
                return Err(failed("another migration of this database is running".to_owned()));
            }
            tokio::time::sleep(LOCK_LOOK).await;
        }
    }

    /// Says that the lock is ours, if it is or nobody's. The server's clock decides, which all share.
    async fn renew(&self, is_new: bool) -> Result<bool, StoreError> {
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let never = Bson::DateTime(DateTime::from_millis(0));
        let is_ours = doc! { "$eq": ["$owner", &self.owner] };
        let is_left = doc! { "$lt": [{ "$ifNull": ["$until", never] }, "$$NOW"] };
        let is_free = if is_new { vec![is_ours.clone(), is_left] } else { vec![is_ours.clone()] };
        let owner = doc! { "$cond": [{ "$or": is_free }, &self.owner, "$owner"] };
        let until = doc! { "$cond": [is_ours, { "$add": ["$$NOW", lease] }, "$until"] };
        let command = doc! {
            "findAndModify": LOCKS, "query": { "_id": LOCK }, "upsert": is_new, "new": true,
            "update": [{ "$set": { "owner": owner } }, { "$set": { "until": until } }],
            "writeConcern": { "w": "majority" },
        };
        match self.database.run_command(command).await {
            Ok(reply) => {
                let owner = reply.get_document("value").and_then(|lock| lock.get_str("owner"));
                Ok(owner.is_ok_and(|owner| owner == self.owner))
            }
            // Somebody else took it at the same moment.
            Err(error) if errors::code(&error) == Some(errors::DUPLICATE) => Ok(false),
            Err(error) => Err(errors::meaning(error)),
        }
    }

    /// Does something, and says meanwhile that the lock is still held.
    async fn hold<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(RENEWED_EVERY) => {
                    if !self.renew(false).await? {
                        return Err(failed("another migration of this database has begun meanwhile".to_owned()));
                    }
                }
            }
        }
    }

    async fn release(self) {
        // If it cannot be told, it ends by itself.
        let _ =
            self.database.collection::<Document>(LOCKS).delete_one(doc! { "_id": LOCK, "owner": &self.owner }).await;
    }
}

/// One migration under way.
struct Run<'r> {
    runner: &'r Runner,
    name: &'r str,
}

impl Run<'_> {
    async fn all(&self, migration: &Migration, commands: &[Document]) -> Result<(), StoreError> {
        let names: Vec<String> = applied(self.runner.database()).await?.into_iter().map(|one| one.name).collect();
        if names.iter().any(|name| name == self.name) {
            // By another process, while this one waited for its turn.
            return Err(failed(format!("the migration {} was applied already", self.name)));
        }
        // Whoever recorded them was ended before it could do so.
        self.clean(doc! { "migration": { "$in": names } }).await?;
        let lines: Vec<String> = commands.iter().map(text::print).collect();
        let mut done = self.begun(&lines).await?;
        let mut count = 0;
        for (at, (command, line)) in commands.iter().zip(&lines).enumerate() {
            if let Some(place) = done.iter().position(|other| other == line) {
                done.swap_remove(place);
                count += 1;
                continue;
            }
            if let Err(message) = self.step(at, command, line).await? {
                let mut message = format!("command {} of {}: {message}", at + 1, commands.len());
                if count > 0 {
                    message.push_str(&format!(
                        "; of the others {count} are done, and will not be done again when the migration is run again"
                    ));
                }
                return Err(failed(message));
            }
            count += 1;
        }
        self.remember(migration).await
    }

    /// The record of the migration takes the place of those of its commands.
    async fn remember(&self, migration: &Migration) -> Result<(), StoreError> {
        let all = self.runner.database().collection::<Document>(MIGRATIONS);
        let last = all.find_one(doc! {}).sort(doc! { "_id": -1 }).await.map_err(errors::meaning)?;
        let position = last.and_then(|last| last.get_i64("_id").ok()).unwrap_or_default() + 1;
        let record = doc! {
            "_id": position, "name": &migration.name, "applied_at": DateTime::now(), "commands": &migration.sql,
            "schema": &migration.schema,
        };
        all.insert_one(record).write_concern(WriteConcern::majority()).await.map_err(errors::meaning)?;
        self.clean(doc! {}).await
    }

    /// Drops the notes of commands whose migrations are through.
    async fn clean(&self, which: Document) -> Result<(), StoreError> {
        let steps = self.runner.database().collection::<Document>(STEPS);
        steps.delete_many(which).write_concern(WriteConcern::majority()).await.map_err(errors::meaning)?;
        Ok(())
    }

    /// The commands that an earlier try has done; refused if this migration does not have them.
    async fn begun(&self, lines: &[String]) -> Result<Vec<String>, StoreError> {
        let steps = self.runner.database().collection::<Document>(STEPS);
        let noted: Vec<Document> = async { steps.find(doc! {}).sort(doc! { "_id": 1 }).await?.try_collect().await }
            .await
            .map_err(errors::meaning)?;
        let mut done = Vec::new();
        for step in noted {
            let line = step.get_str("command").unwrap_or_default().to_owned();
            if step.get_bool("is_done").unwrap_or_default() || self.has_happened(&step).await? {
                done.push(line);
            }
        }
        let mut left = lines.to_vec();
        for line in &done {
            match left.iter().position(|other| other == line) {
                Some(place) => drop(left.swap_remove(place)),
                None => {
                    return Err(failed(format!(
                        "an earlier migration stopped half way, and this one does not go on from there: it has done \
                         `{}`. Have the schema say again what it said then and migrate, or undo that command by hand \
                         and delete it from {STEPS}",
                        shortened(line)
                    )));
                }
            }
        }
        // They are those of this migration from now on, whatever it was called then.
        steps.update_many(doc! {}, doc! { "$set": { "migration": self.name } }).await.map_err(errors::meaning)?;
        Ok(done)
    }

    /// Whether a command happened whose end nobody saw.
    async fn has_happened(&self, step: &Document) -> Result<bool, StoreError> {
        let before = step.get_str("before").unwrap_or_default();
        let has_happened = !before.is_empty()
            && before != self.fingerprint(&named(step.get_str("command").unwrap_or_default())).await?;
        let steps = self.runner.database().collection::<Document>(STEPS);
        let this = doc! { "_id": step.get("_id").cloned().unwrap_or(Bson::Null) };
        match has_happened {
            true => {
                steps.update_one(this, doc! { "$set": { "is_done": true } }).await.map_err(errors::meaning)?;
            }
            false => {
                steps.delete_one(this).await.map_err(errors::meaning)?;
            }
        }
        Ok(has_happened)
    }

    /// Carries out one command; the inner error is why the server would not.
    async fn step(&self, at: usize, command: &Document, line: &str) -> Result<Result<(), String>, StoreError> {
        let steps = self.runner.database().collection::<Document>(STEPS);
        let before = if is_of_documents(command) { String::new() } else { self.fingerprint(&named(line)).await? };
        let id = Uuid::now_v7().to_string();
        let number = i64::try_from(at).unwrap_or_default();
        let note = doc! {
            "_id": &id, "migration": self.name, "number": number, "command": line, "before": before, "is_done": false,
        };
        steps.insert_one(note).write_concern(WriteConcern::majority()).await.map_err(errors::meaning)?;
        let outcome = self.runner.run(command).await?;
        match &outcome {
            Ok(()) => {
                let is_done = doc! { "$set": { "is_done": true } };
                let marked = steps.update_one(doc! { "_id": id }, is_done).write_concern(WriteConcern::majority());
                marked.await.map_err(errors::meaning)?;
            }
            // It has not happened: nothing is left to find out.
            Err(_) => {
                steps.delete_one(doc! { "_id": id }).await.map_err(errors::meaning)?;
            }
        }
        Ok(outcome)
    }

    /// What some collections are, in so many hexadecimal digits. Others may change meanwhile.
    async fn fingerprint(&self, collections: &[String]) -> Result<String, StoreError> {
        let mut hash = Sha256::new();
        let is_asked = |name: &str| collections.iter().any(|other| other == name);
        let described = proof::described(self.runner.database(), proof::Detail::Identity, is_asked).await?;
        for ((table, part), how) in described {
            for text in [table, part, how] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
        }
        Ok(hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect())
    }
}

/// The collections that a command is about.
fn named(line: &str) -> Vec<String> {
    let commands = text::commands(line).unwrap_or_default();
    let of_command = |command: &Document| {
        let first = command.iter().next().and_then(|(_, value)| value.as_str());
        let names = first.into_iter().chain(command.get_str("to").ok());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    commands.iter().flat_map(of_command).collect()
}

/// A moment as a canonical timestamp.
fn whole_seconds(time: DateTime) -> String {
    let mut text = String::new();
    let milliseconds = time.timestamp_millis();
    match moments::write(milliseconds - milliseconds.rem_euclid(1000), &mut text) {
        Some(()) => text,
        None => String::new(),
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
