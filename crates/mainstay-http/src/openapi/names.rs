//! Names of the parts of a description, made from names that may hold anything.
//!
//! Generators of clients turn them into names of classes and methods in which case and separators are lost, so names
//! that differ in nothing else are told apart by a number.

use std::collections::HashSet;

/// Names that are given out.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// With these taken from the start.
    pub(super) fn with(taken: &[&str]) -> Names {
        let mut names = Names::default();
        for name in taken {
            names.taken.insert(folded(name));
        }
        names
    }

    /// A name like `wanted` of which every one of `forms` is free.
    pub(super) fn give(&mut self, wanted: &str, forms: &[&str]) -> String {
        let wanted = plain(wanted);
        let mut name = wanted.clone();
        let mut number = 2;
        while forms.iter().any(|form| self.taken.contains(&folded(&format!("{name}{form}")))) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        for form in forms {
            self.taken.insert(folded(&format!("{name}{form}")));
        }
        name
    }
}

/// Letters, digits and underscores of ASCII, beginning with a letter.
pub(super) fn plain(name: &str) -> String {
    let mut plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !plain.starts_with(|c: char| c.is_ascii_alphabetic()) || plain.bytes().all(|byte| byte == b'_') {
        plain.insert_str(0, "t_");
    }
    plain
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_plain_and_its_own() {
        let mut names = Names::with(&["error"]);
        let forms = ["", "_insert"];
        let given = ["orders", "Orders", "orders insert", "日本", "", "1st", "Error"].map(|n| names.give(n, &forms));
        assert_eq!(given, ["orders", "Orders_2", "orders_insert_2", "t___", "t__2", "t_1st", "Error_2"]);
    }
}
