//! The keys of a project, in `.mainstay/secrets.toml`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Project;
use crate::config::Secret;

/// Name of the file in the state folder.
const FILE: &str = "secrets.toml";

/// What the file holds, in order: its name there, and what the text begins with.
const ENTRIES: [(&str, &str); 3] =
    [("publishable_key", "ms_publishable_"), ("secret_key", "ms_secret_"), ("jwt_secret", "")];

/// Octets of randomness in a key: 256 bits.
const KEY_BYTES: usize = 32;

/// The keys of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The key for browsers and apps, role `anon`.
    pub publishable: Secret,
    /// The key for servers, role `service_role`.
    pub secret: Secret,
    /// Signs tokens.
    pub jwt_secret: Secret,
}

/// Where the secrets of a project lie, whether they are there or not.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(super::STATE_FOLDER).join(FILE)
}

/// The keys of the settings, and for the rest those of the file, which is made or completed when one is missing.
pub(super) fn load(project: &Project) -> anyhow::Result<Secrets> {
    let given = &project.settings.keys;
    let given = [&given.publishable, &given.secret, &given.jwt_secret];
    if let [Some(publishable), Some(secret), Some(jwt_secret)] = given {
        // Nothing is missing, so nothing is kept: the folder may be read-only.
        return Ok(Secrets {
            publishable: publishable.clone(),
            secret: secret.clone(),
            jwt_secret: jwt_secret.clone(),
        });
    }
    let kept = kept(project)?;
    let [publishable, secret, jwt_secret] =
        std::array::from_fn(|index| given[index].clone().unwrap_or_else(|| kept[index].clone()));
    Ok(Secrets { publishable, secret, jwt_secret })
}

fn kept(project: &Project) -> anyhow::Result<[Secret; 3]> {
    let path = file(&project.folder);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    // Not the parser's own message: it would show the line, and with it a secret.
    let mut document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|_| anyhow::anyhow!("{} is not TOML; mend it, or remove it to make new keys", path.display()))?;
    let mut is_complete = true;
    let mut secrets = Vec::with_capacity(ENTRIES.len());
    for (name, prefix) in ENTRIES {
        let text = match document.get(name).and_then(|item| item.as_str()) {
            Some(text) => text.to_owned(),
            None => {
                is_complete = false;
                let text = format!("{prefix}{}", random_text()?);
                document[name] = toml_edit::value(&text);
                text
            }
        };
        secrets.push(Secret::new(text));
    }
    if !is_complete {
        project.state_folder().context("cannot make the folder .mainstay")?;
        let written = write_private(&path, &document.to_string(), text.is_empty());
        if !written.with_context(|| format!("cannot write {}", path.display()))? {
            // Another process was first: its keys count.
            return kept(project);
        }
    }
    Ok(secrets.try_into().expect("one for each entry"))
}

fn random_text() -> anyhow::Result<String> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Writes the whole file or nothing, never readable by anybody else: under another name, which then takes the place.
/// A file that is `new` never takes the place of one that appeared meanwhile; then the answer is `false`.
fn write_private(path: &Path, text: &str, new: bool) -> std::io::Result<bool> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if !new || path.exists() && fs::metadata(path)?.len() == 0 {
        fs::rename(&beside, path)?;
        return Ok(true);
    }
    match fs::hard_link(&beside, path) {
        Ok(()) => fs::remove_file(&beside).map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => fs::remove_file(&beside).map(|()| false),
        // A file system without links: there the last of two processes wins.
        Err(_) => fs::rename(&beside, path).map(|()| true),
    }
}
