//! `mainstay dev [DIR]`: a project served while somebody works on it. What is saved is served.

mod session;
mod terminal;

use std::net::SocketAddr;

use anyhow::Context;
use mainstay_http::{Description, Reference, Scope};

use super::listen::{self, Address};
use super::{Failure, Folder, Globals, logging, signals};
use crate::config::Override;
use crate::project::{Project, Watch};
use crate::statements::Recording;
use crate::wire;
use session::Session;

/// Arguments of `mainstay dev`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay init shop && mainstay dev shop")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Address>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let listen: Vec<_> = args.listen.iter().flat_map(Address::overrides).collect();
    let overrides = globals.overrides(&listen);
    let project = Project::open(&args.folder.folder, &overrides).map_err(Failure::Mistakes)?;
    logging::start(&project.settings.log);
    super::block_on(develop(project, overrides, globals))
}

async fn develop(project: Project, overrides: Vec<Override>, globals: &Globals) -> Result<(), Failure> {
    let console = globals.console();
    let listener = listen::listen_near(&project.settings.server).await?;
    let address = listener.local_addr().context("the socket has no address")?;
    let url = listen::url(address);
    let (engine, stores) = wire::engine(&project)?;
    let developed = async {
        let mut watch = Watch::open(&project.folder)?;
        let told = description(&project, address);
        let has_reference = told.reference != Reference::Off && told.scope != Scope::Off;
        let app = wire::app_described(&project, engine.clone(), told)?;
        let stop = signals::stop().context("cannot listen for signals")?;
        let banner = banner(&project, &url, has_reference)?;
        let limits = wire::server_limits(&project.settings);
        let _backups = super::start_backups(&project);
        let _recording = Recording::start(&project, &engine);
        let mut session = Session::begin(project, overrides, engine.clone(), stores, console).await?;
        let mut answers = terminal::answers();
        console.line(banner);
        let serving = mainstay_http::serve(listener, app, limits, stop);
        tokio::pin!(serving);
        loop {
            tokio::select! {
                served = &mut serving => return served.context("serving failed").map_err(Failure::from),
                () = watch.changed() => session.reload().await,
                Some(answer) = answers.recv() => session.answer(&answer).await,
            }
        }
    };
    let outcome = developed.await;
    engine.store().close().await;
    outcome
}

/// On this machine the reference is open.
fn description(project: &Project, address: SocketAddr) -> Description {
    let mut told = wire::description(project);
    if address.ip().is_loopback() && told.reference == Reference::Secret {
        told.reference = Reference::Development;
    }
    told
}

fn banner(project: &Project, url: &str, has_reference: bool) -> anyhow::Result<String> {
    let secrets = project.secrets()?;
    let reference = if has_reference { format!("  Reference  {url}/_/api\n") } else { String::new() };
    Ok(format!(
        "  API        {url}/rest/v1/\n{reference}  keys       publishable {}   secret {}",
        secrets.publishable.expose(),
        secrets.secret.expose()
    ))
}
