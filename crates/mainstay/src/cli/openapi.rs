//! `mainstay openapi [DIR]`: the API described in OpenAPI, for generators of clients and other programs.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use mainstay_http::{About, SERVER};
use mainstay_query::Role;

use super::{Failure, Folder, Globals};
use crate::wire::description;

/// Arguments of `mainstay openapi`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mainstay openapi shop --role anon --server-url https://api.example.org/rest/v1 --out api.json"
)]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Whose view is described
    #[arg(long, value_enum, default_value = "service_role")]
    role: RoleName,
    /// Where the API will be; without it, a path on the server that the description is had from
    #[arg(long, value_name = "URL")]
    server_url: Option<String>,
    /// Write to a file instead of the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The roles, by the names that tokens give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleName {
    /// Who has the publishable key
    Anon,
    /// Who has signed in
    Authenticated,
    /// Who has the secret key
    #[value(name = "service_role", alias = "service")]
    ServiceRole,
}

impl RoleName {
    /// The role of this name.
    pub(super) fn role(self) -> Role {
        match self {
            RoleName::Anon => Role::Anon,
            RoleName::Authenticated => Role::Authenticated,
            RoleName::ServiceRole => Role::Service,
        }
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.open_with_functions(&args.folder.folder)?;
    let server = args.server_url.clone().unwrap_or_else(|| SERVER.to_owned());
    let about = About { server, ..description(&project).about };
    let text = mainstay_http::openapi(&project.schema, Some(args.role.role()), &about);
    let text = String::from_utf8(text.to_vec()).context("the description is not text")?;
    match &args.out {
        None => globals.console().line(text),
        Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?,
    }
    Ok(())
}
