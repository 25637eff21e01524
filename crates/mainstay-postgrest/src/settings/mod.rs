//! PostgREST's settings: from its configuration file, its environment variables and the database, to what they mean.
//!
//! A setting in the database goes before one in the environment, and that before the file. What is not known, or known
//! and without an effect here, is named in a notice; what cannot be is a mistake, and all mistakes are told at once.

mod claim;
mod database;
mod file;
mod known;
mod print;
mod read;
mod uri;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;
use mainstay_http::{Cors, TokenReader, TxEnd, Verbosity};
use mainstay_stores::PostgresOptions;

use crate::catalog::Name;

pub use claim::RolePath;
pub use known::{GONE, Here, KNOWN, Known};
pub use print::print;

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the database is, and how much of it to take.
    pub database: PostgresOptions,
    /// Schemas that are exposed; the first is the default. Never empty.
    pub schemas: Vec<String>,
    /// The role of requests without a token.
    pub anon_role: Option<String>,
    /// Schemas that are on the search path behind the exposed one.
    pub extra_search_path: Vec<String>,
    /// Most rows that one level of an answer has.
    pub rows_max: Option<u64>,
    /// Whether aggregates may be used.
    pub aggregates: bool,
    /// Whether plans may be asked for.
    pub plans: bool,
    /// How transactions end.
    pub tx_end: TxEnd,
    /// The function that is called first in each transaction; without a schema it is looked for on the search path.
    pub pre_request: Option<Name>,
    /// The function whose value is the root document.
    pub root_spec: Option<Name>,
    /// Settings of functions that go with the whole transaction.
    pub hoisted: Vec<String>,
    /// The channel on which the database asks for a reload; `None` if nobody listens.
    pub channel: Option<String>,
    /// Whether settings in the database count.
    pub in_database: bool,
    /// The function that sets settings before they are read from the database.
    pub pre_config: Option<Name>,
    /// Who tokens are verified by; `None` if none are taken.
    pub tokens: Option<std::sync::Arc<TokenReader>>,
    /// Who tokens must be made for.
    pub audience: Option<String>,
    /// Whether a token that names no audience is refused where one is set; PostgREST takes it.
    pub audience_is_needed: bool,
    /// Where in the claims the role stands.
    pub role_path: RolePath,
    /// Tokens that are remembered at most.
    pub tokens_max: usize,
    /// What the root document tells.
    pub openapi: OpenApi,
    /// Whether the root document says that tokens are taken.
    pub openapi_security: bool,
    /// Where the API is reached from outside.
    pub proxy_uri: Option<String>,
    /// Pages that may call.
    pub cors: Cors,
    /// Whether answers tell how long each stage took.
    pub timing: bool,
    /// A header that is copied from each request to its answer.
    pub trace_header: Option<HeaderName>,
    /// How much errors tell.
    pub verbosity: Verbosity,
    /// Whether filters, orders and limits may name an embed that has an alias by its target.
    pub legacy_target_names: bool,
    /// Where requests come in.
    pub place: Place,
    /// Where the admin server listens, if it does.
    pub admin: Option<(String, u16)>,
    /// Which requests are logged.
    pub log_level: LogLevel,
    /// Whether statements are logged.
    pub log_query: bool,
    /// Settings that are set in each transaction, `app.settings.…`.
    pub app_settings: Vec<(String, String)>,
}

/// What the root document tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenApi {
    /// What the role may use.
    FollowPrivileges,
    /// Everything that is exposed.
    IgnorePrivileges,
    /// There is none.
    Disabled,
}

/// Where requests come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Host and port.
    Tcp(String, u16),
    /// A socket in the file system, with the mode of its file.
    Unix(PathBuf, u32),
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// None.
    Crit,
    /// Those that the server failed.
    Error,
    /// Those that were refused too.
    Warn,
    /// All.
    Info,
    /// All, and more besides.
    Debug,
}

/// What is wrong with the settings, in a sentence without its point. Never holds a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake(pub String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody should know of settings that are taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(pub String);

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Texts of settings, by where they come from.
#[derive(Clone, Default)]
pub struct Sources {
    /// The file's.
    file: Vec<(String, String)>,
    /// All variables of the environment.
    environment: Vec<(String, String)>,
    /// The database's, by their names in the file.
    database: Vec<(String, String)>,
}

impl Sources {
    /// Those of a configuration file, if there is one, and of the environment.
    ///
    /// # Errors
    /// What in the file is no setting.
    pub fn new(file: Option<&str>, environment: Vec<(String, String)>) -> Result<Sources, Vec<Mistake>> {
        let variable = |name: &str| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let file = file.map(|text| file::parse(text, variable)).transpose()?.unwrap_or_default();
        Ok(Sources { file, environment, database: Vec::new() })
    }

    /// The settings, and what should be said of them.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn read(&self) -> Result<(Settings, Vec<Notice>), Vec<Mistake>> {
        read::read(self)
    }

    /// The variable of the environment.
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources([hidden])")
    }
}

/// Longest wait for a connection that a setting can ask for.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
