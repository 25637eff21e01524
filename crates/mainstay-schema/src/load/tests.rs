use super::*;
use crate::Language;
use crate::ids::{ColumnId, TableId};
use crate::model::{DefaultValue, IndexColumn, ReferenceAction, Rule, Table, TableKind};
use crate::types::{Format, Type};
use crate::value::Value;

fn files(texts: &[(&str, &str)]) -> Vec<SourceFile> {
    texts.iter().map(|(path, text)| SourceFile { path: path.into(), text: (*text).to_owned() }).collect()
}

fn good(text: &str) -> Schema {
    load(&files(&[("a.toml", text)])).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn mistakes(texts: &[(&str, &str)]) -> Vec<String> {
    load(&files(texts)).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn names(table: &Table, columns: &[ColumnId]) -> Vec<String> {
    columns.iter().map(|column| table.column(*column).name.to_string()).collect()
}

/// The example of the design, with the constants that stand in for its rules.
const SHOP: &str = r#"
[customers.fields]
email = { type = "text", format = "email", unique = true }
name  = "text"

[orders]
description = "What a customer bought."

[orders.fields]
customer_id = { ref = "customers", on_delete = "cascade" }   # type comes from the referenced key
status      = { enum = ["new", "paid", "shipped"], default = "new" }
total       = { type = "decimal(12,2)", min = 0 }
note        = { type = "text", max = 2000, optional = true }
placed_at   = { type = "timestamp", default = "now" }

[orders.indexes]
by_customer = ["customer_id", "placed_at desc"]

[orders.access]
read   = true
create = "true"
update = false
"#;

#[test]
fn the_example_of_the_design() {
    let schema = good(SHOP);
    let customers = schema.find("customers").unwrap();
    assert_eq!(names(customers, &customers.primary_key), ["id"]);
    assert_eq!(customers.columns[0].ty, Type::Uuid);
    assert_eq!(customers.columns[0].default, Some(DefaultValue::Uuid7));
    assert_eq!(&*customers.uniques[0].name, "customers_email_key");
    assert_eq!(customers.find_column("email").unwrap().checks.format, Some(Format::Email));

    let orders = schema.find("orders").unwrap();
    assert_eq!(orders.description.as_deref(), Some("What a customer bought."));
    let types: Vec<String> = orders.columns.iter().map(|column| format!("{} {}", column.name, column.ty)).collect();
    let expected =
        ["id uuid", "customer_id uuid", "status text", "total decimal(12,2)", "note text", "placed_at timestamp"];
    assert_eq!(types, expected);
    let reference = &orders.references[0];
    assert_eq!((&*reference.name, reference.target), ("orders_customer_id_fkey", customers.id));
    assert_eq!((reference.on_delete, reference.on_update), (ReferenceAction::Cascade, ReferenceAction::Restrict));
    let status = orders.find_column("status").unwrap();
    assert_eq!(status.default, Some(DefaultValue::Literal(Value::Text("new".into()))));
    assert_eq!(status.checks.variants.len(), 3);
    assert_eq!(orders.find_column("total").unwrap().checks.min.as_ref().and_then(Value::to_text).unwrap(), "0.00");
    assert!(orders.find_column("note").unwrap().optional);
    assert_eq!(&*orders.indexes[0].name, "orders_by_customer");
    let by_customer = [(1, false), (5, true)].map(|(at, descending)| IndexColumn { column: ColumnId(at), descending });
    assert_eq!(orders.indexes[0].columns, by_customer);
    let access = &orders.access;
    assert_eq!(
        [access.read, access.create, access.update, access.delete],
        [Rule::Always, Rule::Always, Rule::Never, Rule::Never]
    );
}

#[test]
fn internal_tables_come_last() {
    let schema = load(&[]).unwrap();
    let [imports] = schema.tables() else { panic!("one internal table") };
    assert!(imports.internal && &*imports.name == "_mainstay_imports");
    assert_eq!(good(SHOP).tables().last().unwrap().name, imports.name);
}

#[test]
fn every_type_and_list() {
    let words = [
        "bool",
        "int",
        "bigint",
        "float",
        "decimal(5,1)",
        "text",
        "uuid",
        "bytes",
        "date",
        "time",
        "timestamp",
        "json",
    ];
    let fields: String =
        words.iter().enumerate().map(|(at, ty)| format!("a{at} = \"{ty}\"\nb{at} = \"{ty}[]\"\n")).collect();
    let schema = good(&format!("[t.fields]\n{fields}"));
    let found: Vec<String> = schema.tables()[0].columns[1..].iter().map(|column| column.ty.to_string()).collect();
    let expected: Vec<String> = words.iter().flat_map(|ty| [(*ty).to_owned(), format!("{ty}[]")]).collect();
    assert_eq!(found, expected);
}

#[test]
fn types_follow_references_to_their_end_across_files() {
    let schema = load(&files(&[
        ("z.toml", "[b.fields]\nc = { ref = \"c.code\", primary = true }"),
        ("a.toml", "[a.fields]\nb = { ref = \"b\", optional = true, on_delete = \"set null\" }\nboss = { ref = \"a\", optional = true }"),
        ("m.toml", "[c.fields]\ncode = { type = \"decimal(8,0)\", unique = true }"),
    ]))
    .unwrap();
    let order: Vec<&str> = schema.tables().iter().map(|table| &*table.name).collect();
    assert_eq!(order, ["a", "c", "b", "_mainstay_imports"]);
    let a = schema.find("a").unwrap();
    assert_eq!(a.find_column("b").unwrap().ty, Type::Decimal { precision: 8, scale: 0 });
    assert_eq!(a.find_column("boss").unwrap().ty, Type::Uuid);
    assert_eq!(a.references[1].target, a.id);
    assert_eq!(a.references[0].on_delete, ReferenceAction::SetNull);
}

#[test]
fn tables_may_reference_each_other() {
    let schema =
        good("[a.fields]\nb = { ref = \"b\", optional = true }\n[b.fields]\na = { ref = \"a\", optional = true }");
    assert_eq!(schema.tables()[0].references[0].target, TableId(1));
    assert_eq!(schema.tables()[1].references[0].target, TableId(0));
}

#[test]
fn composite_keys_and_references() {
    let schema = good(
        "[lines]\nprimary = [\"order_no\", \"line\"]\n[lines.fields]\norder_no = \"int\"\nline = \"int\"\nsku = \"text\"\n\
         [lines.unique]\nsku_once = [\"order_no\", \"sku\"]\n\
         [notes.fields]\nno = { type = \"int\", primary = true }\nline = { type = \"int\", primary = true }\nsku = \"text\"\n\
         [notes.references]\nline = { fields = [\"no\", \"line\"], table = \"lines\", on_delete = \"cascade\" }\n\
         sku = { fields = [\"no\", \"sku\"], table = \"lines\", to = [\"order_no\", \"sku\"] }",
    );
    let lines = schema.find("lines").unwrap();
    assert_eq!(names(lines, &lines.primary_key), ["order_no", "line"]);
    assert_eq!(
        (&*lines.uniques[0].name, names(lines, &lines.uniques[0].columns)),
        ("lines_sku_once", vec!["order_no".to_owned(), "sku".to_owned()])
    );
    let notes = schema.find("notes").unwrap();
    assert_eq!(names(notes, &notes.primary_key), ["no", "line"]);
    assert_eq!(&*notes.references[0].name, "notes_line");
    assert_eq!(names(lines, &notes.references[0].target_columns), ["order_no", "line"]);
    assert_eq!(names(lines, &notes.references[1].target_columns), ["order_no", "sku"]);
}

#[test]
fn indexes_of_all_kinds() {
    let schema = good(
        "[t.fields]\na = \"int\"\n\"b desc\" = \"int\"\n[t.indexes]\nplain = [\"a\", \"b desc\"]\n\
         down = [\"b desc desc\", \"a asc\"]\npart = { on = [\"a DESC\"], unique = true, where = \"a > 0\" }",
    );
    let table = &schema.tables()[0];
    let shown: Vec<Vec<(u32, bool)>> = table
        .indexes
        .iter()
        .map(|index| index.columns.iter().map(|column| (column.column.0, column.descending)).collect())
        .collect();
    assert_eq!(shown, [vec![(1, false), (2, false)], vec![(2, true), (1, false)], vec![(1, true)]]);
    assert!(table.indexes[2].unique && table.indexes[2].condition.as_deref() == Some("a > 0"));
}

#[test]
fn full_text_indexes_and_what_is_wrong_with_them() {
    let schema = good(
        "[t.fields]\na = \"text\"\nb = { enum = [\"x\"] }\n[t.indexes]\nwords = { fulltext = [\"b\", \"a\"], language = \"german\" }\n\
         plain = { fulltext = [\"a\"] }\nby_a = [\"a\"]",
    );
    let table = &schema.tables()[0];
    assert_eq!(table.indexes.len(), 1);
    let [words, plain] = &table.fulltexts[..] else { panic!("{:?}", table.fulltexts) };
    assert_eq!((&*words.name, words.language), ("words", Language::German));
    assert_eq!(words.columns, [ColumnId(2), ColumnId(1)]);
    assert_eq!((&*plain.name, plain.language), ("plain", Language::Simple));
    for (index, expected) in [
        ("w = { fulltext = [\"n\"] }", "the field `n` holds no text to search"),
        ("w = { fulltext = [\"a\"], language = \"germn\" }", "unknown language `germn`; did you mean `german`?"),
        ("w = { fulltext = [\"a\"], unique = true }", "`unique` and `fulltext` do not go together"),
        ("w = { on = [\"a\"], language = \"german\" }", "`language` is for full-text indexes"),
        ("w = { language = \"german\" }", "`language` is for full-text indexes"),
        ("w = { fulltext = [] }", "`fulltext` is empty"),
        ("w = { fulltext = [\"a\", \"a\"] }", "the field `a` is listed twice"),
        ("w = { fulltext = [\"x\"] }", "has no field `x`"),
        ("a = { fulltext = [\"a\"] }", "has the name of a field"),
    ] {
        let text = format!("[t.fields]\na = \"text\"\nn = \"int\"\n[t.indexes]\n{index}");
        let found = mistakes(&[("t.toml", &text)]);
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{index}: {found:?}");
    }
    let found = mistakes(&[(
        "t.toml",
        "[t.fields]\nrowid = \"text\"\n_rowid_ = \"text\"\noid = \"text\"\n[t.indexes]\nw = { fulltext = [\"oid\"] }",
    )]);
    assert!(found[0].contains("cannot have fields called rowid, _rowid_ and oid"), "{found:?}");
    let found = mistakes(&[(
        "v.toml",
        "[v]\nview = \"select 1\"\n[v.fields]\na = \"text\"\n[v.indexes]\nw = { fulltext = [\"a\"] }",
    )]);
    assert!(found[0].contains("a view has no indexes"), "{found:?}");
}

#[test]
fn defaults_of_all_kinds() {
    let schema = good(
        "[t.fields]\nid = { type = \"bigint\", primary = true, default = \"sequence\" }\n\
         word = { type = \"text\", default = \"now\" }\nmade = { type = \"timestamp\", default = \"now\", update = \"now\" }\n\
         other = { type = \"uuid\", default = \"uuid7\" }\nprice = { type = \"decimal(6,2)\", default = 0.10 }\n\
         tags = { type = \"text[]\", default = [], max = 3 }\ndata = { type = \"json\", default = { a = 1 } }",
    );
    let defaults: Vec<_> = schema.tables()[0].columns.iter().map(|column| column.default.clone().unwrap()).collect();
    let text = |default: &DefaultValue| match default {
        DefaultValue::Literal(value) => value.to_text().unwrap(),
        other => format!("{other:?}"),
    };
    let shown: Vec<String> = defaults.iter().map(text).collect();
    assert_eq!(shown, ["Sequence", "now", "Now", "Uuid7", "0.10", "{}", "{\"a\":1}"]);
    assert!(schema.tables()[0].find_column("made").unwrap().touched);
}

#[test]
fn views_say_what_they_give_and_how_they_embed() {
    let schema = good(
        "[a.fields]\nx = \"text\"\n[v]\nview = \"\"\"\nselect id, x from a;\n\"\"\"\n\
         [v.fields]\nid = { ref = \"a\", primary = true }\nx = \"text\"\n[v.access]\nread = true",
    );
    let view = schema.find("v").unwrap();
    assert_eq!(view.kind, TableKind::View { sql: "select id, x from a".into() });
    assert!(!view.is_writable() && view.columns.len() == 2);
    assert_eq!((view.columns[0].ty.clone(), view.references[0].target), (Type::Uuid, TableId(0)));
    assert_eq!(names(view, &view.primary_key), ["id"]);
}

#[test]
fn former_names_are_kept() {
    let schema = good("[a]\nwas = \"b\"\n[a.fields]\nx = { type = \"text\", was = \"y\" }");
    let table = &schema.tables()[0];
    assert_eq!((table.was.as_deref(), table.columns[1].was.as_deref()), (Some("b"), Some("y")));
}

#[test]
fn mistakes_come_in_order_of_file_and_line() {
    let found = mistakes(&[
        ("b.toml", "[a.fields]\nx = \"text\""),
        ("a.toml", "[a.fields]\nx = \"text\"\ny = { ref = \"c\" }\n[b.fields]\nz = \"string\""),
    ]);
    assert_eq!(
        found,
        [
            "a.toml:3:13: there is no table `c`; declare it under [c.fields], or name another",
            "a.toml:5:5: unknown type `string`; write `text`",
            "b.toml:1:2: the table `a` is declared twice; remove one, or give it another name",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_makes_no_mistakes_of_others() {
    let found =
        mistakes(&[("a.toml", "[a.fields]\nb = { ref = \"b\" }\nc = \"strng\""), ("b.toml", "[b.fields]\nx = ")]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("a.toml:3:5: unknown type") && found[1].starts_with("b.toml:2:"), "{found:?}");
}
