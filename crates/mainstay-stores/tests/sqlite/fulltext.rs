//! Full-text indexes in the file: made, changed and removed by migrations, in step whoever writes, and used.

use std::sync::Arc;
use std::time::Instant;

use mainstay_store::{Migration, Store};
use mainstay_stores::sqlite::migrate;
use mainstay_stores::{SqliteOptions, SqliteStore};

use crate::support::{Shop, schema};

const OLD: &str = r#"
[notes.fields]
id = { type = "uuid", primary = true }
head = "text"
body = { type = "text", optional = true }
[notes.indexes]
search = { fulltext = ["head", "body"], language = "english" }

[links]
primary = ["a", "b"]
[links.fields]
a = "int"
b = "text"
label = "text"
"#;

const IDS: [&str; 2] = ["0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002"];

async fn migrated(shop: &mut Shop, text: &str) -> String {
    let new = schema(text);
    let plan = migrate::plan(&shop.schema, &new);
    migrate::prove(&shop.schema, &new, &plan.sql).unwrap_or_else(|why| panic!("{why:#?}\n{}", plan.sql));
    let name = format!("version {}", uuid_like(&plan.sql));
    shop.store.migrate(Migration { name, sql: plan.sql.clone(), schema: new.to_json() }).await.unwrap();
    shop.schema = new;
    assert_eq!(shop.store.drift(shop.schema.clone()).await.unwrap(), Vec::<String>::new());
    plan.steps.join("; ")
}

/// Names of migrations are unique.
fn uuid_like(sql: &str) -> String {
    format!("{} {:?}", sql.len(), Instant::now())
}

async fn started() -> Shop {
    let nothing = Arc::new(mainstay_schema::Schema::default());
    let mut shop = Shop { store: SqliteStore::open_temporary().unwrap(), schema: nothing };
    migrated(&mut shop, OLD).await;
    let rows = [format!("{}|The running cats|NULL", IDS[0]), format!("{}|Dogs|and a cat", IDS[1])];
    shop.insert("notes", "id,head,body", &rows.each_ref().map(String::as_str)).await;
    shop.insert("links", "a,b,label", &["1|x|a cat", "2|y|a dog"]).await;
    shop
}

/// Changes the schema; the cats must still be found.
async fn check(from: &str, to: &str, query: &str, steps: &str) {
    let mut shop = started().await;
    let mut text = OLD.replace(from, to);
    if to.contains("[memos]") {
        text = text.replace("[notes.", "[memos.");
    }
    if to.contains("title =") {
        text = text.replace("[\"head\",", "[\"title\",");
    }
    assert_ne!(text, OLD, "{from}");
    assert_eq!(migrated(&mut shop, &text).await, steps);
    let table = if text.contains("[memos.fields]") { "memos" } else { "notes" };
    let expected = format!("({}),({})", IDS[0], IDS[1]);
    assert_eq!(shop.read(table, query).await, expected, "{to}");
    let id = "0198c0de-0000-7000-8000-000000000003";
    let column = if text.contains("title =") { "title" } else { "head" };
    shop.insert(table, &format!("id,{column},body"), &[&format!("{id}|one more cat|dog")]).await;
    assert!(shop.read(table, query).await.ends_with(&format!(",({id})")), "{to}");
}

#[tokio::test]
async fn migrations_keep_the_words_with_their_rows() {
    let index = r#"search = { fulltext = ["head", "body"], language = "english" }"#;
    check(
        index,
        r#"found = { fulltext = ["body", "head"], language = "simple" }"#,
        "select=id&or=(found.fts.cats,found.fts.cat)&order=id",
        "drop full-text index search of notes; add full-text index found: notes (body, head), simple",
    )
    .await;
    check(
        index,
        &format!("{index}\nplain = {{ fulltext = [\"head\"] }}"),
        "select=id&or=(search.fts.cat,head.fts(simple).cats)&order=id",
        "add full-text index plain: notes (head), simple",
    )
    .await;
    check(
        "head = \"text\"",
        "title = { type = \"text\", was = \"head\" }",
        "select=id&search=fts.cat&order=id",
        "rename field notes.head to title",
    )
    .await;
}

#[tokio::test]
async fn tables_that_are_renamed_or_made_anew_take_their_words_along() {
    check(
        "[notes.fields]",
        "[memos]\nwas = \"notes\"\n[memos.fields]",
        "select=id&search=fts.cat&order=id",
        "rename table notes to memos",
    )
    .await;
    check(
        "head = \"text\"\nbody = { type = \"text\", optional = true }",
        "head = \"text\"\nbody = { type = \"text\", default = \"cat\" }",
        "select=id&search=fts.cat&order=id",
        "change field notes.body: optional to required",
    )
    .await;
}

#[tokio::test]
async fn an_index_comes_to_a_table_that_is_kept_by_its_key_and_goes_again() {
    let mut shop = started().await;
    let with = format!("{OLD}[links.indexes]\nwords = {{ fulltext = [\"label\"] }}\n");
    migrated(&mut shop, &with).await;
    assert_eq!(shop.read("links", "select=a&label=fts.cat").await, "(1)");
    shop.insert("links", "a,b,label", &["3|z|cat"]).await;
    assert_eq!(shop.read("links", "select=a&label=fts.cat").await, "(1),(3)");
    migrated(&mut shop, OLD).await;
    assert_eq!(shop.read("links", "select=a,b").await, "(1,\"x\"),(2,\"y\"),(3,\"z\")");
    // And with its table.
    let without = &OLD[OLD.find("[links]").unwrap()..];
    migrated(&mut shop, without).await;
    assert_eq!(shop.read("links", "select=a").await, "(1),(2),(3)");
}

