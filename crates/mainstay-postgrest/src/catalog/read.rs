//! Reads the snapshot: one statement for each kind of thing, all in one transaction that sees one state of the catalog.
//!
//! Types are written with their schema unless they are the system's own, since `search_path` is empty meanwhile.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_stores::postgres::{Access, Failure, Isolation, Param, Pool, Session};

use super::columns;
use super::functions::function;
use super::names::{Names, array};
use super::relations::{ComputedRow, Found, Key, KeyKind};
use super::{Catalog, Handler, HandlerSource, Name, Relation, Representation, RoleSettings};

/// How long reading may take.
const READ_MAX: Duration = Duration::from_secs(120);
/// Settings while it is read. Compiling the statements takes longer than running them on any catalog, and a limit that the
/// role has for the statements of requests is none for these.
const SETTINGS: [(&str, &str); 3] = [("search_path", ""), ("jit", "off"), ("statement_timeout", "120s")];
/// From this version on a role may be granted single settings.
const GRANTED_SETTINGS_SINCE: u32 = 150_000;
/// Settings of a function that hold for the whole transaction, unless the configuration names others.
pub const HOISTED: [&str; 3] =
    ["statement_timeout", "plan_filter.statement_cost_limit", "default_transaction_isolation"];

/// What to read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The exposed schemas.
    pub schemas: Vec<String>,
    /// Which settings of functions hold for the whole transaction.
    pub hoisted_settings: Vec<String>,
    /// Names of time zones from an earlier snapshot, so that they need not be read again.
    pub timezones: Option<Arc<HashSet<String>>>,
}

impl ReadOptions {
    /// These schemas, with the usual settings.
    pub fn of<S: Into<String>>(schemas: impl IntoIterator<Item = S>) -> ReadOptions {
        ReadOptions {
            schemas: schemas.into_iter().map(Into::into).collect(),
            hoisted_settings: HOISTED.map(str::to_owned).to_vec(),
            timezones: None,
        }
    }
}

/// Reads what the database has at the moment.
///
/// # Errors
/// [`Failure`] if no connection can be had or the server does not answer as it should.
pub async fn read(pool: &Pool, options: &ReadOptions) -> Result<Catalog, Failure> {
    let (catalog, session) = read_open(pool, options).await?;
    session.finish_read();
    Ok(catalog)
}

/// The same, with the session that still sees what was read.
pub(super) async fn read_open(pool: &Pool, options: &ReadOptions) -> Result<(Catalog, Session), Failure> {
    let mut session = reading(pool, READ_MAX).await?;
    let reader = Reader { session: &mut session, schemas: array(&options.schemas), names: Names::default() };
    let catalog = reader.catalog(options).await?;
    Ok((catalog, session))
}

/// A session to read the catalog in, for so long at most.
pub(super) async fn reading(pool: &Pool, most: Duration) -> Result<Session, Failure> {
    let mut session = pool.session(Instant::now() + most).await?;
    let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    session.begin_with(Access::Read, Isolation::RepeatableRead, settings);
    Ok(session)
}

struct Reader<'s> {
    session: &'s mut Session,
    /// The exposed schemas as an array literal.
    schemas: String,
    names: Names,
}

