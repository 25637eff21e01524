//! `mainstay keys [DIR]`: the keys of a project, one a line, in the form of environment variables.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay keys`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  eval \"$(mainstay keys shop)\"\n  curl -H \"apikey: $MAINSTAY_PUBLISHABLE_KEY\" http://127.0.0.1:8080/rest/v1/products\n  mainstay keys --store sqlite:chinook.db"
)]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let secrets = globals.open(&args.folder.folder)?.secrets()?;
    let console = globals.console();
    let keys = [
        ("MAINSTAY_PUBLISHABLE_KEY", &secrets.publishable),
        ("MAINSTAY_SECRET_KEY", &secrets.secret),
        ("MAINSTAY_JWT_SECRET", &secrets.jwt_secret),
    ];
    if console.json {
        let object: serde_json::Map<_, _> =
            keys.iter().map(|(name, key)| ((*name).to_owned(), key.expose().into())).collect();
        console.value(&object);
    } else {
        for (name, key) in keys {
            console.line(format!("{name}={}", key.expose()));
        }
    }
    Ok(())
}
