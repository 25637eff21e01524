//! PostgreSQL 15 from Debian's package, with TLS by a CA of its own.

use std::fs;
use std::process::Stdio;

use super::{Engine, Place, Purpose, Running, Servers, free_port, wait};

/// Where Debian keeps the server's programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// The system's user that Debian makes for it.
pub(super) const USER: &str = "postgres";
/// What tests find it by.
pub(super) const URL: &str = "MAINSTAY_TEST_POSTGRES_URL";

/// Its line in the list of engines.
pub(super) const ENGINE: Engine = Engine {
    name: "postgres",
    needs: &[("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"), ("openssl", "openssl")],
    user: USER,
    stop: "INT",
    start,
};

/// Who is who: passwords for everybody, and a certificate for the role that has no password.
const LOGINS: &str = "\
hostssl all certain 127.0.0.1/32 cert
host all certain 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
";

fn start(place: &Place, _: &Servers) -> anyhow::Result<Running> {
    let data = place.folder.join("data");
    let password = place.folder.join("password");
    fs::write(&password, "mainstay")?;
    let tls = super::tls::certificates(place)?;
    place.run(
        place
            .command(&format!("{PROGRAMS}/initdb"))
            .args(["--username=mainstay", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", data.display())),
    )?;
    fs::write(data.join("pg_hba.conf"), LOGINS)?;

    let port = free_port()?;
    let log = place.folder.join("log");
    let file = fs::File::create(&log)?;
    let mut command = place.command(&format!("{PROGRAMS}/postgres"));
    command.arg("-D").arg(&data).args(["-p", &port.to_string()]).stdout(Stdio::null()).stderr(file);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "ssl=on",
        &format!("ssl_cert_file={}", tls.join("server.pem").display()),
        &format!("ssl_key_file={}", tls.join("server.key").display()),
        &format!("ssl_ca_file={}", tls.join("ca.pem").display()),
    ] {
        command.args(["-c", setting]);
    }
    if place.purpose == Purpose::Tests {
        // What is written is gone with the folder.
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "wal_level=logical"]);
    }
    let process = command.spawn()?;
    let mut url = format!("postgres://mainstay:mainstay@127.0.0.1:{port}/postgres?sslmode=disable");
    if place.purpose == Purpose::Benchmark {
        // Under load the server may be slow to start a process; that is not what is measured.
        url.push_str("&connect_timeout=60");
    }
    let variables = vec![(URL, url), ("MAINSTAY_TEST_POSTGRES_TLS", tls.to_string_lossy().into_owned())];
    // From here on it is stopped whatever happens.
    let mut running = Running { process, stop: place.stop, folder: place.folder.clone(), variables };
    wait(&mut running.process, &log, || {
        let mut ask = place.command(&format!("{PROGRAMS}/pg_isready"));
        let status = ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status();
        status.is_ok_and(|status| status.success())
    })?;
    Ok(running)
}
