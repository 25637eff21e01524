//! How a project becomes a running engine: the one place where the crates meet.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_engine::{Engine, ExaminedLimits, SlowLog, SlowStatement};
use mainstay_http::{
    About, AnswerSettings, App, ClaimPath, Compression, Cors, Description, Keys, MissingAudience, Reference,
    RequestLimits, SERVER, Scope, ServerLimits, TokenSettings, TxEnd, Verbosity,
};
use mainstay_query::Limits;
use mainstay_store::Store;
use mainstay_stores::{SqliteOptions, SqliteStore, Synchronous};

use crate::config::{KeySettings, ServerSettings, Settings, StoreSettings};
use crate::follow::Followed;
use crate::project::{Project, STATE_FOLDER};
use crate::server;
use crate::stores::Stores;

/// Opens the store of a project, all of its stores as one where there are several, making an empty one where there is
/// none.
///
/// # Errors
/// That the database cannot be opened.
pub fn store(project: &Project) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Stores::open(project)?.whole().clone())
}

/// Opens the one store that a project, or a part of one, is about.
///
/// # Errors
/// That the database cannot be opened.
pub(crate) fn own_store(project: &Project) -> anyhow::Result<Arc<dyn Store>> {
    match project.database_file() {
        Some(file) => Ok(Arc::new(sqlite_store(project, &file)?)),
        None => {
            let store = server::store(&project.settings.store);
            store.with_context(|| format!("cannot use the database {}", project.database_place()))
        }
    }
}

/// The store of a project in a file, for whoever must know the engine.
pub(crate) fn sqlite_store(project: &Project, file: &Path) -> anyhow::Result<SqliteStore> {
    let state = project.folder.join(STATE_FOLDER);
    if file.starts_with(&state) {
        project.state_folder().with_context(|| format!("cannot make the folder {}", state.display()))?;
    }
    let mut options = sqlite_options(&project.settings.store);
    options.lock = Some(lock_file(project)?);
    let store = SqliteStore::open(file, options);
    store.with_context(|| format!("cannot open the database {}", file.display()))
}

/// The file whose lock says that the database of a project is open.
///
/// # Errors
/// That its folder cannot be made.
pub(crate) fn lock_file(project: &Project) -> anyhow::Result<PathBuf> {
    let state = project.folder.join(STATE_FOLDER);
    let folder = project.state_folder().with_context(|| format!("cannot make the folder {}", state.display()))?;
    Ok(folder.join(format!("{}.lock", project.store_name())))
}

/// Opens the store of a project if there is one.
///
/// # Errors
/// That there is none, or that it cannot be opened.
pub fn existing_store(project: &Project) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Stores::open_existing(project)?.whole().clone())
}

/// Opens the database of a URL that need be no project's, as `folder` sees it. `stores.main.introspect` says whether it
/// is only looked at and written to, or looked after as well.
///
/// # Errors
/// That it cannot be opened.
pub fn store_at(settings: &StoreSettings, folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let place = settings.url.place(folder);
    match settings.url.file(folder) {
        Some(file) => {
            let store = SqliteStore::open(&file, sqlite_options(settings));
            Ok(Arc::new(store.with_context(|| format!("cannot open the database {place}"))?))
        }
        None => server::store(settings).with_context(|| format!("cannot use the database {place}")),
    }
}

fn sqlite_options(settings: &StoreSettings) -> SqliteOptions {
    let default = SqliteOptions::default();
    SqliteOptions {
        synchronous: match settings.synchronous.as_str() {
            "normal" => Synchronous::Normal,
            _ => Synchronous::Full,
        },
        readers: if settings.readers == 0 { default.readers } else { settings.readers },
        streamers: settings.streamers,
        cache_kib: settings.cache_kib,
        queue_max: settings.queue_max,
        found: settings.introspect,
        ..default
    }
}

/// Opens the stores of a project, and an engine over them.
///
/// # Errors
/// As [`store`].
pub fn engine(project: &Project) -> anyhow::Result<(Arc<Engine>, Stores)> {
    let stores = Stores::open(project)?;
    let engine = engine_over(project, stores.whole().clone());
    if stores.has_found() {
        engine.follow(Arc::new(Followed::new(project, &engine, stores.clone())));
    }
    Ok((engine, stores))
}

