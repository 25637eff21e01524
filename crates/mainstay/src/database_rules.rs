//! A project whose database decides (`stores.main.rules = "database"`): its settings as those of PostgREST.

use std::sync::Arc;

use anyhow::Context;
use mainstay_http::{Cors, Keys, TokenReader};
use mainstay_postgrest::catalog::{HOISTED, Name};
use mainstay_postgrest::settings::{LogLevel, OpenApi, Place, RolePath, Settings};
use mainstay_postgrest::{Api, Base, ProjectKeys};
use mainstay_stores::PostgresOptions;
use mainstay_stores::postgres::Pool;

use crate::config::StoreUrl;
use crate::project::Project;
use crate::wire;

/// Tokens that are remembered at most.
const TOKENS_MAX: usize = 4096;
/// The channel on which the database asks for a reload, as PostgREST has it.
const CHANNEL: &str = "pgrst";

/// The API of a project whose database decides; it answers 503 until [`Api::keep`] has begun.
///
/// # Errors
/// That the keys cannot be read or made, or are no good, or certificates cannot be read.
pub(crate) fn api(project: &Project) -> anyhow::Result<Api> {
    let secrets = project.secrets()?;
    let (given, database) = (&project.settings.keys, &project.settings.database);
    let jwt_secret = secrets.jwt_secret.expose();
    let signer = if given.jwt_secret_is_base64 { wire::octets(jwt_secret)? } else { jwt_secret.as_bytes().to_owned() };
    let tokens = match &given.jwt_keys {
        Some(keys) => TokenReader::of_both(&signer, keys.expose()),
        None => TokenReader::of_secret(&signer),
    };
    let tokens = tokens.map_err(|what| anyhow::anyhow!("the keys of tokens cannot be used: {what}"))?;
    let keys =
        Keys::new(secrets.publishable.expose(), secrets.secret.expose(), signer).context("the keys cannot be used")?;
    let options = options(project)?;
    let pool = Pool::new(options.clone()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let server = &project.settings.server;
    let answers = wire::answer_settings(server);
    let rest = &project.settings.rest;
    let settings = Settings {
        database: options,
        schemas: database.schemas.clone(),
        anon_role: Some(database.anon_role.clone()),
        extra_search_path: database.search_path.clone(),
        rows_max: Some(project.settings.limits.page_rows_max),
        aggregates: rest.aggregates == "on",
        plans: database.plans,
        tx_end: answers.tx_end,
        pre_request: database.pre_request.as_deref().map(name),
        root_spec: None,
        hoisted: HOISTED.map(str::to_owned).to_vec(),
        channel: Some(CHANNEL.to_owned()),
        in_database: false,
        pre_config: None,
        tokens: Some(Arc::new(tokens)),
        audience: given.jwt_audience.clone(),
        audience_is_needed: given.jwt_missing_audience != "accept",
        role_path: RolePath::parse(&given.jwt_role_claim).context("keys.jwt_role_claim is no JSON path")?,
        tokens_max: TOKENS_MAX,
        openapi: match server.openapi.as_str() {
            "ignore-privileges" => OpenApi::IgnorePrivileges,
            "disabled" => OpenApi::Disabled,
            _ => OpenApi::FollowPrivileges,
        },
        openapi_security: true,
        proxy_uri: None,
        cors: Cors::from_list(&server.cors_origins),
        timing: answers.timing,
        trace_header: answers.trace_header,
        verbosity: answers.errors,
        legacy_target_names: rest.legacy_target_names == "on",
        place: Place::Tcp(server.host.clone(), server.port),
        admin: None,
        log_level: LogLevel::Info,
        log_query: false,
        app_settings: Vec::new(),
    };
    let project_keys = ProjectKeys { keys, service_role: database.service_role.clone() };
    Ok(Api::new(pool, settings, Base::RestV1, Some(project_keys), wire::request_limits(&project.settings)))
}

fn options(project: &Project) -> anyhow::Result<PostgresOptions> {
    let store = &project.settings.store;
    let StoreUrl::Postgres(url) = &store.url else { anyhow::bail!("the database is no PostgreSQL server") };
    let mut options = PostgresOptions::parse(url.expose())?;
    options.limits.connections_max = store.connections_max;
    options.limits.waiting_max = store.queue_max;
    options.limits.wait_max = store.connection_wait;
    options.limits.statements_max = store.statements_max;
    options.named_statements &= store.named_statements;
    options.as_configured = true;
    Ok(options)
}

/// The name of a function, with or without a schema.
fn name(text: &str) -> Name {
    match text.split_once('.') {
        Some((schema, name)) => Name::new(schema, name),
        None => Name::new("", text),
    }
}
