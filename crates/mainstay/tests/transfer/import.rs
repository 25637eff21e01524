//! Imports.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use mainstay::transfer::{OnConflict, Silent, TransferError, import};

use crate::flaky::Flaky;
use crate::support::{SHOP, World, request};

const ITEMS: &str = "id,title,price,note\n1,\"Lamp, red\",12.5,\n2,Pen,0.30,\"\"\n3,\"Two\nlines\",,fine\n";
const ITEMS_ROWS: &str = "1,\"Lamp, red\",12.50,\n2,Pen,0.30,\"\"\n3,\"Two\nlines\",1.50,fine\n";
const ITEMS_QUERY: &str = "select=id,title,price,note&order=id";

#[tokio::test]
async fn every_form_of_a_file_gives_the_same_rows() {
    let lines = r#"{"id":1,"title":"Lamp, red","price":12.5}
{"id":2,"title":"Pen","price":"0.30","note":""}

{"note":"fine","title":"Two\nlines","id":3}
"#;
    let array = format!("[{}]", lines.trim().replace("\n\n", "\n").replace('\n', ",\n"));
    for (name, text) in [
        ("items.csv", ITEMS),
        ("items.csv.gz", ITEMS),
        ("items.ndjson", lines),
        ("items.jsonl.gz", lines),
        ("items.json", &array),
        ("items.json.gz", &array),
    ] {
        let world = World::new(SHOP);
        let file = world.file(name, text);
        let done = world.import(&request("items", &file)).await.unwrap();
        assert_eq!((done.rows, done.bad, done.records), (3, 0, 3), "{name}");
        assert_eq!(world.rows("items", ITEMS_QUERY).await, ITEMS_ROWS, "{name}");
        let made = world.rows("items", "select=made&made=is.null").await;
        assert_eq!(made, "", "the time of the import is the default");
    }
}

#[tokio::test]
async fn bad_records_are_set_aside_with_their_lines_and_the_rest_goes_on() {
    let world = World::new(SHOP);
    world.import(&request("items", &world.file("first.csv", ITEMS))).await.unwrap();
    let text = "id,title,price,note\n\
        4,Good,1,\n\
        x,No number,1,\n\
        5,\"far too long for this column\",1,\n\
        6,Below,-1,\n\
        7,Short\n\
        2,There already,1,\n\
        8,Good too,1,\n\
        8,Twice,1,\n\
        9,\"open\n";
    let file = world.file("second.csv", text);
    let done = world.import(&request("items", &file)).await.unwrap();
    assert_eq!((done.rows, done.bad, done.records), (2, 7, 9));
    assert_eq!(world.rows("items", "select=id,title&id=gte.4&order=id").await, "4,Good\n8,Good too\n");
    let bad = std::fs::read_to_string(done.bad_file.unwrap()).unwrap();
    let told = [
        (3, "id: invalid input syntax", "x,No number,1,"),
        (4, "title must", "5,\"\"far too long for this column\"\",1,"),
        (5, "price must be at least 0", "6,Below,-1,"),
        (6, "2 fields where the header has 4", "7,Short"),
        (7, "duplicate key value", "2,There already,1,"),
        (9, "duplicate key value", "8,Twice,1,"),
        (10, "a quote is not closed", "9,\"\"open"),
    ];
    let mut rest = bad.strip_prefix("line,reason,record\n").unwrap();
    for (line, reason, record) in told {
        let end = rest.match_indices('\n').map(|(at, _)| at).find(|at| rest[..*at].matches('"').count() % 2 == 0);
        let (entry, after) = rest.split_at(end.unwrap() + 1);
        assert!(entry.starts_with(&format!("{line},")), "{entry} is of line {line}");
        assert!(entry.contains(reason) && entry.contains(record), "{entry}: {reason}: {record}");
        rest = after;
    }
    assert_eq!(rest, "");
}

#[tokio::test]
async fn only_the_rows_with_a_missing_target_are_set_aside() {
    let world = World::new(SHOP);
    world.import(&request("items", &world.file("items.csv", ITEMS))).await.unwrap();
    let rows: String = (0..100).map(|at| if at % 37 == 5 { "99,1\n" } else { "1,2\n" }).collect();
    let mut request = request("sales", &world.file("sales.csv", &format!("item,count\n{rows}")));
    request.batch_records = 64;
    let done = world.import(&request).await.unwrap();
    assert_eq!((done.rows, done.bad), (97, 3));
    let bad = std::fs::read_to_string(done.bad_file.unwrap()).unwrap();
    let lines: Vec<_> = bad.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(lines, ["7", "44", "81"]);
}

#[tokio::test]
async fn an_import_that_was_cut_off_goes_on_exactly_there() {
    for writes in 0..8 {
        let world = World::new(SHOP);
        let rows: String =
            (1..=20).map(|id| if id == 7 { "x,bad,1\n".to_owned() } else { format!("{id},t,1\n") }).collect();
        let request = request("items", &world.file("items.csv", &format!("id,title,price\n{rows}")));
        let flaky = Flaky { inner: world.store.clone(), writes_left: AtomicI64::new(writes) };
        let cut = import(&flaky, &world.schema, &request, &mut Silent).await;
        assert_eq!(cut.is_err(), writes < 6, "five batches and the note of the end");
        let done = world.import(&request).await.unwrap();
        assert_eq!((done.rows, done.bad, done.records), (19, 1, 20), "after {writes} writes");
        assert_eq!(done.resumed_at, u64::try_from(writes.min(5) * 4).unwrap());
        assert_eq!(done.already_done, writes >= 6);
        assert_eq!(world.rows("items", "select=id").await.lines().count(), 19);
        let bad = std::fs::read_to_string(world.folder.path().join("items.csv.bad.csv")).unwrap();
        assert_eq!(bad.lines().count(), 2, "{bad}");
    }
}

