//! Full-text search: each store finds the rows that the evaluator says.

use mainstay_query::evaluate::{self, SearchQuery};
use mainstay_query::plan::{Assign, Filter, Join, Search, Update, Write};
use mainstay_query::request::SearchSyntax;
use mainstay_schema::{Language, TableId, Type, Value, ValueError};

use super::Open;
use super::kit::{Stage, show};
use super::plans::{Of, not};
use super::tables::{TableBuilder, table};

/// Texts that have words in common, in two columns.
pub(super) const TEXTS: [(&str, &str); 10] = [
    ("The fat cats ate rats", "null"),
    ("null", "A cat and a fat rat"),
    ("null", "null"),
    ("", "..."),
    ("fat fat dog", "cat food, 3.5 kg"),
    ("Crêpe pan", "CREPE PAN for crepes"),
    ("日本語の本", "running dogs"),
    ("cat dog cat rat cat", "dog"),
    ("a_b-c \"d\" (e)", "*"),
    ("rat", "ate the dog's food"),
];

/// Searches in the query language.
pub(super) const QUERIES: [&str; 24] = [
    "cat",
    "cats & rat",
    "cat | dog",
    "!cat",
    "cat & !dog",
    "!cat & !dog",
    "!(cat | dog)",
    "cat | !dog",
    "fa:*",
    "fat <-> cat",
    "cat <2> cat",
    "cat <2> rat",
    "'fat dog' | crepe",
    "fat <-> (cat | dog)",
    "fat <-> !cat",
    "cat <-> fo:*",
    "fo:* <-> kg",
    "ca:* & !'cat dog'",
    "日本",
    "本 <-> 語",
    "",
    "...",
    "dog <-> cat | pan",
    "(a | b) & (e | !d)",
];

fn notes() -> [TableBuilder; 1] {
    [table("notes")
        .required("id", Type::Int)
        .optional("head", Type::Text)
        .optional("body", Type::Text)
        .primary("id")
        .fulltext("all", "head body", Language::English)
        .fulltext("plain", "body", Language::Simple)]
}

async fn filled(open: &dyn Open) -> Stage {
    filled_with(open, &TEXTS).await
}

