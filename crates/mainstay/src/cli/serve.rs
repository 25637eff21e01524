//! `mainstay serve [DIR]`: the API of a project, until somebody ends it; or that of a database as PostgREST serves it.

use std::path::PathBuf;

use anyhow::Context;

use super::from_postgrest;
use super::listen::{self, Address};
use super::{Console, Failure, Folder, Globals, first_start, logging, signals};
use crate::project::Project;
use crate::statements::Recording;
use crate::wire;

/// Arguments of `mainstay serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay serve shop --listen 127.0.0.1:8080
  mainstay serve --store sqlite:chinook.db
  mainstay serve --from-postgrest postgrest.conf")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Address>,
    /// Serve a PostgreSQL database as PostgREST does, by its configuration file or by PGRST_… of the environment alone
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "folder")]
    from_postgrest: Option<Option<PathBuf>>,
    /// With --from-postgrest: print the settings that count and what is not supported, and end
    #[arg(long, requires = "from_postgrest")]
    check: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if let Some(file) = &args.from_postgrest {
        if !globals.set.is_empty() || globals.store.is_some() {
            let problem = "--set and --store are for projects; with --from-postgrest, set PGRST_… in the environment";
            return Err(Failure::Usage(problem.to_owned()));
        }
        return from_postgrest::run(file.as_deref(), args.listen.as_ref(), args.check, &globals.console());
    }
    let options: Vec<_> = args.listen.iter().flat_map(Address::overrides).collect();
    let project = globals.open_with(&args.folder.folder, &options)?;
    logging::start(&project.settings.log);
    if project.settings.store.rules == "database" {
        return super::block_on(from_postgrest::serve_project(&project, &globals.console()));
    }
    super::block_on(serve(&project, &globals.console()))
}

async fn serve(project: &Project, console: &Console) -> Result<(), Failure> {
    // Before anything is made, so that a taken port leaves no trace.
    let listener = listen::listen(&project.settings.server).await?;
    let url = listen::url(listener.local_addr().context("the socket has no address")?);
    let (engine, stores) = wire::engine(project)?;
    let served = async {
        first_start::prepare(project, &stores, console).await?;
        if !project.waiting.is_empty() {
            let project = project.clone().with_functions().map_err(Failure::Mistakes)?;
            engine.replace_schema((*project.schema).clone());
        }
        let app = wire::app(project, engine.clone())?;
        // Before anybody is told, so that a signal from then on drains.
        let stop = signals::stop().context("cannot listen for signals")?;
        console.line(format!("listening on {url}"));
        let _backups = super::start_backups(project);
        let _recording = Recording::start(project, &engine);
        mainstay_http::serve(listener, app, wire::server_limits(&project.settings), stop)
            .await
            .context("serving failed")?;
        Ok(())
    };
    let outcome = served.await;
    engine.store().close().await;
    outcome
}