/// An engine for a project over a store that is open already.
pub fn engine_over(project: &Project, store: Arc<dyn Store>) -> Arc<Engine> {
    let engine = Engine::new((*project.schema).clone(), store, limits(&project.settings));
    engine.guard_work(examined_limits(&project.settings));
    let slow_ms = project.settings.log.slow_ms;
    if slow_ms > 0 {
        engine.log_slow(SlowLog::new(Duration::from_millis(slow_ms), Box::new(report_slow)));
    }
    Arc::new(engine)
}

/// Writes a slow statement to the log, as often as there is one: each is a request, which has a line of its own as well.
fn report_slow(statement: &SlowStatement, took: Duration) {
    let (duration_ms, p99_ms) = (took.as_millis() as u64, statement.p99.as_millis() as u64);
    tracing::warn!(statement = %statement.outline, duration_ms, p99_ms, count = statement.count, "slow statement");
}

/// The bounds on the work of one read.
fn examined_limits(settings: &Settings) -> ExaminedLimits {
    let limits = &settings.limits;
    ExaminedLimits {
        anon: limits.examined_rows_anon,
        authenticated: limits.examined_rows_authenticated,
        service: limits.examined_rows_service,
    }
}

/// The API of a project over its engine.
///
/// # Errors
/// That the keys cannot be read or made, or are no good.
pub fn app(project: &Project, engine: Arc<Engine>) -> anyhow::Result<App> {
    app_described(project, engine, description(project))
}

/// As [`app`], but what the API tells of itself is not for the settings to say.
pub(crate) fn app_described(project: &Project, engine: Arc<Engine>, told: Description) -> anyhow::Result<App> {
    let secrets = project.secrets()?;
    // Nothing that the database would refuse may be let through by rules that nobody wrote.
    anyhow::ensure!(
        project.settings.store.rules != "database",
        "the rules of this project are those of its database (stores.main.rules); `mainstay serve` serves it"
    );
    let settings = &project.settings.keys;
    let jwt_secret = secrets.jwt_secret.expose();
    let signer = if settings.jwt_secret_is_base64 { octets(jwt_secret)? } else { jwt_secret.as_bytes().to_owned() };
    let keys = Keys::with_tokens(secrets.publishable.expose(), secrets.secret.expose(), signer, tokens(settings)?)
        .context("the keys cannot be used")?;
    engine.seal_pages_with(secrets.jwt_secret.expose().as_bytes());
    let cors = Cors::from_list(&project.settings.server.cors_origins);
    let app = App::described(engine, keys, request_limits(&project.settings), cors, told);
    Ok(app.with_answers(answer_settings(&project.settings.server)))
}

/// The octets of a secret in base64, in either alphabet and with or without padding.
pub(crate) fn octets(secret: &str) -> anyhow::Result<Vec<u8>> {
    let text = secret.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
    // Not the decoder's own message: it would show a part of the secret.
    URL_SAFE_NO_PAD.decode(text).map_err(|_| anyhow::anyhow!("keys.jwt_secret is not base64"))
}

fn tokens(settings: &KeySettings) -> anyhow::Result<TokenSettings> {
    Ok(TokenSettings {
        keys: settings.jwt_keys.as_ref().map(|keys| keys.expose().to_owned()),
        audience: settings.jwt_audience.clone(),
        missing_audience: match settings.jwt_missing_audience.as_str() {
            "accept" => MissingAudience::Accept,
            _ => MissingAudience::Refuse,
        },
        role: ClaimPath::parse(&settings.jwt_role_claim).context("keys.jwt_role_claim cannot be used")?,
    })
}

pub(crate) fn answer_settings(server: &ServerSettings) -> AnswerSettings {
    AnswerSettings {
        compression: Compression {
            is_on: server.compression == "on",
            level: server.compression_level,
            bytes_min: server.compression_bytes_min,
        },
        timing: server.timing == "on",
        tx_end: tx_end(server),
        trace_header: server.trace_header.as_deref().and_then(|name| name.parse().ok()),
        errors: match server.error_verbosity.as_str() {
            "minimal" => Verbosity::Minimal,
            _ => Verbosity::Verbose,
        },
    }
}

/// What the API tells of itself, by the settings.
pub(crate) fn description(project: &Project) -> Description {
    let server = &project.settings.server;
    Description {
        about: About {
            title: project.name(),
            server: SERVER.to_owned(),
            aggregates: project.settings.rest.aggregates == "on",
        },
        scope: match server.openapi.as_str() {
            "ignore-privileges" => Scope::Everything,
            "disabled" => Scope::Off,
            _ => Scope::Follow,
        },
        reference: match server.reference.as_str() {
            "open" => Reference::Open,
            "off" => Reference::Off,
            _ => Reference::Secret,
        },
    }
}

