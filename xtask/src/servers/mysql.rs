//! MySQL from Debian's newest packages, unpacked beside the other servers, with TLS by a CA of its own; and what it has in
//! common with MariaDB.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Engine, Place, Purpose, Running, Servers, free_port, wait};
use crate::debian::Tree;

/// Where a server keeps what does not last.
pub(super) const TEMPORARY: &str = "tmp";

/// Debian's user for programs that write files and are nobody in particular.
pub(super) const USER: &str = "daemon";

/// Its line in the list of engines.
pub(super) const ENGINE: Engine =
    Engine { name: "mysql", needs: &[("dpkg-deb", "dpkg"), ("openssl", "openssl")], user: USER, stop: "TERM", start };

/// Who is who: somebody with a password who may do everything, and somebody with a certificate.
pub(super) const USERS: &str = "\
CREATE USER mainstay@'127.0.0.1' IDENTIFIED BY 'mainstay';
GRANT ALL ON *.* TO mainstay@'127.0.0.1' WITH GRANT OPTION;
CREATE USER certain@'127.0.0.1' REQUIRE SUBJECT '/CN=certain';
GRANT ALL ON *.* TO certain@'127.0.0.1';
";

fn start(place: &Place, _: &Servers) -> anyhow::Result<Running> {
    let tree = Tree::of(&place.beside("mysql"), &["mysql-server-core"])?;
    let data = place.folder.join("data");
    fs::create_dir_all(&data)?;
    fs::create_dir_all(place.folder.join(TEMPORARY))?;
    let tls = super::tls::certificates(place)?;
    let users = place.folder.join("users.sql");
    fs::write(&users, format!("{USERS}{}", place.make_database()))?;
    place.give()?;

    let server = || -> anyhow::Result<Command> {
        let words = tree.words("usr/sbin/mysqld", &["usr/lib/mysql/private"])?;
        let mut command = place.command(&words[0]);
        command.args(&words[1..]).args(["--no-defaults", "--innodb-buffer-pool-size=64M", "--mysqlx=OFF"]);
        // Of all that it can count, the uses of indexes.
        command.args(["--performance-schema=ON", "--performance-schema-instrument=%=OFF"]);
        command.arg("--performance-schema-instrument=wait/io/table/sql/handler=ON");
        command.arg("--secure-file-priv=NULL");
        if place.purpose == Purpose::Tests {
            command.arg("--innodb-doublewrite=OFF");
        }
        command.arg(format!("--datadir={}", data.display()));
        for (setting, folder) in [
            ("basedir", "usr"),
            ("lc-messages-dir", "usr/share/mysql"),
            ("character-sets-dir", "usr/share/mysql/charsets"),
            ("plugin-dir", "usr/lib/mysql/plugin"),
        ] {
            command.arg(format!("--{setting}={}", tree.path(folder).display()));
        }
        Ok(command)
    };
    // Nothing of what it makes first needs to be safe from a power cut.
    let mut first = server()?;
    first.args(["--initialize-insecure", "--skip-log-bin", "--innodb-flush-method=nosync"]);
    place.run(first.arg(format!("--init-file={}", users.display())))?;

    let mut command = server()?;
    command.args(["--server-id=1", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"]);
    run(place, command, &data, &tls, ["MAINSTAY_TEST_MYSQL_URL", "MAINSTAY_TEST_MYSQL_TLS"])
}

/// Starts a server of either kind whose own tables are there.
///
/// # Errors
/// When it does not start.
pub(super) fn run(
    place: &Place,
    mut command: Command,
    data: &Path,
    tls: &Path,
    [url, folder]: [&'static str; 2],
) -> anyhow::Result<Running> {
    let port = free_port()?;
    // A server that starts removes what others keep beside it.
    command.arg(format!("--tmpdir={}", place.folder.join(TEMPORARY).display()));
    let log = place.folder.join("log");
    command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=200"]);
    command.arg("--binlog-row-metadata=FULL");
    if place.purpose == Purpose::Tests {
        // What is written is gone with the folder.
        command.args(["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"]);
    }
    command.arg(format!("--port={port}"));
    command.arg(format!("--pid-file={}", data.join("pid").display()));
    // The name of a socket may have some hundred letters, and the folder's more.
    command.args(["--socket=socket"]).current_dir(data);
    for (setting, name) in [("ssl-ca", "ca.pem"), ("ssl-cert", "server.pem"), ("ssl-key", "server.key")] {
        command.arg(format!("--{setting}={}", tls.join(name).display()));
    }
    let process = command.stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
    let variables = vec![
        (url, format!("mysql://mainstay:mainstay@127.0.0.1:{port}/{}", place.database())),
        (folder, tls.to_string_lossy().into_owned()),
    ];
    // From here on it is stopped whatever happens.
    let mut running = Running { process, stop: place.stop, folder: place.folder.clone(), variables };
    wait(&mut running.process, &log, || greets(port))?;
    Ok(running)
}

/// Whether the server begins a conversation: four octets about length and number, then the version of the protocol.
fn greets(port: u16) -> bool {
    let greeting = || -> std::io::Result<u8> {
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut start = [0; 5];
        socket.read_exact(&mut start)?;
        Ok(start[4])
    };
    greeting().is_ok_and(|version| version == 10)
}
