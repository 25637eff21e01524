use super::*;
use crate::found::{FoundColumn, FoundTable};
use crate::ids::ColumnId;
use crate::model::{Column, TableKind};
use crate::types::Type;

/// A collection of another program: `events` with an object id as its key, and a customer.
fn events() -> Schema {
    let id = Column { texts: Texts::ObjectIds, optional: false, ..Column::new(ColumnId(0), "_id", Type::Text) };
    let customer = Column::new(ColumnId(1), "customer", Type::Text);
    let table = Table {
        primary_key: vec![ColumnId(0)],
        ..Table::new(TableId(0), "events", TableKind::Table, vec![id, customer])
    };
    let about = FoundTable { columns: vec![FoundColumn::default(); 2], ..FoundTable::default() };
    Schema::of_found(vec![table], Found { tables: vec![about], ..Found::default() })
}

/// Tables of another program: a key of two columns and no primary one, no key at all, and a view with one.
fn others() -> Schema {
    let columns = || {
        let (a, b) = (Column::new(ColumnId(0), "a", Type::Int), Column::new(ColumnId(1), "b", Type::Int));
        vec![Column { optional: false, ..a }, Column { optional: false, ..b }]
    };
    let table = |at, name| Table::new(TableId(at), name, TableKind::Table, columns());
    let key = Key { name: "pairs_key".into(), columns: vec![ColumnId(0), ColumnId(1)] };
    let tables = vec![
        Table { uniques: vec![key], ..table(0, "pairs") },
        table(1, "bare"),
        Table { primary_key: vec![ColumnId(0)], ..table(2, "shown") },
    ];
    let about = |is_view| FoundTable { is_view, columns: vec![FoundColumn::default(); 2], ..FoundTable::default() };
    Schema::of_found(tables, Found { tables: vec![about(false), about(false), about(true)], ..Found::default() })
}

fn loaded(text: &str) -> Result<Schema, Vec<String>> {
    loaded_beside(&events(), text)
        .map_err(|mistakes| mistakes.iter().map(|one| format!("{}; {}", one.problem, one.remedy)).collect())
}

fn loaded_beside(found: &Schema, text: &str) -> Result<Schema, Vec<Mistake>> {
    let file = SourceFile { path: "schema/a.toml".into(), text: text.to_owned() };
    let access = Access { read: Rule::Always, ..Access::default() };
    let found = FoundPart { schema: found, access: &access, call: Rule::Never };
    let stores = [
        StorePart { name: None, found: None },
        StorePart { name: Some("docs"), found: None },
        StorePart { name: Some("log"), found: Some(found) },
    ];
    load_stores(&[file], &stores)
}

const CUSTOMERS: &str = "[customers.fields]\nid = { type = \"uuid\", primary = true }\n";

#[test]
fn each_table_is_of_the_store_that_it_names() {
    let schema =
        loaded(&format!("{CUSTOMERS}[reviews]\nstore = \"docs\"\n[reviews.fields]\ntext = \"text\"\n")).unwrap();
    let stores: Vec<_> = schema.tables().iter().map(|table| (&*table.name, table.store.as_deref())).collect();
    assert_eq!(
        stores,
        [
            ("customers", None),
            ("reviews", Some("docs")),
            ("_mainstay_imports", None),
            ("_mainstay_imports_docs", Some("docs")),
            ("events", Some("log")),
        ]
    );
    let events = schema.find("events").unwrap();
    assert_eq!((events.access.read, events.columns[0].texts), (Rule::Always, Texts::ObjectIds));
    assert!(schema.found().unwrap().table(events.id).is_some());
    assert!(schema.seen_by(None).unwrap().found().is_none());
    assert!(schema.seen_by(Some("log")).unwrap().found().is_some());
    let own = schema.only(Some("docs"));
    assert_eq!(
        own.tables().iter().map(|table| &*table.name).collect::<Vec<_>>(),
        ["reviews", "_mainstay_imports_docs"]
    );
    assert!(own.found().is_none() && own.tables().iter().all(|table| table.store.is_none()));
    assert!(schema.only(Some("log")).found().is_some());
}