/// Makes a store over a file of its own, so that other programs can come to it.
async fn in_file(folder: &tempfile::TempDir) -> (Shop, std::path::PathBuf) {
    let path = folder.path().join("main.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let mut shop = Shop { store, schema: Arc::new(mainstay_schema::Schema::default()) };
    migrated(&mut shop, OLD).await;
    (shop, path)
}

#[tokio::test]
async fn what_another_program_writes_is_found_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, path) = in_file(&folder).await;
    shop.insert("notes", "id,head", &[&format!("{}|a cat", IDS[0])]).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("INSERT INTO notes (id, head) VALUES (?, 'more cats')", [IDS[1]]).unwrap();
    other.execute("UPDATE notes SET head = 'a dog' WHERE id = ?", [IDS[0]]).unwrap();
    let found = |query: &'static str| shop.read("notes", query);
    assert_eq!(found("select=id&head=fts.cat").await, format!("({})", IDS[1]));
    assert_eq!(found("select=id&head=fts.dog").await, format!("({})", IDS[0]));
    assert_eq!(found("select=id&head=not.fts.cat").await, format!("({})", IDS[0]));
    // The next write of ours brings what is due.
    shop.insert("notes", "id,head", &["0198c0de-0000-7000-8000-000000000003|bird"]).await;
    let due: i64 =
        other.query_row("SELECT count(*) FROM \"_mainstay_fts.notes.search.due\"", [], |row| row.get(0)).unwrap();
    assert_eq!(due, 0);
    assert_eq!(found("select=id&search=fts.cat").await, format!("({})", IDS[1]));
}

#[tokio::test]
async fn rows_keep_their_words_when_the_file_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, path) = in_file(&folder).await;
    let id = |number: usize| format!("0198c0de-0000-7000-8000-{number:012}");
    let rows: Vec<String> = (0..200).map(|number| format!("{}|word{number}", id(number))).collect();
    shop.insert("notes", "id,head", &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("DELETE FROM notes WHERE head < 'word15'", []).unwrap();
    let copy = folder.path().join("copy.db");
    other.execute("VACUUM INTO ?", [copy.to_str().unwrap()]).unwrap();
    other.execute_batch("VACUUM").unwrap();
    drop(other);
    let copied =
        Shop { store: SqliteStore::open(&copy, SqliteOptions::default()).unwrap(), schema: shop.schema.clone() };
    for shop in [&shop, &copied] {
        for number in [15, 99, 160, 199] {
            let query = format!("select=id&head=fts.word{number}");
            let expected =
                if format!("word{number}").as_str() < "word15" { String::new() } else { format!("({})", id(number)) };
            assert_eq!(shop.read("notes", &query).await, expected, "{number}");
        }
        assert_eq!(shop.store.drift(shop.schema.clone()).await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_missing_part_of_an_index_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, path) = in_file(&folder).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("DROP TRIGGER \"_mainstay_fts.notes.search.update\"").unwrap();
    assert_eq!(
        shop.store.drift(shop.schema.clone()).await.unwrap(),
        ["part of a full-text index, _mainstay_fts.notes.search.update is missing"]
    );
}

#[tokio::test]
async fn a_search_goes_by_the_rows_that_the_index_finds() {
    let shop = started().await;
    for (query, expected) in [
        ("search=fts.cat", "SCAN _mainstay_fts.notes.search.words VIRTUAL TABLE INDEX"),
        ("head=wfts.cat&body=is.null", "SEARCH t0 USING INTEGER PRIMARY KEY (rowid=?)"),
    ] {
        let plan = shop.plan("notes", query, mainstay_query::request::Count::None);
        let explained = shop.store.explain(shop.call(), plan).await.unwrap();
        assert!(explained.details.iter().any(|line| line.contains(expected)), "{query}: {:#?}", explained.details);
        let scans = |line: &String| line.contains("SCAN t0") || line.contains("SCAN t1");
        assert!(!explained.details.iter().any(scans), "{query}: {:#?}", explained.details);
    }
}

/// The deepest query that is taken is one that FTS5 takes, and so is the longest.
#[tokio::test]
async fn the_largest_searches_can_be_carried_out() {
    let shop = started().await;
    let deep = (0..10).fold("cat".to_owned(), |inner, level| format!("(a{level} | b & {inner})"));
    let wide = (0..32).map(|number| format!("(w{number} & v{number})")).collect::<Vec<_>>().join("|");
    let words = |sign: &str| (0..64).map(|number| format!("w{number}")).collect::<Vec<_>>().join(sign);
    let any = (0..63).map(|number| format!("w{number}")).collect::<Vec<_>>().join("|");
    for search in [deep, wide, words("<2>"), words("&"), words("|"), format!("cat<->({any})")] {
        let encoded = search.replace(' ', "+").replace('&', "%26").replace('<', "%3C").replace('>', "%3E");
        assert_eq!(shop.read("notes", &format!("select=id&search=fts.{encoded}")).await, "", "{search}");
    }
}
