//! Texts → settings. Each has its line in [`settings`]; what a text cannot be is remembered, and the rest read on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mainstay_http::{Cors, TokenReader, TxEnd, Verbosity};

use super::known::{GONE, Here, KNOWN, Known};
use super::uri;
use super::{LONGEST, LogLevel, Mistake, Notice, OpenApi, Place, RolePath, Settings, Sources};
use crate::catalog::Name;

/// Callers that may wait for a connection: as many as there are, since each has its own limit of time.
const WAITING_MAX: usize = 100_000;
/// Before every name of PostgREST's in the environment.
const PREFIX: &str = "PGRST_";
/// Before the names of settings that are set in each transaction.
const APP: &str = "app.settings.";
const APP_VARIABLE: &str = "PGRST_APP_SETTINGS_";

pub(super) fn read(sources: &Sources) -> Result<(Settings, Vec<Notice>), Vec<Mistake>> {
    let mut reader = Reader { sources, mistakes: Vec::new(), notices: Vec::new() };
    reader.look_for_strangers();
    let settings = settings(&mut reader);
    match (settings, reader.mistakes.is_empty()) {
        (Some(settings), true) => Ok((settings, reader.notices)),
        _ => Err(reader.mistakes),
    }
}

fn settings(reader: &mut Reader<'_>) -> Option<Settings> {
    let database = database(reader);
    let tokens = tokens(reader);
    let role_path = reader.text("jwt-role-claim-key").unwrap_or_default();
    let role_path = RolePath::parse(&role_path);
    if role_path.is_none() {
        reader.wrong("jwt-role-claim-key", "must be a JSON path, such as $.role or $.app.roles[0]");
    }
    let place = place(reader);
    let admin_port = reader.number("admin-server-port").map(|port| reader.port("admin-server-port", port));
    let admin_host = reader.text("admin-server-host").or_else(|| reader.text("server-host"));
    if let (Place::Tcp(_, port), Some(admin_port)) = (&place, admin_port)
        && *port == admin_port
        && admin_port != 0
    {
        reader.wrong("admin-server-port", "must not be that of server-port");
    }
    let schemas = reader.list("db-schemas");
    if schemas.is_empty() {
        reader.wrong("db-schemas", "must name a schema");
    }
    for schema in schemas.iter().filter(|schema| matches!(schema.as_str(), "pg_catalog" | "information_schema")) {
        reader.wrong("db-schemas", &format!("must not name {schema}, which is the server's own"));
    }
    let trace_header = reader.text("server-trace-header").and_then(|name| {
        let parsed = name.parse().ok();
        if parsed.is_none() {
            reader.wrong("server-trace-header", "must be the name of a header");
        }
        parsed
    });
    let tx_ends = [
        ("commit", TxEnd::Commit),
        ("commit-allow-override", TxEnd::CommitAllowOverride),
        ("rollback", TxEnd::Rollback),
        ("rollback-allow-override", TxEnd::RollbackAllowOverride),
    ];
    let openapi = [
        ("follow-privileges", OpenApi::FollowPrivileges),
        ("ignore-privileges", OpenApi::IgnorePrivileges),
        ("disabled", OpenApi::Disabled),
    ];
    let levels = [
        ("crit", LogLevel::Crit),
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
    let queries = [("disabled", false), ("main-query", true), ("false", false), ("true", true)];
    let origins = reader.list("server-cors-allowed-origins");
    Some(Settings {
        schemas,
        anon_role: reader.text("db-anon-role"),
        extra_search_path: reader.list("db-extra-search-path"),
        rows_max: reader.number("db-max-rows"),
        aggregates: reader.flag("db-aggregates-enabled"),
        plans: reader.flag("db-plan-enabled"),
        tx_end: reader.word("db-tx-end", &tx_ends),
        pre_request: reader.name("db-pre-request"),
        root_spec: reader.name("db-root-spec"),
        hoisted: reader.list("db-hoisted-tx-settings"),
        channel: if reader.flag("db-channel-enabled") { reader.text("db-channel") } else { None },
        in_database: reader.flag("db-config"),
        pre_config: reader.name("db-pre-config"),
        audience: reader.text("jwt-aud"),
        audience_is_needed: false,
        tokens_max: reader.count("jwt-cache-max-entries"),
        openapi: reader.word("openapi-mode", &openapi),
        openapi_security: reader.flag("openapi-security-active"),
        proxy_uri: proxy_uri(reader),
        cors: if origins.is_empty() { Cors::Any } else { Cors::from_list(&origins) },
        timing: reader.flag("server-timing-enabled"),
        trace_header,
        verbosity: reader
            .word("client-error-verbosity", &[("verbose", Verbosity::Verbose), ("minimal", Verbosity::Minimal)]),
        legacy_target_names: reader.flag("url-use-legacy-target-names"),
        admin: admin_port.map(|port| (host(&admin_host.unwrap_or_default()), port)),
        log_level: reader.word("log-level", &levels),
        log_query: reader.word("log-query", &queries),
        app_settings: app_settings(reader.sources),
        place,
        database: database?,
        tokens,
        role_path: role_path?,
    })
}

fn database(reader: &mut Reader<'_>) -> Option<mainstay_stores::PostgresOptions> {
    let text = reader.text("db-uri").unwrap_or_default();
    let text = reader.content("db-uri", text)?;
    let sources = reader.sources;
    let (options, notices) = match uri::parse(&text, |name| sources.variable(name).map(str::to_owned)) {
        Ok(parsed) => parsed,
        Err(what) => {
            reader.mistakes.push(Mistake(format!("db-uri: {what}")));
            return None;
        }
    };
    reader.notices.extend(notices.into_iter().map(|what| Notice(format!("db-uri: {what}"))));
    let mut options = options;
    let seconds = |reader: &mut Reader<'_>, name| Duration::from_secs(reader.number(name).unwrap_or(0)).min(LONGEST);
    options.limits.connections_max = reader.count("db-pool").max(1);
    options.limits.waiting_max = WAITING_MAX;
    options.limits.wait_max = seconds(reader, "db-pool-acquisition-timeout");
    options.limits.age_max = seconds(reader, "db-pool-max-lifetime");
    options.limits.idle_max = Some(seconds(reader, "db-pool-max-idletime"));
    options.named_statements &= reader.flag("db-prepared-statements");
    options.as_configured = true;
    Some(options)
}

/// Who tokens are verified by.
fn tokens(reader: &mut Reader<'_>) -> Option<Arc<TokenReader>> {
    let is_base64 = reader.flag("jwt-secret-is-base64");
    let text = reader.text("jwt-secret")?;
    let text = reader.content("jwt-secret", text)?;
    let made = if is_base64 {
        match TokenReader::decode_secret(&text) {
            Some(secret) => secret_alone(&secret).ok_or("must be at least 32 octets long"),
            None => Err("is not base64, and jwt-secret-is-base64 says that it is"),
        }
    } else if text.trim_start().starts_with('{') {
        TokenReader::of_keys(&text)
    } else {
        secret_alone(text.as_bytes()).ok_or("must be at least 32 characters long")
    };
    match made {
        Ok(tokens) => Some(Arc::new(tokens)),
        Err(what) => {
            reader.wrong("jwt-secret", what);
            None
        }
    }
}

/// Who verifies by a secret; `None` if it is too short.
fn secret_alone(secret: &[u8]) -> Option<TokenReader> {
    TokenReader::of_secret(secret).ok().map(TokenReader::of_unnamed)
}

fn place(reader: &mut Reader<'_>) -> Place {
    let socket = reader.text("server-unix-socket");
    let mode = reader.text("server-unix-socket-mode").unwrap_or_default();
    let mode = u32::from_str_radix(&mode, 8).ok().filter(|mode| (0o600..=0o777).contains(mode));
    let port = reader.number("server-port").unwrap_or_default();
    let port = reader.port("server-port", port);
    if mode.is_none() {
        reader.wrong("server-unix-socket-mode", "must be an octal mode from 600 to 777");
    }
    match socket {
        Some(path) => Place::Unix(PathBuf::from(path), mode.unwrap_or(0o660)),
        None => Place::Tcp(host(&reader.text("server-host").unwrap_or_default()), port),
    }
}

/// The address that a word for many addresses stands for.
fn host(text: &str) -> String {
    match text {
        "*" | "*4" | "!4" | "" => "0.0.0.0".to_owned(),
        "*6" | "!6" => "::".to_owned(),
        text => text.to_owned(),
    }
}

fn proxy_uri(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text("openapi-server-proxy-uri")?;
    let parsed = text.parse::<http::Uri>().ok();
    let is_good = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if !is_good {
        reader.wrong("openapi-server-proxy-uri", "must be a URI that begins with http:// or https://");
    }
    Some(text)
}

/// Settings of transactions: those of the file, then those of the environment, then those of the database.
pub(super) fn app_settings(sources: &Sources) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut set = |name: String, value: &str| match found.iter_mut().find(|(known, _)| *known == name) {
        Some((_, old)) => *old = value.to_owned(),
        None => found.push((name, value.to_owned())),
    };
    for (name, value) in &sources.file {
        if name.starts_with(APP) {
            set(name.clone(), value);
        }
    }
    for (name, value) in &sources.environment {
        if let Some(name) = name.strip_prefix(APP_VARIABLE) {
            set(format!("{APP}{}", name.to_ascii_lowercase()), value);
        }
    }
    for (name, value) in &sources.database {
        if name.starts_with(APP) {
            set(name.clone(), value);
        }
    }
    found
}

