//! Programs that tests need besides the toolchains, from Debian's packages: installed, or unpacked in a folder of their
//! own where they are newer than the machine's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::process::{self, is_there, output, program};

/// Makes sure that these programs are there: installs the packages of those that are missing when that is possible.
///
/// # Errors
/// The names of the packages, when they cannot be installed from here.
pub(crate) fn need(programs: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        programs.iter().filter(|(name, _)| !is_there(name)).flat_map(|(_, packages)| packages.split(' ')).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root || !is_there("apt-get") {
        bail!("needs the Debian packages {}: install them, or run this as root", missing.join(" "));
    }
    let apt = || {
        let mut command = program("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    process::run(apt().args(["update", "-qq"]))?;
    process::run(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(missing))
}

/// The distribution that newest packages are taken from.
const NEWEST: &str = "sid";
/// Who signs for what a mirror sends.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Packages of Debian's newest distribution with everything that they need down to the loader, unpacked in a folder of
/// their own: the machine's own packages are neither changed nor used.
pub(crate) struct Tree(PathBuf);

impl Tree {
    /// The tree in this folder; fetched and unpacked if it is not there.
    ///
    /// # Errors
    /// When no mirror of Debian is among the machine's package sources, or it does not have the packages.
    pub(crate) fn of(folder: &Path, packages: &[&str]) -> anyhow::Result<Tree> {
        if folder.is_dir() {
            return Ok(Tree(folder.to_owned()));
        }
        // Half a tree never has the name of a whole one.
        let work = folder.with_extension(format!("{}.tmp", std::process::id()));
        let made = fetch(&work, packages).and_then(|()| {
            std::fs::rename(work.join("root"), folder).with_context(|| format!("making {}", folder.display()))
        });
        let _ = std::fs::remove_dir_all(&work);
        // Somebody else may have been faster.
        if !folder.is_dir() {
            made?;
        }
        Ok(Tree(folder.to_owned()))
    }

    /// Something in it.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.join(inside)
    }

    /// How one of its programs is run: through its own loader, with its own libraries and those of these folders.
    ///
    /// # Errors
    /// When there is no way for machines of this kind.
    pub(crate) fn words(&self, program: &str, libraries: &[&str]) -> anyhow::Result<Vec<String>> {
        let (folder, loader) = match std::env::consts::ARCH {
            "x86_64" => ("usr/lib/x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
            "aarch64" => ("usr/lib/aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
            other => bail!("no programs of Debian are run from a tree on {other}"),
        };
        let text = |path: &str| self.path(path).to_string_lossy().into_owned();
        let libraries: Vec<String> = std::iter::once(&folder).chain(libraries).map(|path| text(path)).collect();
        Ok(vec![text(&format!("{folder}/{loader}")), "--library-path".into(), libraries.join(":"), text(program)])
    }
}

/// Fetches packages and all they need, and unpacks them in `root` of this folder.
fn fetch(work: &Path, packages: &[&str]) -> anyhow::Result<()> {
    for folder in ["lists/partial", "archives/partial", "root"] {
        std::fs::create_dir_all(work.join(folder))?;
    }
    // As if nothing were installed: so everything that the packages need is fetched with them.
    std::fs::write(work.join("status"), "")?;
    let mut tried = Ok(());
    for mirror in mirrors()? {
        std::fs::write(work.join("sources"), format!("deb [signed-by={KEYRING}] {mirror} {NEWEST} main\n"))?;
        let apt = || {
            let mut command = program("apt-get");
            let (work, options) = (work.display(), ["APT::Install-Recommends=false", "Debug::NoLocking=true"]);
            command.args(["-q", "-y", "-o", options[0], "-o", options[1], "-o", "APT::Update::Error-Mode=any"]);
            for (setting, file) in [
                ("Dir::State", ""),
                ("Dir::State::status", "/status"),
                ("Dir::Cache", ""),
                ("Dir::Etc::sourcelist", "/sources"),
                ("Dir::Etc::sourceparts", "/none"),
            ] {
                command.arg("-o").arg(format!("{setting}={work}{file}"));
            }
            command
        };
        // Not printed: what it would print names the mirror.
        tried =
            quiet(apt().arg("update")).and_then(|()| quiet(apt().args(["install", "--download-only"]).args(packages)));
        if tried.is_ok() {
            break;
        }
    }
    tried?;
    for entry in std::fs::read_dir(work.join("archives"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            quiet(program("dpkg-deb").arg("--extract").args([&path, &work.join("root")]))?;
        }
    }
    Ok(())
}

/// The mirrors that the machine gets its own distribution from.
fn mirrors() -> anyhow::Result<Vec<String>> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or_default();
    let end = format!("/dists/{}/InRelease", name.trim_matches('"'));
    let files = output(program("apt-get").args(["update", "--print-uris"]))?;
    let first = |line: &str| line.split('\'').nth(1)?.strip_suffix(&end).map(str::to_owned);
    let mirrors: Vec<String> = files.lines().filter_map(first).collect();
    ensure!(!mirrors.is_empty(), "no mirror of Debian is among the package sources of this machine");
    Ok(mirrors)
}

/// Runs a command without a word unless it fails.
fn quiet(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("starting {name}"))?;
    ensure!(done.status.success(), "{name} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(())
}
