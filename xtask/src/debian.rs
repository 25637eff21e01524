//! Programs that tests need besides the toolchains, from Debian's packages.

use anyhow::bail;

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
