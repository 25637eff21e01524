//! Connections as the driver has them: to the first host that answers, with their prepared statements.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_store::BoxError;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::cancel::Place;
use super::connect::{PostgresOptions, SETTINGS, Verify};
use super::errors::Failure;
use super::session::Session;
use super::tls::Tls;
use crate::server::{self, CANCEL_MAX, Driver, canceled};

/// Connections to one server, or to the first of several that answers.
pub type Pool = server::Pool<PostgresDriver>;
pub(super) type Lease = server::Lease<PostgresDriver>;

/// How a pool speaks to PostgreSQL.
pub struct PostgresDriver {
    options: PostgresOptions,
    targets: Vec<Target>,
    runtime: Handle,
}

/// A host, and TLS towards it.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
    pub(super) connect_max: Duration,
}

impl PostgresDriver {
    pub(super) fn targets(&self) -> &[Target] {
        &self.targets
    }
}

impl Driver for PostgresDriver {
    type Options = PostgresOptions;
    type Connection = Connection;
    type Session = Session;
    type Error = tokio_postgres::Error;

    fn new(options: PostgresOptions) -> Result<PostgresDriver, BoxError> {
        let mut made: HashMap<&str, Tls> = HashMap::new();
        let mut targets = Vec::new();
        for host in &options.hosts {
            let tls = match host.config.get_ssl_mode() {
                SslMode::Disable => None,
                _ => {
                    let kind = match host.verify {
                        Verify::Nothing => "nothing",
                        Verify::Chain => "chain",
                        Verify::Name => "name",
                    };
                    if !made.contains_key(kind) {
                        made.insert(kind, Tls::new(host.verify, &options.certificates)?);
                    }
                    made.get(kind).cloned()
                }
            };
            let mut config = host.config.clone();
            if options.named_statements && !options.as_configured {
                // Where a pooler hands connections on, transactions bring the settings: see `Session::begin_with`.
                let settings: String = SETTINGS.iter().map(|(name, value)| format!(" -c {name}={value}")).collect();
                let own = config.get_options().unwrap_or_default().to_owned();
                config.options(own + &settings);
            }
            targets.push(Target { config, tls, connect_max: host.connect_max });
        }
        Ok(PostgresDriver { targets, options, runtime: Handle::current() })
    }

    fn options(&self) -> &PostgresOptions {
        &self.options
    }

    /// The first host that answers.
    async fn connect(&self, deadline: Instant) -> Result<(Connection, Duration), Failure> {
        let mut failure: BoxError = "no host".into();
        for target in &self.targets {
            let until = deadline.min(Instant::now() + target.connect_max);
            match timeout_at(until.into(), target.connect(&self.runtime)).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => failure = error.into(),
                // Whether there is a server, nobody had the time to find out.
                Err(_) if until == deadline => return Err(Failure::Deadline),
                Err(_) => failure = "the server did not answer in time".into(),
            }
        }
        Err(Failure::Unavailable(failure))
    }

    fn is_closed(connection: &Connection) -> bool {
        connection.client.is_closed()
    }

    fn session(lease: Lease, connection: Connection, deadline: Instant) -> Session {
        Session::new(lease, connection, deadline)
    }

    async fn run(connection: &mut Connection, sql: &str) -> Result<(), tokio_postgres::Error> {
        connection.client.batch_execute(sql).await
    }

    async fn cancel(&self, connection: Connection) {
        connection.canceling().await;
        PostgresDriver::close(connection).await;
    }

    /// Lets the server end what it still does for a while, then hangs up.
    async fn close(connection: Connection) {
        let Connection { client, statements, mut driver, .. } = connection;
        drop(statements);
        drop(client);
        let _ = timeout(CANCEL_MAX, &mut driver.0).await;
    }
}

/// One connection.
pub struct Connection {
    pub(super) client: Arc<Client>,
    pub(super) statements: Statements,
    driver: Messages,
    tls: Option<Tls>,
    place: Arc<Place>,
}

impl Connection {
    /// Cancels what runs on it when this is polled. What goes wrong is logged.
    pub(super) fn canceling(&self) -> impl Future<Output = ()> + Send + use<> {
        let (client, tls, place) = (self.client.clone(), self.tls.clone(), self.place.clone());
        async move {
            let token = client.cancel_token();
            canceled(match tls {
                None => timeout(CANCEL_MAX, place.cancel(&token)).await,
                Some(tls) => timeout(CANCEL_MAX, token.cancel_query(tls)).await,
            });
        }
    }
}

impl Target {
    async fn connect(&self, runtime: &Handle) -> Result<(Connection, Duration), tokio_postgres::Error> {
        let (client, driver) = match &self.tls {
            None => {
                let (client, driver) = self.config.connect(NoTls).await?;
                (client, runtime.spawn(drive(driver)))
            }
            Some(tls) => {
                let (client, driver) = self.config.connect(tls.clone()).await?;
                (client, runtime.spawn(drive(driver)))
            }
        };
        let connection = Connection {
            client: Arc::new(client),
            driver: Messages(driver),
            tls: self.tls.clone(),
            place: Arc::new(Place::of(&self.config)),
            statements: Statements::default(),
        };
        let start = Instant::now();
        connection.client.batch_execute("").await?;
        Ok((connection, start.elapsed()))
    }
}

/// Carries messages until the connection ends. What goes wrong is told to whoever waits for an answer.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection to PostgreSQL ended");
    }
}

/// The task that carries a connection's messages; it ends with the connection.
struct Messages(JoinHandle<()>);

impl Drop for Messages {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The prepared statements of one connection by their text, the ones longest out of use leaving first.
#[derive(Default)]
pub(super) struct Statements {
    known: HashMap<Arc<str>, (Statement, u64)>,
    uses: u64,
}

impl Statements {
    pub(super) fn get(&mut self, sql: &str) -> Option<Statement> {
        self.uses += 1;
        let (statement, used) = self.known.get_mut(sql)?;
        *used = self.uses;
        Some(statement.clone())
    }

    /// Keeps a statement that is not known yet; what leaves for it is closed on the server.
    pub(super) fn keep(&mut self, sql: &str, statement: &Statement, most: usize) {
        while self.known.len() >= most.max(1) {
            let oldest = self.known.iter().min_by_key(|(_, (_, used))| *used).map(|(sql, _)| sql.clone());
            let Some(oldest) = oldest else { break };
            self.known.remove(&oldest);
        }
        self.known.insert(sql.into(), (statement.clone(), self.uses));
    }

    pub(super) fn forget(&mut self, sql: &str) {
        self.known.remove(sql);
    }
}
