//! The contract of the REST API is tested section by section: tests say which by `rest.md 11.5` in a name's comment.

use std::collections::BTreeSet;

use super::{File, Findings};

/// Sections of the contract that the product has a test for; 12 to 21 are there as a whole.
const SECTIONS: [&str; 43] = [
    "1", "2", "3", "3.1", "4", "5", "5.1", "6", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.9", "7.10",
    "8", "9", "10", "11.1", "11.2", "11.3", "11.4", "11.5", "11.6", "11.7", "11.8", "12", "13", "14", "15", "16.1",
    "16.2", "16.3", "16.4", "16.5", "17", "18", "19", "20", "21",
];

/// Finds sections that no test names, and names of sections that are not in the contract.
pub(super) fn check(files: &[File], findings: &mut Findings) {
    let mut named = BTreeSet::new();
    for file in files.iter().filter(|file| is_test(file)) {
        for (number, line) in file.text.lines().enumerate() {
            for section in sections_in(line) {
                if !SECTIONS.iter().any(|known| *known == section || known.starts_with(&format!("{section}."))) {
                    findings.add(&file.path, number + 1, format!("rest.md has no section {section} that is ours"));
                }
                named.insert(section);
            }
        }
    }
    for section in SECTIONS.iter().filter(|section| !named.contains(**section)) {
        findings.add("crates/mainstay/tests", 0, format!("no test names rest.md {section}"));
    }
}

fn is_test(file: &File) -> bool {
    file.path.contains("/tests/")
        || file.path.ends_with("tests.rs")
        || file.path.contains("/conformance/")
        || file.path.starts_with("e2e/")
        || file.text.contains("#[cfg(test)]")
}

/// The numbers that follow `rest.md` in a line: `rest.md 7.1, 7.2 and 16.4`.
fn sections_in(line: &str) -> Vec<String> {
    let mut sections = Vec::new();
    for (_, rest) in line.match_indices("rest.md ").map(|(at, word)| (at, &line[at + word.len()..])) {
        let mut words = rest.split([' ', ',', ':', ';', ')', '(']).filter(|word| !word.is_empty() && *word != "and");
        while let Some(section) = words.next().map(|word| word.trim_end_matches('.')) {
            if section.is_empty() || !section.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                break;
            }
            sections.push(section.to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::sections_in;

    #[test]
    fn sections_are_the_numbers_after_the_contracts_name() {
        for (line, expected) in [
            ("// rest.md 7.1: keys", &["7.1"][..]),
            ("//! As rest.md 7.1, 7.2 and 16.4 say.", &["7.1", "7.2", "16.4"]),
            ("/// rest.md 9.", &["9"]),
            ("// rest.md says so in 3", &[]),
            ("let rest = md;", &[]),
        ] {
            assert_eq!(sections_in(line), expected, "{line}");
        }
    }
}
