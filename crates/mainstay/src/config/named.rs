//! `[stores.NAME]`: the stores of a project besides `main`.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use mainstay_schema::MAIN;

use super::{AccessSettings, Section, Setting, StoreSettings};

/// Longest name of a store.
const NAME_CHARS_MAX: usize = 32;

/// What a store besides `main` may be told: the same, but nothing of it comes from somewhere else by itself.
static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let setting = |setting: &Setting| Setting {
        default: setting.default.filter(|_| setting.name != "url"),
        environment: &[],
        ..*setting
    };
    StoreSettings::SECTION.settings.iter().map(setting).collect()
});

/// A store besides `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedStore {
    /// Its name, which tables of schema files use.
    pub name: String,
    /// Where its rows are kept.
    pub store: StoreSettings,
    /// Who may use tables that were found in it.
    pub access: AccessSettings,
}

/// The section of this name, if it is one of a store besides `main`.
pub(super) fn section(path: &str) -> Option<Section> {
    let (name, is_access) = match path.strip_prefix("stores.")?.split_once('.') {
        None => (&path["stores.".len()..], false),
        Some((name, "access")) => (name, true),
        Some(_) => return None,
    };
    if !is_name(name) {
        return None;
    }
    let (of_main, settings) = match is_access {
        true => (AccessSettings::SECTION, AccessSettings::SECTION.settings),
        false => (StoreSettings::SECTION, SETTINGS.as_slice()),
    };
    Some(Section { name: interned(path), settings, ..of_main })
}

/// The name of the store that a section is of, if it is one besides `main`.
pub(super) fn store_of(section: &str) -> Option<&str> {
    let name = section.strip_prefix("stores.")?;
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    (name != MAIN).then_some(name)
}

/// Names go into environment names, file names and tables, and are told apart from what stands below a store.
fn is_name(name: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name != MAIN
        && name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_fine)
}

/// A name that is never freed. There are as many as were ever written into the settings of this process.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}