struct Reader<'s> {
    sources: &'s Sources,
    mistakes: Vec<Mistake>,
    notices: Vec<Notice>,
}

impl Reader<'_> {
    /// Names what is set and is no setting, or one without an effect.
    fn look_for_strangers(&mut self) {
        let file = self.sources.file.iter().map(|(name, _)| name.clone()).filter(|name| !name.starts_with(APP));
        let variables = self.sources.environment.iter().filter_map(|(name, _)| {
            let is_ours = name.starts_with(PREFIX) && !name.starts_with(APP_VARIABLE);
            is_ours.then(|| name[PREFIX.len()..].to_ascii_lowercase().replace('_', "-"))
        });
        for name in file.chain(variables).collect::<Vec<_>>() {
            let told = match (Known::find(&name), GONE.iter().find(|(gone, _)| *gone == name)) {
                (Some(Known { here: Here::Idle(why), .. }), _) => format!("{name} has no effect: {why}"),
                (Some(_), _) => continue,
                (None, Some((_, instead))) => format!("{name} has no effect: {instead}"),
                (None, None) => format!("{name} is not a setting that is known; it has no effect"),
            };
            if !self.notices.iter().any(|notice| notice.0 == told) {
                self.notices.push(Notice(told));
            }
        }
    }

    fn wrong(&mut self, name: &str, what: &str) {
        self.mistakes.push(Mistake(format!("{name} {what}")));
    }

    /// The text of a setting, or its default; `None` for an empty one.
    fn text(&mut self, name: &str) -> Option<String> {
        let known = KNOWN.iter().find(|known| known.name == name)?;
        let found = find(self.sources, known);
        // An empty text is none, but of lists that have members without being set.
        let may_be_empty = matches!(name, "db-extra-search-path" | "db-hoisted-tx-settings");
        let found = found.filter(|text| may_be_empty || !text.is_empty()).unwrap_or(known.default);
        Some(found.to_owned()).filter(|text| !text.is_empty())
    }

    /// What a text that begins with `@` names: the content of that file.
    fn content(&mut self, name: &str, text: String) -> Option<String> {
        let Some(path) = text.strip_prefix('@') else { return Some(text) };
        match std::fs::read_to_string(path) {
            Ok(content) => Some(content.trim_end_matches(['\n', '\r']).to_owned()),
            Err(error) => {
                self.mistakes.push(Mistake(format!("{name}: the file {path} cannot be read ({error})")));
                None
            }
        }
    }

    fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }

    fn flag(&mut self, name: &str) -> bool {
        let text = self.text(name).unwrap_or_default();
        match text.to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" => true,
            "false" | "off" | "no" | "" => false,
            text => match text.parse::<i64>() {
                Ok(number) => number > 0,
                Err(_) => {
                    self.wrong(name, "must be true or false");
                    false
                }
            },
        }
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        let text = self.text(name)?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            self.wrong(name, "must be a whole number");
        }
        number
    }

    fn count(&mut self, name: &str) -> usize {
        self.number(name).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    }

    fn port(&mut self, name: &str, port: u64) -> u16 {
        u16::try_from(port).unwrap_or_else(|_| {
            self.wrong(name, "must be a number up to 65535");
            0
        })
    }

    fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> T {
        let text = self.text(name).unwrap_or_default();
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => *value,
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.wrong(name, &format!("must be one of {}", known.join(", ")));
                words[0].1
            }
        }
    }

    /// The name of a function, with or without a schema.
    fn name(&mut self, name: &str) -> Option<Name> {
        let text = self.text(name)?;
        Some(match text.split_once('.') {
            Some((schema, name)) => Name::new(schema, name),
            None => Name::new("", text.as_str()),
        })
    }
}

/// The text that counts: that of the database, then of the environment, then of the file; in each that of the newest name.
pub(super) fn find<'s>(sources: &'s Sources, known: &Known) -> Option<&'s str> {
    let names = || std::iter::once(&known.name).chain(known.aliases);
    let among = |list: &'s [(String, String)]| {
        // What comes later in a file counts.
        names().find_map(|name| list.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str()))
    };
    let database = known.in_database.then(|| among(&sources.database)).flatten();
    let variable = || names().find_map(|name| sources.variable(&Known::variable(name)));
    database.or_else(variable).or_else(|| among(&sources.file))
}