#[tokio::test]
async fn a_finished_import_is_not_done_again_unless_asked() {
    let world = World::new(SHOP);
    world.import(&request("items", &world.file("items.csv", ITEMS))).await.unwrap();
    let file = world.file("sales.csv", "item,count\n1,1\n2,1\n");
    let mut request = request("sales", &file);
    assert_eq!(world.import(&request).await.unwrap().rows, 2);
    let moved = world.file("elsewhere.csv", "item,count\n1,1\n2,1\n");
    request.file = moved;
    assert!(world.import(&request).await.unwrap().already_done, "the content counts, not the name");
    request.restart = true;
    assert_eq!(world.import(&request).await.unwrap().rows, 2);
    request.restart = false;
    request.file = world.file("edited.csv", "item,count\n1,1\n3,1\n");
    assert!(!world.import(&request).await.unwrap().already_done);
    assert_eq!(world.rows("sales", "select=id").await.lines().count(), 6);
}

#[tokio::test]
async fn keys_that_are_there_are_skipped_or_merged() {
    let text = "id,title\n1,Lamp\n2,Pen\n";
    let other = "title,id\nNew lamp,1\nBook,3\nBook again,3\n";
    for (on_conflict, expected, rows, skipped) in [
        (OnConflict::Skip, "1,Lamp\n2,Pen\n3,Book\n", 1, 2),
        (OnConflict::Merge, "1,New lamp\n2,Pen\n3,Book again\n", 3, 0),
    ] {
        let world = World::new(SHOP);
        world.import(&request("items", &world.file("a.csv", text))).await.unwrap();
        let mut request = request("items", &world.file("b.csv", other));
        request.on_conflict = on_conflict;
        let done = world.import(&request).await.unwrap();
        assert_eq!((done.rows, done.skipped, done.bad), (rows, skipped, 0), "{on_conflict:?}");
        assert_eq!(world.rows("items", "select=id,title&order=id").await, expected, "{on_conflict:?}");
    }
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_writes_nothing() {
    let world = World::new(SHOP);
    let mut request = request("items", &world.file("items.csv", "id,title\n1,a\nx,b\n3,c\n"));
    request.dry_run = true;
    let done = world.import(&request).await.unwrap();
    assert_eq!((done.rows, done.bad, done.bad_file), (2, 1, None));
    assert_eq!(done.first_bad[0].line, 3);
    assert_eq!(world.rows("items", "").await, "");
    request.dry_run = false;
    assert_eq!(world.import(&request).await.unwrap().resumed_at, 0);
}

#[tokio::test]
async fn fields_may_have_other_names_or_be_left_out() {
    let world = World::new(SHOP);
    let mut request = request("items", &world.file("items.csv", "Nr,title,internal\n1,a,zzz\n"));
    request.map = vec!["Nr=id".to_owned(), "internal=".to_owned()];
    assert_eq!(world.import(&request).await.unwrap().rows, 1);
    assert_eq!(world.rows("items", "select=id,title").await, "1,a\n");
}

#[tokio::test]
async fn what_makes_no_sense_is_told_before_anything_is_read() {
    let check = async |table: &str, name: &str, text: &str, map: &[&str], expected: &str| {
        let world = World::new(SHOP);
        let mut request = request(table, &world.file(name, text));
        request.map = map.iter().map(|part| (*part).to_owned()).collect();
        let error = world.import(&request).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}: {expected}");
    };
    check("item", "a.csv", "id\n", &[], "there is no table \"item\"; did you mean \"items\"?").await;
    check("items", "a.txt", "id\n", &[], "does not say how records lie in it").await;
    check("items", "a.csv", "", &[], "the file is empty").await;
    check("items", "a.csv", "id,titel\n", &[], "has no column \"titel\"; did you mean \"title\"? (--map titel=title)")
        .await;
    check("items", "a.csv", "id\n", &[], "no field for the required \"title\"").await;
    check("items", "a.csv", "id,title,title\n", &[], "two fields go to column \"title\"").await;
    check("items", "a.csv", "id,title\n", &["title"], "write field=column").await;
    check("items", "a.json", "{\"id\":1}", &[], "the file does not begin with [").await;
    check("_mainstay_imports", "a.csv", "id\n", &[], "there is no table").await;
}

#[tokio::test]
async fn too_many_bad_records_stop_an_import() {
    let world = World::new(SHOP);
    let mut request = request("items", &world.file("items.csv", "id,title\n1,a\nx,b\ny,c\n2,d\n"));
    request.bad_max = 1;
    let error = world.import(&request).await.unwrap_err();
    assert!(matches!(error, TransferError::TooManyBad { max: 1, line: 3, .. }), "{error}");
    request.bad_max = 2;
    assert_eq!(world.import(&request).await.unwrap().rows, 2);
}

#[tokio::test]
async fn a_store_that_cannot_write_ends_the_import() {
    let world = World::new(SHOP);
    let flaky = Arc::new(Flaky { inner: world.store.clone(), writes_left: AtomicI64::new(0) });
    let request = request("items", &world.file("items.csv", ITEMS));
    let error = import(&*flaky, &world.schema, &request, &mut Silent).await.unwrap_err();
    assert_eq!(error.to_string(), "the store is unavailable: gone");
}
