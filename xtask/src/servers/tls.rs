//! Certificates of a CA that nobody else knows, for every kind of server alike.

use std::fs;
use std::path::PathBuf;

use super::Place;

/// Makes a CA with a certificate for the server, whose name is `localhost`, and one for the user `certain`; another CA
/// that has signed nothing of it. Returns the folder that they are in.
///
/// # Errors
/// When `openssl` is not there or fails.
pub(super) fn certificates(place: &Place) -> anyhow::Result<PathBuf> {
    let folder = place.folder.join("tls");
    fs::create_dir_all(&folder)?;
    place.give()?;
    let make = |name: &str, subject: &str, more: &[&str]| {
        let mut command = place.command("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        command.args(["-days", "2", "-subj", subject, "-keyout", &format!("tls/{name}.key")]);
        place.run(command.args(["-out", &format!("tls/{name}.pem")]).args(more))
    };
    let is_root = ["-addext", "basicConstraints=critical,CA:TRUE"];
    let is_leaf = ["-CA", "tls/ca.pem", "-CAkey", "tls/ca.key", "-addext", "basicConstraints=critical,CA:FALSE"];
    make("ca", "/CN=Mainstay test CA", &is_root)?;
    make("other", "/CN=Another test CA", &is_root)?;
    make("server", "/CN=localhost", &[&is_leaf[..], &["-addext", "subjectAltName=DNS:localhost"]].concat())?;
    make("certain", "/CN=certain", &is_leaf)?;
    Ok(folder)
}
