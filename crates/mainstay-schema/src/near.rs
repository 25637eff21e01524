//! Near misses: the name that was probably meant. For hints in messages only, never for deciding anything.
//!
//! The loader uses it for keys, types, tables and columns; the query planner for names in requests.

/// Longest name, in characters, for which a near one is looked for. Names in a schema have at most 63, and what comes
/// in a request may be of any length: comparing costs the product of the lengths.
const NAME_CHARS_MAX: usize = 80;

/// The candidate that is most like `name`, if one is like enough: at most two letters in five differ.
///
/// Letters count as different when they are added, missing, replaced, or swapped with their neighbor; case counts for
/// nothing. Of equally near candidates the first wins. A candidate that equals `name` is its own nearest.
pub fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(name, candidates, 40)
}

/// As [`near`], with the most letters in a hundred that may differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>, percent_max: usize) -> Option<&'a str> {
    let name = folded(name)?;
    let mut best: Option<(&'a str, usize, usize)> = None;
    for candidate in candidates {
        let Some(letters) = folded(candidate) else { continue };
        let longest = name.len().max(letters.len());
        if 100 * name.len().abs_diff(letters.len()) > percent_max * longest {
            continue;
        }
        let distance = distance(&name, &letters);
        // Compares distance / longest without division: the smaller share is the nearer name.
        let is_nearer = best.is_none_or(|(_, least, length)| distance * length < least * longest);
        if 100 * distance <= percent_max * longest && is_nearer {
            best = Some((candidate, distance, longest));
        }
    }
    best.map(|(candidate, ..)| candidate)
}

fn folded(name: &str) -> Option<Vec<char>> {
    let letters: Vec<char> = name.chars().take(NAME_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
    (1..=NAME_CHARS_MAX).contains(&letters.len()).then_some(letters)
}

/// Edit distance with swaps of neighbors (optimal string alignment), in three rows.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row: Vec<usize> = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 8] = ["customers", "orders", "order_lines", "products", "id", "email", "optional", "größe"];

    #[test]
    fn small_slips_are_understood() {
        for (name, expected) in [
            ("customer", "customers"),
            ("Orders", "orders"),
            ("odrers", "orders"),
            ("orderlines", "order_lines"),
            ("prodcuts", "products"),
            ("ids", "id"),
            ("mail", "email"),
            ("optionl", "optional"),
            ("große", "größe"),
        ] {
            assert_eq!(near(name, NAMES), Some(expected), "{name}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for name in ["", "x", "ix", "invoices", "name", "total", &"orders".repeat(20), "日本"] {
            assert_eq!(near(name, NAMES), None, "{name}");
        }
        assert_eq!(near("orders", []), None);
    }

    #[test]
    fn the_nearest_wins_and_the_first_of_equals() {
        assert_eq!(near("order", ["older", "orders"]), Some("orders"));
        assert_eq!(near("cat", ["car", "bat"]), Some("car"));
        assert_eq!(near("cat", ["Cat", "cat"]), Some("Cat"));
    }

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 1), ("kitten", "sitting", 3)] {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(distance(&letters(a), &letters(b)), expected, "{a} {b}");
            assert_eq!(distance(&letters(b), &letters(a)), expected, "{b} {a}");
        }
    }
}
