//! The reference in a real browser, the types for supabase-js under the real compiler, the description under a public
//! validator: `e2e/web`. Chromium comes from Debian's packages.

use crate::{clients, debian};

/// Runs `e2e/web` with Node's own test runner.
///
/// # Errors
/// When Node, npm or Chromium cannot be had, the packages cannot be installed, or a test fails.
pub(crate) fn run() -> anyhow::Result<()> {
    debian::need(&[("chromium", "chromium")])?;
    clients::node("e2e/web", None)
}