fn tx_end(settings: &ServerSettings) -> TxEnd {
    match settings.tx_end.as_str() {
        "commit" => TxEnd::Commit,
        "rollback" => TxEnd::Rollback,
        "rollback-allow-override" => TxEnd::RollbackAllowOverride,
        _ => TxEnd::CommitAllowOverride,
    }
}

/// The bounds on connections.
pub fn server_limits(settings: &Settings) -> ServerLimits {
    let (server, limits) = (&settings.server, &settings.limits);
    ServerLimits {
        connections_max: server.connections_max,
        head_time: server.head_time,
        idle_time: server.idle_time,
        write_time: server.write_time,
        drain_time: server.drain_time,
        headers_max: limits.headers_max,
        // What is read at all is twice what is accepted, so that a head that is too large gets an answer.
        head_bytes_max: limits.head_bytes_max * 2,
        streams_max: server.streams_max,
    }
}

pub(crate) fn request_limits(settings: &Settings) -> RequestLimits {
    let (server, settings) = (&settings.server, &settings.limits);
    RequestLimits {
        body_bytes_max: settings.body_bytes_max,
        body_time: settings.body_time,
        url_bytes_max: settings.url_bytes_max,
        headers_max: settings.headers_max,
        head_bytes_max: settings.head_bytes_max,
        response_bytes_max: settings.response_bytes_max,
        handler_time: settings.handler_time,
        stream_time: settings.stream_time,
        write_time: server.write_time,
        in_flight_max: settings.in_flight_max,
    }
}

/// The bounds on what one request may ask.
pub fn limits(settings: &Settings) -> Limits {
    let (rest, settings) = (&settings.rest, &settings.limits);
    Limits {
        page_rows_max: settings.page_rows_max,
        write_rows_max: settings.write_rows_max,
        filters_max: settings.filters_max,
        list_items_max: settings.list_items_max,
        embed_depth_max: settings.embed_depth_max,
        embeds_max: settings.embeds_max,
        logic_depth_max: settings.logic_depth_max,
        pattern_chars_max: settings.pattern_chars_max,
        items_max: settings.items_max,
        batch_steps_max: settings.batch_steps_max,
        aggregates: rest.aggregates == "on",
        legacy_target_names: rest.legacy_target_names == "on",
        postgrest_only: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment};

    #[test]
    fn a_secret_in_base64_is_that_in_either_alphabet() {
        for text in ["-_8=", "+/8=", "-_8", " +/8= "] {
            assert_eq!(octets(text).unwrap(), [0xfb, 0xff], "{text}");
        }
        let told = octets("not base64!").unwrap_err().to_string();
        assert_eq!(told, "keys.jwt_secret is not base64");
    }

    #[test]
    fn settings_of_tokens_are_handed_over() {
        let text = "[keys]\njwt_audience = \"shop\"\njwt_missing_audience = \"accept\"\njwt_role_claim = \"$.a.b\"\n";
        let settings = |text| config::load(std::path::Path::new("."), text, &Environment::default(), &[]).unwrap();
        let given = tokens(&settings(text).keys).unwrap();
        assert_eq!((given.audience.as_deref(), given.missing_audience), (Some("shop"), MissingAudience::Accept));
        assert_eq!(given.role, ClaimPath::parse("$['a']['b']").unwrap());
        let default = tokens(&settings("").keys).unwrap();
        assert_eq!((default.audience, default.missing_audience), (None, MissingAudience::Refuse));
        assert_eq!((default.role, default.keys), (ClaimPath::default(), None));
        assert!(tokens(&settings("[keys]\njwt_role_claim = \"$.*\"\n").keys).is_err());
    }

    #[test]
    fn the_documented_defaults_are_those_of_the_code() {
        let settings = config::load(std::path::Path::new("."), "", &Environment::default(), &[]).unwrap();
        assert_eq!(limits(&settings), Limits::default());
        assert_eq!(examined_limits(&settings), ExaminedLimits::default());
        assert_eq!(request_limits(&settings), RequestLimits::default());
        assert_eq!(answer_settings(&settings.server), AnswerSettings::default());
        assert_eq!(server_limits(&settings), ServerLimits::default());
        assert_eq!(tx_end(&settings.server), TxEnd::default());
        assert_eq!(sqlite_options(&settings.store), SqliteOptions::default());
    }
}