#[test]
fn references_to_other_stores_are_kept_apart() {
    let text = format!(
        "{CUSTOMERS}[reviews]\nstore = \"docs\"\n[reviews.fields]\ncustomer_id = {{ ref = \"customers\" }}\n\
         event = {{ ref = \"events\", optional = true }}\n[events]\nstore = \"log\"\n\
         [events.fields]\ncustomer = {{ ref = \"customers\", convert = \"text->uuid\" }}\n"
    );
    let schema = loaded(&text).unwrap();
    let far = |table: &str| {
        let table = schema.find(table).unwrap();
        assert!(table.references.is_empty());
        let told = |one: &Reference| format!("{} {}", one.name, schema.table(one.target).name);
        table.far_references.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(far("reviews"), ["reviews_customer_id_fkey customers", "reviews_event_fkey events"]);
    assert_eq!(far("events"), ["events_customer_fkey customers"]);
    let reviews = schema.find("reviews").unwrap();
    assert_eq!(reviews.columns[1].ty, Type::Uuid, "the type comes from the key");
    assert_eq!((&reviews.columns[2].ty, reviews.columns[2].texts), (&Type::Text, Texts::Plain));
    assert!(schema.only(Some("docs")).tables().iter().all(|table| table.far_references.is_empty()));
    let read = Schema::from_json(&schema.to_json()).unwrap();
    assert_eq!(read.find("events").unwrap().far_references, schema.find("events").unwrap().far_references);
}

#[test]
fn a_found_table_may_refer_to_another_that_its_database_does_not_link() {
    let schema = loaded("[events]\nstore = \"log\"\n[events.fields]\ncustomer = { ref = \"events\" }").unwrap();
    let events = schema.find("events").unwrap();
    assert_eq!((events.references.len(), events.far_references[0].target), (0, events.id));
    let file =
        SourceFile { path: "a.toml".into(), text: "[events.fields]\ncustomer = { ref = \"events\" }".to_owned() };
    let alone = overlay::overlay(&[file], &self::events(), &Access::default(), Rule::Never).unwrap();
    assert_eq!(alone.find("events").unwrap().far_references.len(), 1);
}

#[test]
fn what_cannot_be_is_told() {
    for (text, expected) in [
        (
            "[reviews]\nstore = \"docz\"\n[reviews.fields]\ntext = \"text\"",
            "`reviews` is kept by `docz`, and there is no such store; did you mean `docs`?",
        ),
        // Nothing else is said of what is kept nowhere.
        (
            "[reviews]\nstore = \"docz\"\n[reviews.fields]\ntext = \"text\"\n[a.fields]\nreview = { ref = \"reviews\" }",
            "`reviews` is kept by `docz`, and there is no such store; did you mean `docs`?",
        ),
        (
            "[events]\nstore = \"log\"\n[events.fields]\ncustomer = { convert = \"text->uuid\" }",
            "`convert` without `ref`; add ref = \"table\", or remove it",
        ),
        (
            "[a.fields]\nevent = { type = \"text\", convert = \"text->uuid\" }",
            "`convert` without `ref`; add ref = \"table\", or remove it",
        ),
        (
            "[a.fields]\nevent = { type = \"uuid\", ref = \"events\" }",
            "`event` is uuid, but `events._id`, which it references, is text; write convert = \"uuid->text\", or make both \
             the same type",
        ),
        (
            "[a.fields]\nevent = { type = \"uuid\", ref = \"events\", convert = \"uuid->int\" }",
            "`convert` cannot be \"uuid->int\"; write convert = \"uuid->objectid\"",
        ),
        (
            "[a.fields]\nevent = { type = \"date\", ref = \"events\", convert = \"date->objectid\" }",
            "values of date and text cannot be compared exactly; make the field text",
        ),
        (
            "[a.fields]\nb = { ref = \"b\", convert = \"uuid->uuid\" }\n[b.fields]\nx = \"int\"",
            "`b` is of the same store, whose references convert nothing; remove `convert`",
        ),
        (
            "[a.fields]\nevent = { ref = \"events\", on_delete = \"cascade\" }",
            "`on_delete` leads to another store, where nobody carries it out; remove it: this reference only tells how to embed",
        ),
        (
            "[events]\nstore = \"log\"\n[events.references]\nx = { fields = [\"customer\"], table = \"events\", on_delete = \"cascade\" }",
            "`on_delete` is for the database to carry out, which does not know this reference; remove it: this reference only \
             tells how to embed",
        ),
        (
            "[events.fields]\nx = \"int\"",
            "the stores `main` and `log` both have a table `events`; hide one: [events] with store = \"log\" and hide = true",
        ),
        (
            "[events]\nstore = \"log\"\nprimary = [\"_id\"]",
            "unknown key `primary` in a table that is served as it was found; the keys of a table that is served as it was \
             found are `description`, `hide`, `access`, `fields`, `store` and `references`",
        ),
    ] {
        assert_eq!(loaded(text).unwrap_err(), [expected], "{text}");
    }
}

/// Rows of found tables are found by the keys that their database has.
#[test]
fn references_to_found_tables_lead_to_keys() {
    let far = |text: &str| {
        let schema = loaded_beside(&others(), text).unwrap_or_else(|mistakes| panic!("{}", mistakes[0]));
        schema.find("a").unwrap().far_references.len()
    };
    let pair = "[a.references]\nother = { fields = [\"x\", \"y\"], table = \"pairs\", to = [\"a\", \"b\"] }";
    assert_eq!(far(&format!("[a.fields]\nx = \"int\"\ny = \"int\"\n{pair}")), 1);
    assert_eq!(far("[a.fields]\nx = { ref = \"shown\" }"), 1, "it only tells how to embed");
    for (text, expected) in [
        ("x = { ref = \"pairs.a\" }", "`a` of `pairs` is not a key; reference a key that it has: `a` and `b`"),
        (
            "x = { ref = \"bare.a\" }",
            "`a` of `bare` is not a key; it has no key by which a row could be found; make one in its database",
        ),
        ("x = { ref = \"bare\" }", "the table `bare` has no primary key; write ref = \"bare.field\""),
    ] {
        let mistakes = loaded_beside(&others(), &format!("[a.fields]\n{text}")).unwrap_err();
        let told: Vec<String> = mistakes.iter().map(|one| format!("{}; {}", one.problem, one.remedy)).collect();
        assert_eq!(told, [expected], "{text}");
    }
}

#[test]
fn a_clash_is_told_where_the_table_is_declared() {
    let mistakes = loaded_beside(&events(), "[a.fields]\nx = \"int\"\n\n[events.fields]\nx = \"int\"").unwrap_err();
    assert_eq!(mistakes.iter().map(|one| (one.line, one.column)).collect::<Vec<_>>(), [(4, 2)]);
}
