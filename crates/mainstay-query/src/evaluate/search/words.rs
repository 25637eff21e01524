//! Text → words in the form in which they are compared.
//!
//! A word is a run of letters, digits and marks on them. Letter case, compatibility forms (`ﬁ`, full width) and the
//! accents of Latin, Greek and Cyrillic letters do not count, and the forms of a word in the index's language are one.
//! In scripts that do not part words, each letter is a word, so that a search for several is one for a phrase. There
//! are no stop words: what is asked for counts.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};
use mainstay_schema::Language;
use rust_stemmers::{Algorithm, Stemmer};

/// Longer words are passed over, in texts and in what is searched for: nobody reads them, and stores bound them.
const WORD_CHARS_MAX: usize = 255;

/// Calls `take` with each word of `text`.
pub(super) fn each(text: &str, language: Language, mut take: impl FnMut(&str)) {
    let normal = normal(text);
    let stemmer = stemmer(language);
    let scripts = CodePointMapData::<Script>::new();
    let categories = CodePointMapData::<GeneralCategory>::new();
    let mut start = None;
    // Whether the word that has begun is one letter of a script that does not part words.
    let mut is_single = false;
    for (at, c) in normal.char_indices() {
        let kind = kind(c, &scripts, &categories);
        let goes_on = match kind {
            Kind::Mark => true,
            Kind::Letter => start.is_some() && !is_single,
            Kind::Single | Kind::Other => false,
        };
        if goes_on {
            continue;
        }
        if let Some(start) = start.take() {
            finish(&normal[start..at], stemmer.as_ref(), &mut take);
        }
        if kind != Kind::Other {
            (start, is_single) = (Some(at), kind == Kind::Single);
        }
    }
    if let Some(start) = start {
        finish(&normal[start..], stemmer.as_ref(), &mut take);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Of a word of several.
    Letter,
    /// A word of its own.
    Single,
    /// Belongs to the letter before.
    Mark,
    /// Parts words.
    Other,
}

fn kind(
    c: char,
    scripts: &CodePointMapDataBorrowed<'_, Script>,
    categories: &CodePointMapDataBorrowed<'_, GeneralCategory>,
) -> Kind {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Kind::Letter } else { Kind::Other };
    }
    let is_mark = GeneralCategoryGroup::Mark.contains(categories.get(c));
    if !is_mark && !c.is_alphanumeric() {
        return Kind::Other;
    }
    match scripts.get(c) {
        _ if is_mark => Kind::Mark,
        Script::Han
        | Script::Hiragana
        | Script::Katakana
        | Script::Thai
        | Script::Lao
        | Script::Khmer
        | Script::Myanmar => Kind::Single,
        _ => Kind::Letter,
    }
}

/// Gives a word in the form in which it is compared, if it is one.
fn finish(word: &str, stemmer: Option<&Stemmer>, take: &mut impl FnMut(&str)) {
    if word.len() > WORD_CHARS_MAX && word.chars().count() > WORD_CHARS_MAX {
        return;
    }
    let lower: String = match word.is_ascii() {
        true => word.to_ascii_lowercase(),
        // Letter by letter, and so without the Greek rule for the end of a word.
        false => word.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect(),
    };
    let stem = stemmer.map_or(Cow::Borrowed(lower.as_str()), |stemmer| stemmer.stem(&lower));
    // Accents go last: they tell the stemmer where a word ends.
    let plain = if stem.is_ascii() { stem } else { Cow::Owned(without_accents(&stem)) };
    if !plain.is_empty() {
        take(&plain);
    }
}

fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfkc().normalize(text) }
}

/// The word without the marks that accents are made of. Other marks are letters to those who write them.
fn without_accents(word: &str) -> String {
    let parts = DecomposingNormalizerBorrowed::new_nfd().normalize(word);
    let kept: String = parts.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&kept).into_owned()
}

fn stemmer(language: Language) -> Option<Stemmer> {
    let algorithm = match language {
        Language::Simple => return None,
        Language::Arabic => Algorithm::Arabic,
        Language::Danish => Algorithm::Danish,
        Language::Dutch => Algorithm::Dutch,
        Language::English => Algorithm::English,
        Language::Finnish => Algorithm::Finnish,
        Language::French => Algorithm::French,
        Language::German => Algorithm::German,
        Language::Greek => Algorithm::Greek,
        Language::Hungarian => Algorithm::Hungarian,
        Language::Italian => Algorithm::Italian,
        Language::Norwegian => Algorithm::Norwegian,
        Language::Portuguese => Algorithm::Portuguese,
        Language::Romanian => Algorithm::Romanian,
        Language::Russian => Algorithm::Russian,
        Language::Spanish => Algorithm::Spanish,
        Language::Swedish => Algorithm::Swedish,
        Language::Tamil => Algorithm::Tamil,
        Language::Turkish => Algorithm::Turkish,
    };
    Some(Stemmer::create(algorithm))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str, language: Language) -> Vec<String> {
        let mut words = Vec::new();
        each(text, language, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        for (text, expected) in [
            ("The quick-brown fox's 3.14", "the quick brown fox s 3 14"),
            ("Crêpe CRÊPE cre\u{302}pe", "crepe crepe crepe"),
            ("ﬁne ＡＢＣ", "fine abc"),
            ("ΣΑΣ σας", "σασ σασ"),
            ("İstanbul", "istanbul"),
            ("Ёлка ЙОД", "елка иод"),
            ("日本語 テスト", "日 本 語 テ ス ト"),
            ("が か", "が か"),
            ("नमस्ते दुनिया", "नमस्ते दुनिया"),
            ("한국어", "한국어"),
            ("a_b\u{301}c", "a bc"),
            ("\u{301}", ""),
            ("…—\u{a0}🦀", ""),
        ] {
            assert_eq!(words(text, Language::Simple).join(" "), expected, "{text}");
        }
        let longest = "x".repeat(WORD_CHARS_MAX);
        assert_eq!(words(&format!("a {longest} {longest}x b"), Language::Simple), ["a", &longest, "b"]);
    }

    #[test]
    fn forms_of_a_word_are_one_in_its_language() {
        for (language, texts) in [
            (Language::English, ["running", "runs"]),
            (Language::German, ["Häuser", "Hauses"]),
            (Language::French, ["mangées", "mangé"]),
            (Language::Russian, ["книги", "книга"]),
            (Language::Spanish, ["niños", "niño"]),
        ] {
            assert_eq!(words(texts[0], language), words(texts[1], language), "{language:?}");
            assert_ne!(words(texts[0], Language::Simple), words(texts[1], Language::Simple), "{language:?}");
        }
    }

    proptest! {
        /// Stores part words by blanks, so a word must hold none, nor anything else that could be taken for a sign.
        #[test]
        fn words_of_any_text_are_plain(
            text in "(\\PC|[a-zäöüßéèçñğış]{1,12}|[а-яё]{1,12}|[α-ωά-ώ]{1,12}|[ء-ي]{1,8}|[அ-ஹா-்]{1,8}| ){0,40}",
        ) {
            for (_, language) in Language::ALL {
                for word in words(&text, language) {
                    let is_plain = |c: char| !c.is_ascii() || c.is_ascii_digit() || c.is_ascii_lowercase();
                    prop_assert!(!word.is_empty() && word.chars().all(is_plain), "{word:?}");
                }
            }
        }
    }
}
