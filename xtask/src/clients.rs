//! The real client libraries against the real program: `e2e/js` and `e2e/py`.
//!
//! A real PostgreSQL is started for those whose database decides. Packages are installed under `target/e2e/` in exactly the versions of the lock files. The tests start the program
//! themselves; they learn where it is from `MAINSTAY_BIN`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::process::{self, cargo, is_there, program, root, target};
use crate::servers::Servers;

/// Runs `e2e/js` with Node's own test runner.
///
/// # Errors
/// When Node or npm is missing, the packages cannot be installed, or a test fails.
pub(crate) fn javascript() -> anyhow::Result<()> {
    node("e2e/js", Some(&Servers::some(&["postgres", "mongo"])?))
}

/// Runs the tests of one folder with Node, told of these servers. What they leave to look at, such as screenshots, lies where they ran.
///
/// # Errors
/// When Node or npm is missing, the packages cannot be installed, or a test fails.
pub(crate) fn node(tests: &str, servers: Option<&Servers>) -> anyhow::Result<()> {
    ensure!(is_there("node") && is_there("npm"), "needs node 20 or later and npm");
    let binary = built()?;
    let folder = target().join(tests);
    // Node looks for packages beside the file that imports them, so the tests run from where the packages are.
    copy(&root().join(tests), &folder)?;
    npm_packages(&folder)?;
    let mut node = program("node");
    node.current_dir(&folder)
        .args(["--test", "--test-reporter=spec", "--no-warnings"])
        .env("MAINSTAY_BIN", binary)
        .env("MAINSTAY_EXAMPLE", root().join("examples/shop"))
        .env("MAINSTAY_SCREENSHOTS", folder.join("screenshots"));
    process::run(match servers {
        Some(servers) => servers.tell(&mut node),
        None => &mut node,
    })
}

/// Installs what the lock file in a folder names.
pub(crate) fn npm_packages(folder: &Path) -> anyhow::Result<()> {
    installed(folder, &["package.json", "package-lock.json"], || {
        process::run(program("npm").current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))
    })
}

/// Installs what `requirements.txt` in a folder names, and gives the interpreter that has it.
pub(crate) fn python_packages(folder: &Path) -> anyhow::Result<PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    installed(folder, &["requirements.txt"], || {
        process::run(program("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        process::run(
            program(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
                .arg(folder.join("requirements.txt")),
        )
    })?;
    Ok(python)
}

/// Runs `e2e/py` with Python's own test runner.
///
/// # Errors
/// When Python is missing, the packages cannot be installed, or a test fails.
pub(crate) fn python() -> anyhow::Result<()> {
    ensure!(is_there("python3"), "needs Python 3.11 or later");
    let binary = built()?;
    let folder = target().join("e2e/py");
    copy(&root().join("e2e/py"), &folder)?;
    let python = python_packages(&folder)?;
    process::run(
        program(&python)
            .current_dir(&folder)
            .args(["-m", "unittest", "discover", "--verbose", "--pattern", "test_*.py"])
            .env("MAINSTAY_BIN", binary)
            .env("MAINSTAY_EXAMPLE", root().join("examples/shop")),
    )
}

/// The program, built as the tests of the workspace build it.
pub(crate) fn built() -> anyhow::Result<PathBuf> {
    process::run(cargo().args(["build", "--quiet", "--workspace", "--bin", "mainstay"]))?;
    Ok(target().join("debug/mainstay"))
}

/// Runs `install` unless it went through before with the same lock files.
fn installed(folder: &Path, locks: &[&str], install: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut wanted = String::new();
    for lock in locks {
        wanted += &fs::read_to_string(folder.join(lock)).with_context(|| format!("reading {lock}"))?;
    }
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    install()?;
    Ok(fs::write(stamp, wanted)?)
}

/// Copies the files of one folder; what the target folder had of the same kinds and the source has not is removed.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for old in fs::read_dir(to)? {
        let old = old?.path();
        if old.extension().is_some_and(|kind| kind == "js" || kind == "py") {
            fs::remove_file(old)?;
        }
    }
    for file in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let file = file?.path();
        if file.is_file() {
            fs::copy(&file, to.join(file.file_name().unwrap_or(OsStr::new("file"))))?;
        }
    }
    Ok(())
}
