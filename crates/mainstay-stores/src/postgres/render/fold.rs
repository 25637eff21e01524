//! Letters that are the same but for their case, by Unicode's simple folding, which is what the evaluator goes by.
//!
//! PostgreSQL makes letters small, which is nearly the same. Where it is not, the small letters are replaced by what
//! they fold to.

use std::borrow::Cow;

use mainstay_query::evaluate;

use super::Sql;

/// The only letter that has two small ones at once; it folds to itself.
const DOTTED_I: char = 'İ';
/// What it becomes while letters are made small: no character of any text, but of a private plane.
const STANDS_FOR_DOTTED_I: char = '\u{10FFFD}';

/// A pattern in which a backslash at the very end stands for itself, as PostgreSQL wants it said.
pub(super) fn whole(pattern: &str) -> Cow<'_, str> {
    let backslashes = pattern.len() - pattern.trim_end_matches('\\').len();
    match backslashes % 2 {
        0 => Cow::Borrowed(pattern),
        _ => Cow::Owned(format!("{pattern}\\")),
    }
}

/// Letters that making small leaves as they are, and that fold to something else all the same.
const SMALL: &str = "µſ\u{345}ςϐϑϕϖϰϱϵᏸᏹᏺᏻᏼᏽᲀᲁᲂᲃᲄᲅᲆᲇᲈẛιꭰꭱꭲꭳꭴꭵꭶꭷꭸꭹꭺꭻꭼꭽꭾꭿꮀꮁꮂꮃꮄꮅꮆꮇꮈꮉꮊꮋꮌꮍꮎꮏꮐꮑꮒꮓꮔꮕꮖꮗꮘꮙꮚꮛꮜꮝꮞꮟꮠꮡꮢꮣꮤꮥꮦꮧꮨꮩꮪꮫꮬꮭꮮꮯꮰꮱꮲꮳꮴꮵꮶꮷꮸꮹꮺꮻꮼꮽꮾꮿ";
/// What they fold to.
const FOLDED: &str =
    "μsισβθφπκρεᏰᏱᏲᏳᏴᏵвдосттъѣꙋṡιᎠᎡᎢᎣᎤᎥᎦᎧᎨᎩᎪᎫᎬᎭᎮᎯᎰᎱᎲᎳᎴᎵᎶᎷᎸᎹᎺᎻᎼᎽᎾᎿᏀᏁᏂᏃᏄᏅᏆᏇᏈᏉᏊᏋᏌᏍᏎᏏᏐᏑᏒᏓᏔᏕᏖᏗᏘᏙᏚᏛᏜᏝᏞᏟᏠᏡᏢᏣᏤᏥᏦᏧᏨᏩᏪᏫᏬᏭᏮᏯ";

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

/// Folds text of ours.
pub(super) fn fold(text: &str) -> String {
    let fold = |c: char| {
        let small = if c == DOTTED_I { STANDS_FOR_DOTTED_I } else { only(c.to_lowercase()).unwrap_or(c) };
        if c.is_ascii() || small.is_ascii() {
            return small;
        }
        // Letters that are too new for the evaluator, and for most servers, have no case.
        if small != c && small != STANDS_FOR_DOTTED_I && !evaluate::like(&c.to_string(), &small.to_string(), false) {
            return c;
        }
        let found = SMALL.chars().zip(FOLDED.chars()).find(|(other, _)| *other == small);
        found.map_or(small, |(_, folded)| folded)
    };
    text.chars().map(fold).collect()
}

impl<'p> Sql<'p> {
    /// Writes a text as it is when case does not count.
    pub(super) fn folded(&mut self, text: impl FnOnce(&mut Sql<'p>)) {
        self.push("translate(lower(translate(");
        text(self);
        self.push(",'");
        self.text.push(DOTTED_I);
        self.push("','");
        self.text.push(STANDS_FOR_DOTTED_I);
        // None of the letters is a quote.
        self.push("') COLLATE \"und-x-icu\"),'");
        self.push(SMALL);
        self.push("','");
        self.push(FOLDED);
        self.push("')");
    }
}

#[cfg(test)]
mod tests {
    use mainstay_query::evaluate::like;

    use super::*;

    #[test]
    fn folding_agrees_with_the_evaluator() {
        for (left, right) in
            [("ΣΑΣ", "σας"), ("Straße", "STRAßE"), ("\u{212a}", "k"), ("ſ", "S"), ("É", "é"), ("ẞ", "ß")]
        {
            assert_eq!(fold(left), fold(right), "{left} and {right}");
        }
        assert_ne!(fold("İ"), fold("i"));
        assert_ne!(fold("é"), fold("e"));
    }

    #[test]
    fn a_backslash_at_the_end_is_doubled() {
        for (pattern, expected) in [("a\\", "a\\\\"), ("a\\\\", "a\\\\"), ("a", "a"), ("\\", "\\\\")] {
            assert_eq!(whole(pattern), expected);
        }
    }

    /// The evaluator goes by the regular expressions' tables of letters, which may come to know more than these.
    #[test]
    fn the_tables_are_those_of_the_evaluator() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphabetic() || !c.to_uppercase().eq([*c])) {
            let folded = fold(&c.to_string());
            let folded = folded.chars().filter(|folded| *folded != STANDS_FOR_DOTTED_I);
            for other in c.to_lowercase().chain(c.to_uppercase()).chain(folded) {
                if other == c {
                    continue;
                }
                let (c, other) = (c.to_string(), other.to_string());
                let is_same = like(&c, &other, false);
                assert_eq!(fold(&c) == fold(&other), is_same, "{c} and {other}");
            }
        }
    }
}
