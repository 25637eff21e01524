//! What may be set, and where each value comes from.
//!
//! Each section of `mainstay.toml` is one file here, written as one [`table`]: names, types, defaults, words and
//! environment names in a single place. Parsing, messages about unknown names, the reference page and the JSON Schema
//! for editors are all made from it. A value comes from the first of: command line, environment, `.env`,
//! `mainstay.toml`, default.
//!
//! Knows nothing of the crates that the settings are for, but for what the URL of a database may say;
//! [`wire`](crate::wire) hands them over.

#[macro_use]
mod table;
mod access;
mod backup;
mod database;
mod environment;
mod keys;
mod limits;
mod load;
mod log;
mod named;
mod project;
mod reference;
mod rest;
mod server;
mod stores;
mod value;

use mainstay_schema::MAIN;

pub use access::AccessSettings;
pub use backup::{BackupSettings, TimeOfDay};
pub use database::DatabaseSettings;
pub use environment::Environment;
pub use keys::KeySettings;
pub use limits::LimitSettings;
pub use load::{Override, load, names_stores};
pub use log::LogSettings;
pub use named::NamedStore;
pub use project::ProjectSettings;
pub use reference::{json_schema, reference_page};
pub use rest::RestSettings;
pub use server::ServerSettings;
pub use stores::{Database, Server, StoreSettings, StoreUrl};
pub use table::{Kind, Section, Setting};
pub use value::{Secret, Value};

/// Every setting of a project, each with the value that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the project is.
    pub project: ProjectSettings,
    /// How it is served.
    pub server: ServerSettings,
    /// The keys, where they are given rather than made.
    pub keys: KeySettings,
    /// Where its rows are kept.
    pub store: StoreSettings,
    /// Who may use tables that were found rather than declared.
    pub access: AccessSettings,
    /// The stores besides it, in the order of their names.
    pub stores: Vec<NamedStore>,
    /// What of a database is served whose own rules decide.
    pub database: DatabaseSettings,
    /// When backups are made by themselves, and how many are kept.
    pub backup: BackupSettings,
    /// What the REST language offers.
    pub rest: RestSettings,
    /// What a request may ask.
    pub limits: LimitSettings,
    /// What is written to the log.
    pub log: LogSettings,
}

impl Settings {
    /// Every store with its name, `main` first.
    pub fn all_stores(&self) -> impl Iterator<Item = (&str, &StoreSettings, &AccessSettings)> {
        let others = self.stores.iter().map(|one| (one.name.as_str(), &one.store, &one.access));
        std::iter::once((MAIN, &self.store, &self.access)).chain(others)
    }

    /// The stores whose tables are found, by their names.
    pub fn introspected(&self) -> impl Iterator<Item = (&str, &StoreSettings)> {
        self.all_stores().filter(|(_, store, _)| store.introspect).map(|(name, store, _)| (name, store))
    }

    /// Every section, in the order of the reference page; those of stores besides `main` are as its own.
    pub const SECTIONS: [Section; 10] = [
        ProjectSettings::SECTION,
        ServerSettings::SECTION,
        StoreSettings::SECTION,
        AccessSettings::SECTION,
        DatabaseSettings::SECTION,
        BackupSettings::SECTION,
        KeySettings::SECTION,
        RestSettings::SECTION,
        LimitSettings::SECTION,
        LogSettings::SECTION,
    ];
}
