//! Rules for the pages people read: links lead somewhere, the changelog has a place for the next change.

use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::{File, Findings};

/// Checks one tracked file against the others.
pub(super) fn check(file: &File, files: &[File], findings: &mut Findings) {
    if file.path == "CHANGELOG.md" && !file.text.lines().any(|line| line == "## Unreleased") {
        findings.add(&file.path, 1, "the changelog has no `## Unreleased`");
    }
    if file.path.ends_with(".md") {
        links(file, files, findings);
    }
}

fn links(file: &File, files: &[File], findings: &mut Findings) {
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\]\(([^)\s#]+)(?:#[^)]*)?\)").expect("the pattern is written right"));
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    for (index, line) in file.text.lines().enumerate() {
        for target in LINK.captures_iter(line).filter_map(|found| found.get(1)) {
            let target = target.as_str();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = plain(&folder.join(target));
            let inside = format!("{path}/");
            if !files.iter().any(|other| other.path == path || other.path.starts_with(&inside)) {
                findings.add(&file.path, index + 1, format_args!("the link to {target} leads nowhere"));
            }
        }
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    plain.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(path: &str, text: &str) -> Vec<String> {
        let files = ["docs/a.md", "docs/decisions/0001.md", "README.md"];
        let mut files: Vec<File> =
            files.iter().map(|path| File { path: (*path).to_owned(), text: String::new() }).collect();
        files.push(File { path: path.into(), text: text.into() });
        let mut findings = Findings::default();
        check(&files[3], &files, &mut findings);
        findings.0
    }

    #[test]
    fn a_link_leads_to_a_file_or_a_folder() {
        assert!(
            found("docs/b.md", "[a](a.md#part) [r](../README.md) [d](decisions) [w](https://example.org)").is_empty()
        );
        assert_eq!(found("docs/b.md", "[x](c.md)").len(), 1);
    }

    #[test]
    fn the_changelog_has_room_for_the_next_change() {
        assert!(found("CHANGELOG.md", "# Changelog\n\n## Unreleased\n").is_empty());
        assert_eq!(found("CHANGELOG.md", "# Changelog\n").len(), 1);
    }
}
