//! Settings that are kept in the database: `ALTER ROLE authenticator SET pgrst.db_schemas = '…'`, for the role that we
//! connect as, in this database before those in all; and what a function of the user's own sets.

use std::time::Instant;

use mainstay_stores::postgres::{Access, Failure, Isolation, Param, Pool, Session};

use super::known::KNOWN;
use super::{Settings, Sources};
use crate::sql::Sql;

/// Before the names of settings in the database.
const PREFIX: &str = "pgrst.";
const APP: &str = "app.settings.";

/// What `ALTER ROLE … SET` says of the role that asks, the database's own after that of all.
const ROLE_SETTINGS: &str = "\
SELECT split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value \
FROM pg_catalog.pg_db_role_setting, unnest(setconfig) AS setting \
WHERE setrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user) \
AND setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())) \
AND setting LIKE 'pgrst.%' ORDER BY setdatabase";

impl Sources {
    /// The same with what the database says now. Where the settings say that it does not count, the same.
    ///
    /// # Errors
    /// As the server says.
    pub async fn with_database(&self, pool: &Pool, settings: &Settings, deadline: Instant) -> Result<Sources, Failure> {
        let mut sources = self.clone();
        sources.database.clear();
        if !settings.in_database {
            return Ok(sources);
        }
        let mut session = pool.session(deadline).await?;
        session.begin(Access::Write, Isolation::ReadCommitted);
        let found = read(&mut session, settings).await?;
        session.commit().await?;
        sources.database = found.into_iter().filter_map(|(name, value)| Some((known(&name)?, value))).collect();
        Ok(sources)
    }
}

async fn read(session: &mut Session, settings: &Settings) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    for row in session.query_all(ROLE_SETTINGS, &[]).await? {
        found.push((row.get::<_, String>(0), row.get::<_, String>(1)));
    }
    if let Some(function) = &settings.pre_config {
        let mut call = Sql::of("SELECT ");
        call.name(function).push("()");
        session.execute(&call.finish().0, &[]).await?;
        for setting in KNOWN.iter().filter(|setting| setting.in_database) {
            let name = format!("{PREFIX}{}", setting.name.replace('-', "_"));
            let rows = session.query_all("SELECT current_setting($1, true)", &[Param::Text(&name)]).await?;
            if let Some(value) =
                rows.first().and_then(|row| row.get::<_, Option<String>>(0)).filter(|text| !text.is_empty())
            {
                found.push((name, value));
            }
        }
    }
    Ok(found)
}

/// The name in the file of a setting in the database.
fn known(name: &str) -> Option<String> {
    let name = name.strip_prefix(PREFIX)?;
    if let Some(own) = name.strip_prefix(APP).or_else(|| name.strip_prefix("app_settings_")) {
        return Some(format!("{APP}{own}"));
    }
    Some(name.replace('_', "-"))
}
