//! Which crate of ours may use which: the table of the architecture, held against `cargo metadata`.

use std::collections::HashMap;

use anyhow::Context;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use super::Findings;
use crate::process::root;

/// Each crate, and those of ours that it may depend on.
const TABLE: &[(&str, &[&str])] = &[
    ("mainstay-schema", &[]),
    ("mainstay-query", &["mainstay-schema"]),
    ("mainstay-store", &["mainstay-query", "mainstay-schema"]),
    ("mainstay-stores", &["mainstay-store", "mainstay-query", "mainstay-schema"]),
    ("mainstay-engine", &["mainstay-store", "mainstay-query", "mainstay-schema"]),
    ("mainstay-http", &["mainstay-engine", "mainstay-store", "mainstay-query", "mainstay-schema"]),
    ("mainstay-postgrest", &["mainstay-http", "mainstay-stores", "mainstay-store", "mainstay-query"]),
    (
        "mainstay",
        &[
            "mainstay-postgrest",
            "mainstay-http",
            "mainstay-engine",
            "mainstay-stores",
            "mainstay-store",
            "mainstay-query",
            "mainstay-schema",
        ],
    ),
];

/// Checks every member of the workspace.
///
/// # Errors
/// When `cargo metadata` fails.
pub(super) fn check(findings: &mut Findings) -> anyhow::Result<()> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("reading the workspace's metadata")?;
    findings.0.extend(against(TABLE, &uses(&metadata)));
    Ok(())
}

/// The crates under `crates/`, and which of ours each uses in what it ships.
fn uses(metadata: &Metadata) -> HashMap<String, Vec<String>> {
    let ours = |name: &str| name == "mainstay" || name.starts_with("mainstay-");
    metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| package.manifest_path.as_str().contains("/crates/"))
        .map(|package| {
            let uses = package.dependencies.iter().filter(|used| used.kind != DependencyKind::Development);
            let uses = uses.map(|used| used.name.clone()).filter(|name| ours(name)).collect();
            (package.name.to_string(), uses)
        })
        .collect()
}

fn against(table: &[(&str, &[&str])], uses: &HashMap<String, Vec<String>>) -> Vec<String> {
    let table: HashMap<_, _> = table.iter().copied().collect();
    let mut found = Vec::new();
    for (name, used) in uses {
        let file = format!("crates/{name}/Cargo.toml:1");
        let Some(allowed) = table.get(name.as_str()) else {
            found.push(format!("{file}: the crate is not in the table of xtask/src/tidy/dependencies.rs"));
            continue;
        };
        for used in used.iter().filter(|used| !allowed.contains(&used.as_str())) {
            found.push(format!("{file}: {name} may not depend on {used}; see ARCHITECTURE.md"));
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, used: &str, expected: usize) {
        let uses = HashMap::from([(name.to_owned(), vec![used.to_owned()])]);
        assert_eq!(against(TABLE, &uses).len(), expected, "{name} uses {used}");
    }

    #[test]
    fn a_crate_uses_those_below_it_only() {
        check("mainstay-store", "mainstay-schema", 0);
        check("mainstay-schema", "mainstay-store", 1);
        check("mainstay-http", "mainstay-stores", 1);
        check("mainstay", "mainstay-stores", 0);
        check("mainstay-unheard-of", "mainstay-schema", 1);
    }
}
