//! What the four syntaxes mean.

use proptest::prelude::*;

use super::*;

fn search(syntax: SearchSyntax, language: Language, text: &str) -> SearchQuery {
    SearchQuery::parse(syntax, language, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Each search with the texts that answer it, by their number.
fn check(syntax: SearchSyntax, texts: &[&str], cases: &[(&str, &[usize])]) {
    for (text, expected) in cases {
        let query = search(syntax, Language::English, text);
        let found: Vec<usize> = (0..texts.len()).filter(|at| query.matches([texts[*at]])).collect();
        assert_eq!(&found, expected, "{text}: {:?}", query.root());
    }
}

const TEXTS: [&str; 6] =
    ["The fat cats ate rats", "A cat and a fat rat", "fat fat dog", "Well-known cat-food, 3.5 kg", "", "a b c a d"];

/// rest.md 3: `fts`.
#[test]
fn the_query_language() {
    check(
        SearchSyntax::Query,
        &TEXTS,
        &[
            ("cat", &[0, 1, 3]),
            ("CATS", &[0, 1, 3]),
            ("cat & rat", &[0, 1]),
            ("cat & !rat", &[3]),
            ("!cat", &[2, 4, 5]),
            ("dog | rat", &[0, 1, 2]),
            ("dog | cat & rat", &[0, 1, 2]),
            ("(dog | cat) & fat", &[0, 1, 2]),
            ("fat <-> cat", &[0]),
            ("fat<->rat", &[1]),
            ("fat <2> dog", &[2]),
            ("fat <0> fat", &[0, 1, 2]),
            ("cat <4> fat", &[]),
            ("cat <3> fat", &[1]),
            ("fa:*", &[0, 1, 2]),
            ("'fat cat'", &[0]),
            ("'fat cat' & rat", &[0]),
            ("'fat c':*", &[0]),
            ("well-known", &[3]),
            ("3.5", &[3]),
            ("fat <-> (cat | dog)", &[0, 2]),
            ("fat <-> !cat", &[1, 2]),
            ("!fat <-> fat", &[0, 1, 2]),
            ("a <-> (b & !c)", &[5]),
            ("(a <-> b | a) <-> d", &[]),
            ("(a <-> b | a <-> c) <-> c", &[5]),
            ("!(cat | dog)", &[4, 5]),
            ("!!cat", &[0, 1, 3]),
            ("'it''s'", &[]),
            ("...", &[]),
            ("... & cat", &[0, 1, 3]),
            ("cat & !...", &[0, 1, 3]),
            ("", &[]),
            ("  ", &[]),
        ],
    );
    for text in [
        "cat dog",
        "cat &",
        "& cat",
        "(cat",
        "cat)",
        "!",
        "cat <x> dog",
        "cat <99999> dog",
        "cat:x",
        "cat:",
        "'cat",
        "<->",
        "cat <-",
    ] {
        let error = SearchQuery::parse(SearchSyntax::Query, Language::Simple, text).unwrap_err();
        assert_eq!(error, SearchError::Syntax { text: text.to_owned() }, "{text}");
    }
    assert_eq!(SearchQuery::parse(SearchSyntax::Query, Language::Simple, "cat:A*"), Err(SearchError::Weights));
}

/// rest.md 3: `plfts` and `phfts`.
#[test]
fn plain_words_and_phrases() {
    check(
        SearchSyntax::Plain,
        &TEXTS,
        &[("rat fat", &[0, 1]), ("fat & !dog", &[2]), ("", &[]), ("...", &[]), ("food known", &[3])],
    );
    check(
        SearchSyntax::Phrase,
        &TEXTS,
        &[("fat cats", &[0]), ("cat fat", &[]), ("fat & rat", &[1]), ("known cat food", &[3]), ("", &[])],
    );
}

/// rest.md 3: `wfts`.
#[test]
fn as_people_type() {
    check(
        SearchSyntax::Web,
        &TEXTS,
        &[
            ("fat cat", &[0, 1]),
            ("\"fat cat\"", &[0]),
            ("cat -rat", &[3]),
            ("cat -\"fat rat\"", &[0, 3]),
            ("dog or rat", &[0, 1, 2]),
            ("dog OR cat food", &[2, 3]),
            ("-cat", &[2, 4, 5]),
            ("or", &[]),
            ("cat or", &[]),
            ("cat-food", &[3]),
            ("\"fat cat", &[0, 1]),
            ("fat - cat", &[0, 1]),
            ("fat & (cat | !)", &[0, 1]),
            ("-", &[]),
            ("--cat", &[0, 1, 3]),
            ("\"\"", &[]),
            ("cat:*", &[0, 1, 3]),
        ],
    );
}

#[test]
fn a_phrase_is_in_one_text_and_words_are_anywhere() {
    let texts = ["fat cat", "rat food"];
    for (text, expected) in [("fat & food", true), ("cat <-> rat", false), ("rat <-> food", true), ("!dog", true)] {
        assert_eq!(search(SearchSyntax::Query, Language::Simple, text).matches(texts), expected, "{text}");
    }
}

#[test]
fn the_language_decides_which_words_are_one() {
    for (language, expected) in [(Language::English, true), (Language::Simple, false)] {
        assert_eq!(search(SearchSyntax::Plain, language, "running").matches(["she runs"]), expected);
        assert!(search(SearchSyntax::Plain, language, "CREPE").matches(["une crêpe"]));
    }
    assert_eq!(words("The running Cats", Language::English), "the run cat");
}

#[test]
fn bounds() {
    let many = vec!["a"; 65].join(" ");
    for syntax in [SearchSyntax::Plain, SearchSyntax::Phrase, SearchSyntax::Web] {
        assert!(SearchQuery::parse(syntax, Language::Simple, &many[2..]).is_ok());
        let error = SearchQuery::parse(syntax, Language::Simple, &many).unwrap_err();
        assert!(matches!(error, SearchError::TooMuch { limit: "search_words_max", max: 64, given: 65 }), "{error:?}");
    }
    let deep = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert!(SearchQuery::parse(SearchSyntax::Query, Language::Simple, &deep(10)).is_ok());
    for text in [deep(11), deep(100_000), "!".repeat(100_000)] {
        let error = SearchQuery::parse(SearchSyntax::Query, Language::Simple, &text).unwrap_err();
        assert!(matches!(error, SearchError::TooMuch { limit: "search_depth_max", .. }), "{error:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_searched_for_or_refused(text in "(\\PC|[ab &|!()<>:*'\"-]){0,40}", over in "[ab ]{0,12}") {
        for syntax in [SearchSyntax::Query, SearchSyntax::Plain, SearchSyntax::Phrase, SearchSyntax::Web] {
            match SearchQuery::parse(syntax, Language::Simple, &text) {
                Ok(query) => drop(query.matches([over.as_str()])),
                Err(_) => prop_assert_eq!(syntax, SearchSyntax::Query),
            }
        }
    }
}
