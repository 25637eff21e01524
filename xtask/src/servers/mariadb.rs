//! MariaDB 10.11 from Debian's package, with TLS by a CA of its own.

use std::fs::{self, File};
use std::process::Command;

use anyhow::Context;

use super::mysql::TEMPORARY;
use super::{Engine, Place, Servers, mysql};

/// The server, where Debian puts it.
const SERVER: &str = "/usr/sbin/mariadbd";
/// Where Debian keeps the statements that make a new server's own tables.
const STATEMENTS: &str = "/usr/share/mysql";

/// Its line in the list of engines.
pub(super) const ENGINE: Engine = Engine {
    name: "mariadb",
    needs: &[(SERVER, "mariadb-server-core"), ("openssl", "openssl")],
    user: mysql::USER,
    stop: "TERM",
    start,
};

/// What a new server's own tables are made of, in this order.
const OWN_TABLES: [&str; 4] = [
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
];

fn start(place: &Place, _: &Servers) -> anyhow::Result<super::Running> {
    let data = place.folder.join("data");
    fs::create_dir_all(&data)?;
    fs::create_dir_all(place.folder.join(TEMPORARY))?;
    let tls = super::tls::certificates(place)?;

    // Bootstrap reads one statement a line, or up to a semicolon at the end of one.
    let mut statements = "create database mysql;\nuse mysql;\n".to_owned();
    for name in OWN_TABLES {
        let path = format!("{STATEMENTS}/{name}");
        statements.push_str(&fs::read_to_string(&path).with_context(|| path.clone())?);
        statements.push('\n');
    }
    statements.push_str("flush privileges;\n");
    statements.push_str(mysql::USERS);
    statements.push_str(&place.make_database());
    let file = place.folder.join("bootstrap.sql");
    fs::write(&file, statements)?;
    let server = || -> Command {
        let mut command = place.command(SERVER);
        command.args(["--no-defaults", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"]);
        command.arg(format!("--datadir={}", data.display()));
        command
    };
    place.run(server().arg("--bootstrap").stdin(File::open(&file)?))?;

    let mut command = server();
    command.args(["--server-id=2", "--binlog-format=ROW", "--log-bin=binlog"]);
    mysql::run(place, command, &data, &tls, ["MAINSTAY_TEST_MARIADB_URL", "MAINSTAY_TEST_MARIADB_TLS"])
}
