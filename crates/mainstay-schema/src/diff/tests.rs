use super::*;
use crate::load::{SourceFile, load};

fn schema(text: &str) -> Schema {
    load(&[SourceFile { path: "a.toml".into(), text: text.into() }]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

#[test]
fn only_steps_that_lose_data_are_destructive() {
    let base = "[a.fields]\nx = { type = \"int\", optional = true }\ny = \"text\"\n";
    let old = schema(base);
    for (text, expected) in [
        (base.to_owned(), false),
        (format!("{base}z = \"int\""), false),
        (base.replace(", optional = true", ""), false),
        (base.replace("\"int\"", "\"bigint\""), false),
        (base.replace("\"text\"", "{ type = \"text\", unique = true }"), false),
        (base.replace("y = \"text\"\n", ""), true),
        (base.replace("\"text\"", "\"int\""), true),
        (base.replace("[a", "[b"), true),
    ] {
        let diff = diff(&old, &schema(&text));
        assert_eq!(diff.is_destructive(), expected, "{text}");
        assert_eq!(diff.is_empty(), text == base, "{text}");
    }
}

#[test]
fn what_stores_do_not_keep_is_no_difference() {
    let old = schema("[a.fields]\nx = { type = \"int\", default = 1 }\ny = { enum = [\"a\"] }");
    let new = schema(
        "[a]\ndescription = \"words\"\n[a.fields]\nx = { type = \"int\", default = 2, min = 0, description = \"words\" }\n\
         y = { type = \"text\", pattern = \"a\" }\n[a.access]\nread = true",
    );
    assert!(diff(&old, &new).is_empty());
    assert!(diff(&Schema::default(), &schema("")).is_empty());
}

#[test]
fn kept_tables_say_where_their_columns_went() {
    let old = schema("[a.fields]\nx = \"int\"\ny = \"int\"\n[b.fields]\nz = \"int\"");
    let new = schema(
        "[b.fields]\nz = \"int\"\n[c]\nwas = \"a\"\n[c.fields]\nw = { type = \"int\", was = \"y\" }\nv = \"int\"",
    );
    let kept = diff(&old, &new).kept;
    let name = |schema: &Schema, id| schema.table(id).name.to_string();
    let names: Vec<_> = kept.iter().map(|pair| (name(&old, pair.old), name(&new, pair.new))).collect();
    assert_eq!(names, [("b".to_owned(), "b".to_owned()), ("a".to_owned(), "c".to_owned())]);
    let columns: Vec<_> = kept[1].columns.iter().map(|(old, new)| (old.0, new.0)).collect();
    assert_eq!(columns, [(0, 0), (2, 1)]);
}
