//! PgBouncer from Debian's package, in transaction mode, before the PostgreSQL server that was started with it.

use std::fs;
use std::net::TcpStream;
use std::process::Stdio;

use anyhow::Context;

use super::{Engine, Place, Running, Servers, free_port, postgres, wait};

/// Where Debian keeps the program.
const SERVER: &str = "/usr/sbin/pgbouncer";

/// Its line in the list of engines, after the server's.
pub(super) const ENGINE: Engine =
    Engine { name: "pgbouncer", needs: &[(SERVER, "pgbouncer")], user: postgres::USER, stop: "INT", start };

fn start(place: &Place, before: &Servers) -> anyhow::Result<Running> {
    let url = before.variable(postgres::URL).context("PostgreSQL is started first")?;
    let backend = url.split(['@', '/']).nth(3).and_then(|host| host.rsplit_once(':')).context("its URL has a port")?.1;
    let port = free_port()?;
    let users = place.folder.join("users.txt");
    fs::write(&users, "\"mainstay\" \"mainstay\"\n")?;
    let settings = place.folder.join("pgbouncer.ini");
    // A few connections for many clients, so that each transaction meets another one.
    fs::write(
        &settings,
        format!(
            "[databases]\n* = host=127.0.0.1 port={backend}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 3\nserver_idle_timeout = 2\nmax_client_conn = 200\n\
             ignore_startup_parameters = extra_float_digits,options\n",
            users.display()
        ),
    )?;
    place.give()?;
    let log = place.folder.join("log");
    let file = fs::File::create(&log)?;
    let mut command = place.command(SERVER);
    let process = command.arg(&settings).stdout(Stdio::null()).stderr(file).spawn()?;
    let url = format!("postgres://mainstay:mainstay@127.0.0.1:{port}/postgres?sslmode=disable&pgbouncer=true");
    let variables = vec![("MAINSTAY_TEST_PGBOUNCER_URL", url)];
    let mut running = Running { process, stop: ENGINE.stop, folder: place.folder.clone(), variables };
    wait(&mut running.process, &log, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    Ok(running)
}
