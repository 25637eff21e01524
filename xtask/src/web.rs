//! The reference in a real browser, the types for supabase-js under the real compiler, the description under a public
//! validator: `e2e/web`. Chromium comes from Debian's packages.

use anyhow::ensure;

use crate::clients::{built, copy, installed};
use crate::debian;
use crate::process::{self, is_there, program, root, target};

/// Runs `e2e/web` with Node's own test runner.
///
/// # Errors
/// When Node, npm or Chromium cannot be had, the packages cannot be installed, or a test fails.
pub(crate) fn run() -> anyhow::Result<()> {
    ensure!(is_there("node") && is_there("npm"), "needs node 20 or later and npm");
    debian::need(&[("chromium", "chromium")])?;
    let binary = built()?;
    let folder = target().join("e2e/web");
    copy(&root().join("e2e/web"), &folder)?;
    installed(&folder, &["package.json", "package-lock.json"], || {
        process::run(program("npm").current_dir(&folder).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))
    })?;
    process::run(
        program("node")
            .current_dir(&folder)
            .args(["--test", "--test-reporter=spec", "--no-warnings"])
            .env("MAINSTAY_BIN", binary)
            .env("MAINSTAY_EXAMPLE", root().join("examples/shop"))
            .env("MAINSTAY_SCREENSHOTS", folder.join("screenshots")),
    )
}
