//! Connections as the driver has them. It has a pool of its own, which is not used: that one gives a connection back
//! whose statement was given up and reads the rest of its answer first. See `docs/decisions/0033-mysql-driver.md`.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use mainstay_store::BoxError;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio::time::{timeout, timeout_at};

use super::connect::MysqlOptions;
use super::errors::Failure;
use super::render::ddl::quoted;
use super::server::Server;
use super::session::Session;
use super::tls;
use crate::server::{self, CANCEL_MAX, Driver, canceled};

/// Connections to one server.
pub type Pool = server::Pool<MysqlDriver>;
pub(super) type Lease = server::Lease<MysqlDriver>;

/// How a pool speaks to MySQL and MariaDB.
pub struct MysqlDriver {
    options: MysqlOptions,
    target: Opts,
    server: OnceLock<Server>,
}

/// One connection.
pub struct Connection {
    pub(super) conn: Conn,
    pub(super) server: Server,
    /// Whether its divisions have as many digits as the server is told to give everybody.
    pub(super) divides_as_configured: bool,
    /// Octets of one value at most.
    pub(super) value_bytes_max: usize,
    /// Where it was when it was made.
    place: Place,
}

/// What a reset does not make anew.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    role: Option<String>,
    database: Option<String>,
    /// What the server runs first for each user who comes.
    first: String,
}

impl Place {
    async fn of(conn: &mut Conn) -> Result<Place, mysql_async::Error> {
        type Told = (Option<String>, Option<String>, Option<String>);
        let told: Option<Told> = conn.query_first("SELECT CURRENT_ROLE(), DATABASE(), @@init_connect").await?;
        let (role, database, first) = told.unwrap_or_default();
        Ok(Place { role, database, first: first.unwrap_or_default() })
    }
}

impl Pool {
    /// Which server answers, and what it can do; `None` before the first connection.
    pub fn server(&self) -> Option<Server> {
        self.driver().server.get().copied()
    }
}

impl MysqlDriver {
    async fn connected(&self) -> Result<(Connection, Duration), Failure> {
        let mut conn = Conn::new(self.target.clone()).await?;
        let start = Instant::now();
        let told: Option<(String, u32, u64)> =
            conn.query_first("SELECT VERSION(), @@auto_increment_increment, @@max_allowed_packet").await?;
        let round_trip = start.elapsed();
        let (version, step, packet) = told.unwrap_or_default();
        let value_bytes_max = usize::try_from(packet).unwrap_or(usize::MAX).saturating_sub(PACKET_HEAD);
        let server = Server::of(&version, step)?;
        let divides_as_configured = self.options.divides_as_configured;
        conn.query_drop(server.settings(divides_as_configured)).await?;
        let place = Place::of(&mut conn).await?;
        Ok((Connection { conn, server, divides_as_configured, value_bytes_max, place }, round_trip))
    }

    /// Ends the statement that runs on the connection of this number, which stays. What goes wrong is logged.
    pub(super) async fn end_statement(&self, id: u32) {
        self.kill(format!("KILL QUERY {id}")).await;
    }

    /// Has another connection end something.
    async fn kill(&self, sql: String) {
        let killed = timeout(CANCEL_MAX, async {
            let mut side = Conn::new(self.target.clone()).await?;
            side.query_drop(sql).await?;
            side.disconnect().await
        });
        match killed.await {
            // It is gone already.
            Ok(Err(mysql_async::Error::Server(error))) if error.code == NO_SUCH_THREAD => {}
            done => canceled(done),
        }
    }
}

impl Connection {
    /// Makes it what it was when it was made. What a session has set, made, locked and prepared goes with
    /// `COM_RESET_CONNECTION`. The role that it took does not, so that is looked at; MariaDB forgets the character set of
    /// the database, so that is chosen anew; and what a server runs first for each user who comes, it does not run again.
    ///
    /// # Errors
    /// When it cannot be; then nobody may have it.
    pub(super) async fn renew(&mut self) -> Result<(), mysql_async::Error> {
        self.conn.reset().await?;
        if let Some(database) = &self.place.database {
            self.conn.query_drop(format!("USE {}", quoted(database))).await?;
        }
        self.conn.query_drop(self.server.settings(self.divides_as_configured)).await?;
        let place = Place::of(&mut self.conn).await?;
        match place == self.place && place.first.is_empty() {
            true => Ok(()),
            false => Err(mysql_async::Error::Other("the session cannot be made what it was".into())),
        }
    }
}

impl Driver for MysqlDriver {
    type Options = MysqlOptions;
    type Connection = Connection;
    type Session = Session;
    type Error = mysql_async::Error;

    fn new(options: MysqlOptions) -> Result<MysqlDriver, BoxError> {
        let target = OptsBuilder::default()
            .ip_or_hostname(options.host.clone())
            .tcp_port(options.port)
            .socket(options.socket.clone())
            .prefer_socket(false)
            .user(options.user.clone())
            .pass(options.password.clone())
            .db_name(options.database.clone())
            .ssl_opts(tls::options(&options)?)
            .stmt_cache_size(options.limits.statements_max)
            // A row that already has the values counts as affected, as on every store.
            .client_found_rows(true);
        Ok(MysqlDriver { target: target.into(), server: OnceLock::new(), options })
    }

    fn options(&self) -> &MysqlOptions {
        &self.options
    }

    async fn connect(&self, deadline: Instant) -> Result<(Connection, Duration), Failure> {
        let until = deadline.min(Instant::now() + self.options.connect_max);
        match timeout_at(until.into(), self.connected()).await {
            Ok(Ok(connected)) => {
                let _ = self.server.set(connected.0.server);
                Ok(connected)
            }
            Ok(Err(Failure::Driver(error))) => Err(Failure::Unavailable(told(error))),
            Ok(Err(failure)) => Err(failure),
            // Whether there is a server, nobody had the time to find out.
            Err(_) if until == deadline => Err(Failure::Deadline),
            Err(_) => Err(Failure::Unavailable("the server did not answer in time".into())),
        }
    }

    fn is_closed(connection: &Connection) -> bool {
        connection.conn.is_disconnected()
    }

    fn session(lease: Lease, connection: Connection, deadline: Instant) -> Session {
        Session::new(lease, connection, deadline)
    }

    async fn run(connection: &mut Connection, sql: &str) -> Result<(), mysql_async::Error> {
        connection.conn.query_drop(sql).await
    }

    async fn cancel(&self, connection: Connection) {
        // The connection itself goes, not only its statement: a statement that came to its end meanwhile would
        // leave the transaction and its locks to whoever is next.
        self.kill(format!("KILL {}", connection.conn.id())).await;
        // Hangs up whatever is still to come.
        drop(connection);
    }

    async fn close(connection: Connection) {
        let _ = timeout(CANCEL_MAX, connection.conn.disconnect()).await;
    }
}

/// Why nobody could connect, said once: the driver says an error together with each of those that led to it.
fn told(error: mysql_async::Error) -> BoxError {
    if let mysql_async::Error::Server(error) = error {
        return format!("{} (error {})", error.message, error.code).into();
    }
    let mut first: &dyn std::error::Error = &error;
    while let Some(source) = first.source() {
        first = source;
    }
    first.to_string().into()
}

/// Octets of a packet that are no part of the value in it, and some more.
const PACKET_HEAD: usize = 64;

/// `ER_NO_SUCH_THREAD`.
const NO_SUCH_THREAD: u16 = 1094;
