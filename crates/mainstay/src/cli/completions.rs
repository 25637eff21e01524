//! `mainstay completions SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Failure, Globals};

/// Arguments of `mainstay completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mainstay completions bash > ~/.local/share/bash-completion/completions/mainstay
  mainstay completions zsh > ~/.zfunc/_mainstay    # with ~/.zfunc in fpath
  mainstay completions fish > ~/.config/fish/completions/mainstay.fish")]
pub(super) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mainstay", &mut script);
    globals.console().line(String::from_utf8_lossy(&script));
    Ok(())
}