impl Reader<'_> {
    async fn catalog(mut self, options: &ReadOptions) -> Result<Catalog, Failure> {
        let server_version = self.server().await?;
        let mut relations = self.relations().await?;
        let attributes = columns::read(self.session, &self.schemas, &mut self.names, &mut relations).await?;
        let found = Found {
            keys: self.keys().await?,
            views: self.views().await?,
            computed: self.computed().await?,
            attributes,
        };
        // Much work where tables are many, and requests are answered by the same threads as this.
        let related = tokio::task::spawn_blocking(move || (found.relate(&mut relations), relations)).await;
        let (relationships, relations) = related.map_err(|error| Failure::Unavailable(error.into()))?;
        let mut functions: BTreeMap<Name, Vec<_>> = BTreeMap::new();
        for row in self.session.query_all(include_str!("sql/functions.sql"), &[Param::Text(&self.schemas)]).await? {
            let function = function(&row, &mut self.names, &relations, &options.hoisted_settings)?;
            functions.entry(function.name.clone()).or_default().push(function);
        }
        for overloads in functions.values_mut() {
            super::functions::sort(overloads);
        }
        let handlers = self.handlers(&relations).await?;
        let timezones = match &options.timezones {
            Some(known) => known.clone(),
            None => Arc::new(self.timezones().await?),
        };
        Ok(Catalog {
            server_version,
            relationships,
            functions,
            representations: self.representations().await?,
            handlers,
            timezones,
            schema_comments: self.schema_comments().await?,
            role_settings: self.role_settings(server_version).await?,
            relations: relations.into_values().map(|relation| (relation.name.clone(), relation)).collect(),
        })
    }

    async fn server(&mut self) -> Result<u32, Failure> {
        let rows = self.session.query_all(include_str!("sql/server.sql"), &[]).await?;
        match rows.first() {
            Some(row) => {
                let version: i32 = row.try_get(0)?;
                Ok(u32::try_from(version).unwrap_or_default())
            }
            None => Err(Failure::Unavailable("the server gave no answer".into())),
        }
    }

    /// The relations by their numbers, without columns and keys.
    async fn relations(&mut self) -> Result<HashMap<u32, Relation>, Failure> {
        const INSERTABLE: i32 = 1 << 3;
        const UPDATABLE: i32 = 1 << 2;
        const DELETABLE: i32 = 1 << 4;
        let rows = self.session.query_all(include_str!("sql/relations.sql"), &[Param::Text(&self.schemas)]).await?;
        let mut relations = HashMap::with_capacity(rows.len());
        for row in rows {
            let kind: &str = row.try_get(3)?;
            let writable: i32 = row.try_get(5)?;
            let relation = Relation {
                oid: row.try_get(0)?,
                name: self.names.name(row.try_get(1)?, row.try_get(2)?),
                comment: row.try_get(4)?,
                is_view: matches!(kind, "v" | "m"),
                insertable: writable & INSERTABLE != 0,
                updatable: writable & UPDATABLE != 0,
                deletable: writable & DELETABLE != 0,
                primary_key: Vec::new(),
                columns: Vec::new(),
            };
            relations.insert(relation.oid, relation);
        }
        Ok(relations)
    }

    async fn keys(&mut self) -> Result<Vec<Key>, Failure> {
        let rows = self.session.query_all(include_str!("sql/keys.sql"), &[]).await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let kind: &str = row.try_get(2)?;
            let kind = match kind {
                "p" => KeyKind::Primary,
                "u" => KeyKind::Unique,
                _ => KeyKind::Foreign {
                    target: row.try_get(4)?,
                    columns: row.try_get::<_, Option<_>>(5)?.unwrap_or_default(),
                },
            };
            keys.push(Key {
                relation: row.try_get(0)?,
                name: self.names.share(row.try_get(1)?),
                columns: row.try_get::<_, Option<_>>(3)?.unwrap_or_default(),
                kind,
            });
        }
        Ok(keys)
    }

    /// The parsed queries of views by their numbers.
    async fn views(&mut self) -> Result<Vec<(u32, String)>, Failure> {
        let rows = self.session.query_all(include_str!("sql/views.sql"), &[Param::Text(&self.schemas)]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    async fn computed(&mut self) -> Result<Vec<ComputedRow>, Failure> {
        let rows = self.session.query_all(include_str!("sql/computed.sql"), &[Param::Text(&self.schemas)]).await?;
        let mut computed = Vec::with_capacity(rows.len());
        for row in rows {
            computed.push(ComputedRow {
                function: self.names.name(row.try_get(0)?, row.try_get(1)?),
                source: row.try_get(2)?,
                target: row.try_get(3)?,
                to_one: row.try_get(4)?,
            });
        }
        Ok(computed)
    }

    async fn handlers(&mut self, relations: &HashMap<u32, Relation>) -> Result<Vec<Handler>, Failure> {
        let rows = self.session.query_all(include_str!("sql/handlers.sql"), &[Param::Text(&self.schemas)]).await?;
        let mut handlers = Vec::with_capacity(rows.len());
        for row in rows {
            let name = self.names.name(row.try_get(0)?, row.try_get(1)?);
            let (is_aggregate, over): (bool, Option<u32>) = (row.try_get(3)?, row.try_get(4)?);
            let relation = match over.filter(|_| is_aggregate) {
                None => None,
                // One over rows of a relation that cannot be asked for is never called.
                Some(over) => match relations.get(&over) {
                    Some(relation) => Some(relation.name.clone()),
                    None => continue,
                },
            };
            let source = if is_aggregate { HandlerSource::Aggregate(name) } else { HandlerSource::Function(name) };
            handlers.push(Handler { media: row.try_get(2)?, source, relation });
        }
        Ok(handlers)
    }

    async fn representations(&mut self) -> Result<HashMap<(Arc<str>, Arc<str>), Representation>, Failure> {
        let rows = self.session.query_all(include_str!("sql/representations.sql"), &[]).await?;
        let mut representations = HashMap::with_capacity(rows.len());
        for row in rows {
            let (from, to) = (self.names.share(row.try_get(0)?), self.names.share(row.try_get(1)?));
            let function = self.names.name(row.try_get(2)?, row.try_get(3)?);
            representations.insert((from, to), Representation { function });
        }
        Ok(representations)
    }

    async fn schema_comments(&mut self) -> Result<HashMap<Arc<str>, String>, Failure> {
        let rows = self.session.query_all(include_str!("sql/schemas.sql"), &[Param::Text(&self.schemas)]).await?;
        rows.iter().map(|row| Ok((self.names.share(row.try_get(0)?), row.try_get(1)?))).collect()
    }

    async fn role_settings(&mut self, server_version: u32) -> Result<HashMap<String, RoleSettings>, Failure> {
        let sql = match server_version < GRANTED_SETTINGS_SINCE {
            true => include_str!("sql/roles.sql"),
            false => include_str!("sql/roles_privileged.sql"),
        };
        let mut roles: HashMap<String, RoleSettings> = HashMap::new();
        for row in self.session.query_all(sql, &[]).await? {
            let (name, value): (String, String) = (row.try_get(1)?, row.try_get(2)?);
            let role = roles.entry(row.try_get(0)?).or_default();
            match name.as_str() {
                "default_transaction_isolation" => role.isolation = Some(value.to_ascii_lowercase()),
                _ => role.settings.push((name, value)),
            }
        }
        Ok(roles)
    }

    async fn timezones(&mut self) -> Result<HashSet<String>, Failure> {
        let rows = self.session.query_all(include_str!("sql/timezones.sql"), &[]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}