async fn filled_with(open: &dyn Open, texts: &[(&str, &str)]) -> Stage {
    let stage = Stage::open(open, &notes()).await;
    let rows: Vec<String> = (1..).zip(texts).map(|(id, (head, body))| format!("{id}|{head}|{body}")).collect();
    stage.fill("notes", "id head body", &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage
}

/// A search of some columns, by one of the table's indexes.
pub(super) fn search(of: Of<'_>, index: usize, columns: &str, syntax: SearchSyntax, text: &str) -> Filter {
    let columns = columns.split_whitespace().map(|column| of.id(column)).collect();
    let query = SearchQuery::parse(syntax, of.table.fulltexts[index].language, text).expect("a search");
    Filter::Search(Search { index, columns, query })
}

/// Sets one column to a text with blanks in it.
fn update(of: Of<'_>, column: &str, text: &str, filter: Filter) -> Update {
    let mut update = of.update("", filter);
    update.set.push((of.id(column), Assign::Value(Value::Text(text.to_owned()))));
    update
}

async fn ids(stage: &Stage, filter: Filter) -> String {
    let found = stage.read(stage.of("notes").read().select("id").filter(filter)).await;
    show(&found.rows).replace(['(', ')'], "")
}

struct NoLinks;

impl evaluate::Related for NoLinks {
    fn any(
        &self,
        _: &Join,
        _: &[Value],
        _: TableId,
        _: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError> {
        Ok(false)
    }
}

/// Texts of plain words, of which every engine has the same idea.
const PLAIN_TEXTS: [(&str, &str); 6] = [
    ("red apple", "null"),
    ("null", "green apple tree"),
    ("null", "null"),
    ("red tree", "blue apple"),
    ("apple red green", "tree"),
    ("", "tree tree"),
];

/// Searches among them.
const PLAIN_QUERIES: [&str; 11] = [
    "apple",
    "red & apple",
    "red | blue",
    "!apple",
    "apple & !red",
    "ap:*",
    "red <-> apple",
    "apple <2> green",
    "tree <-> blue",
    "tree <-> tree",
    "(red | green) & !(blue | apple)",
];

/// Checks every search over these rows, also under `not`, against the evaluator.
async fn check_all(stage: &Stage, rows: &[(i64, &str, &str)]) {
    check(stage, rows, &QUERIES, &["fat cat", "the cats", "-cat", "dog or \"fat cat\" -rat"]).await;
}

async fn check(stage: &Stage, rows: &[(i64, &str, &str)], queries: &[&str], words: &[&str]) {
    let notes = stage.of("notes");
    let text = |text: &str| if text == "null" { Value::Null } else { Value::Text(text.to_owned()) };
    let rows: Vec<[Value; 3]> = rows.iter().map(|(id, head, body)| [Value::Int(*id), text(head), text(body)]).collect();
    let syntaxes = [SearchSyntax::Plain, SearchSyntax::Phrase, SearchSyntax::Web];
    for (index, columns) in [(0, "head body"), (0, "head"), (0, "body"), (1, "body")] {
        let queries = queries.iter().map(|text| search(notes, index, columns, SearchSyntax::Query, text));
        let others =
            syntaxes.iter().flat_map(|syntax| words.iter().map(|text| search(notes, index, columns, *syntax, text)));
        for filter in queries.chain(others) {
            for filter in [filter.clone(), not(filter.clone()), Filter::Or(vec![filter, notes.eq("id", "3")])] {
                let passes = |row: &&[Value; 3]| evaluate::filter(&NoLinks, *row, &filter) == Ok(Some(true));
                let expected: Vec<String> = rows.iter().filter(passes).filter_map(|row| row[0].to_text()).collect();
                assert_eq!(ids(stage, filter.clone()).await, expected.join(" "), "{filter:?}");
            }
        }
    }
}

/// The four syntaxes, on one column and on all of an index, with null and without words.
pub async fn every_search_finds_what_the_evaluator_says(open: &dyn Open) {
    let stage = filled_with(open, &PLAIN_TEXTS).await;
    let rows: Vec<_> = (1..).zip(PLAIN_TEXTS).map(|(id, (head, body))| (id, head, body)).collect();
    check(&stage, &rows, &PLAIN_QUERIES, &["red apple", "apples", "-apple"]).await;
    if stage.store.capabilities().own_words {
        return;
    }
    let stage = filled(open).await;
    let rows: Vec<_> = (1..).zip(TEXTS).map(|(id, (head, body))| (id, head, body)).collect();
    check_all(&stage, &rows).await;
}

/// What is inserted, changed, moved to another key and deleted is found as it is, within a transaction too.
pub async fn searches_keep_in_step(open: &dyn Open) {
    let stage = filled(open).await;
    let notes = stage.of("notes");
    stage.write(update(notes, "head", "cat food", notes.eq("id", "1"))).await;
    stage.write(notes.update("id=30", notes.eq("id", "10"))).await;
    stage.write(notes.delete(notes.eq("id", "5"))).await;
    stage.fill("notes", "id head body", &["5|new cats|null"]).await;
    let dogs = search(notes, 0, "head body", SearchSyntax::Plain, "dog");
    // The second write of the batch sees what the first did, and so does the third.
    stage
        .write(Write::Batch(vec![
            Write::Update(update(notes, "body", "a fat dog", notes.eq("id", "2"))),
            Write::Update(update(notes, "head", "the rat", dogs.clone())),
            Write::Delete(notes.delete(search(notes, 0, "head", SearchSyntax::Plain, "pan"))),
        ]))
        .await;
    assert_eq!(ids(&stage, dogs).await, "2 7 8 30");
    assert_eq!(ids(&stage, search(notes, 0, "head", SearchSyntax::Plain, "rats")).await, "2 7 8 30");
    if stage.store.capabilities().own_words {
        return;
    }
    check_all(
        &stage,
        &[
            (1, "cat food", "null"),
            (2, "the rat", "a fat dog"),
            (3, "null", "null"),
            (4, "", "..."),
            (5, "new cats", "null"),
            (7, "the rat", "running dogs"),
            (8, "the rat", "dog"),
            (9, "a_b-c \"d\" (e)", "*"),
            (30, "the rat", "ate the dog's food"),
        ],
    )
    .await;
}

/// A write that is undone leaves nothing to be found.
pub async fn searches_forget_what_was_undone(open: &dyn Open) {
    let stage = filled(open).await;
    let notes = stage.of("notes");
    let failed = stage.try_write(notes.insert("id head", &["50|unicorn", "1|unicorn"])).await;
    assert!(failed.is_err());
    assert_eq!(ids(&stage, search(notes, 0, "head", SearchSyntax::Plain, "unicorn")).await, "");
}
