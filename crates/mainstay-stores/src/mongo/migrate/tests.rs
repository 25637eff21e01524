use mainstay_schema::load::{SourceFile, load};

use super::*;

fn schema(text: &str) -> Schema {
    load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).expect("no mistakes")
}

/// The commands of a migration, without the words between them.
fn lines(old: &str, new: &str) -> Vec<String> {
    let sql = plan(&schema(old), &schema(new)).sql;
    assert!(text::commands(&sql).is_ok(), "{sql}");
    sql.lines().filter(|line| !line.starts_with("//")).map(str::to_owned).collect()
}

fn check(old: &str, new: &str, expected: &[&str]) {
    assert_eq!(lines(old, new), expected, "{old}\n{new}");
}

const ID: &str = "id = { type = \"bigint\", primary = true, default = \"sequence\" }\n";

#[test]
fn nothing_is_done_where_nothing_differs() {
    let text = format!("[t.fields]\n{ID}a = {{ type = \"text\", unique = true, optional = true }}\n");
    check(&text, &text, &[]);
    let empty = plan(&Schema::default(), &Schema::default());
    assert_eq!((empty.sql.as_str(), empty.steps.len(), empty.losses.len()), ("", 0, 0));
}

#[test]
fn a_table_becomes_a_collection_with_rules_and_indexes() {
    let text = format!(
        "[p.fields]\n{ID}\n[t.fields]\n{ID}name = {{ type = \"text\", max = 9, enum = [\"a\", \"b\"], optional = true, unique = true }}\n\
         p_id = {{ ref = \"p\" }}\nn = {{ type = \"int\", min = 1 }}\ntags = \"text[]\"\n"
    );
    let made = lines("", &text);
    let expected = [
        "{\"create\":\"p\",\"validator\":{\"$jsonSchema\":{\"bsonType\":\"object\",\"required\":[\"_id\"],\
         \"properties\":{\"_id\":{\"bsonType\":\"long\"}}}},\"validationLevel\":\"strict\",\"validationAction\":\"error\"}",
        "{\"create\":\"t\",\"validator\":{\"$jsonSchema\":{\"bsonType\":\"object\",\
         \"required\":[\"_id\",\"n\",\"p_id\",\"tags\"],\"properties\":{\"_id\":{\"bsonType\":\"long\"},\
         \"n\":{\"bsonType\":\"int\",\"minimum\":1},\
         \"name\":{\"bsonType\":[\"string\",\"null\"],\"maxLength\":9,\"enum\":[\"a\",\"b\",null]},\
         \"p_id\":{\"bsonType\":\"long\"},\
         \"tags\":{\"bsonType\":\"array\",\"items\":{\"bsonType\":[\"string\",\"null\"]}}}}},\
         \"validationLevel\":\"strict\",\"validationAction\":\"error\"}",
        "{\"createIndexes\":\"t\",\"indexes\":[\
         {\"key\":{\"name\":1},\"name\":\"t_name_key\",\"unique\":true,\"partialFilterExpression\":{\"name\":{\"$gte\":\"\"}}},\
         {\"key\":{\"p_id\":1,\"_id\":1},\"name\":\"t_p_id_fkey\"}]}",
    ];
    assert_eq!(made, expected);
    check(
        &text,
        "",
        &[
            "{\"drop\":\"t\"}",
            "{\"delete\":\"_mainstay_counters\",\"deletes\":[{\"q\":{\"_id\":\"t\"},\"limit\":1}]}",
            "{\"drop\":\"p\"}",
            "{\"delete\":\"_mainstay_counters\",\"deletes\":[{\"q\":{\"_id\":\"p\"},\"limit\":1}]}",
        ],
    );
}

#[test]
fn fields_come_and_go_and_the_rules_follow() {
    let old = format!("[t.fields]\n{ID}a = \"int\"\n");
    let new = format!(
        "[t.fields]\n{ID}b = {{ type = \"int\", was = \"a\" }}\nn = {{ type = \"int\", default = 7 }}\n\
         u = {{ type = \"uuid\", default = \"uuid7\" }}\nat = {{ type = \"timestamp\", default = \"now\" }}\n"
    );
    let found = lines(&old, &new);
    let starts = [
        "{\"update\":\"t\",\"updates\":[{\"q\":{\"a\":{\"$exists\":true}},\"u\":{\"$rename\":{\"a\":\"b\"}},\"multi\":true}],\
         \"bypassDocumentValidation\":true}",
        "{\"update\":\"t\",\"updates\":[{\"q\":{\"n\":null},\"u\":{\"$set\":{\"n\":7}},\"multi\":true}],",
        "{\"fillField\":\"t\",\"field\":\"u\",\"with\":\"uuid7\"}",
        "{\"update\":\"t\",\"updates\":[{\"q\":{\"at\":null},\"u\":[{\"$set\":{\"at\":\"$$NOW\"}}],\"multi\":true}],",
        "{\"collMod\":\"t\",\"validator\":",
        "{\"collMod\":\"t\",\"validationLevel\":\"strict\"}",
    ];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\n{start}");
    }
    assert!(found[4].contains("\"validationLevel\":\"moderate\""), "{}", found[4]);
}

#[test]
fn values_are_converted_beside_the_old_ones() {
    let old = format!("[t.fields]\n{ID}a = \"int\"\n");
    let new = format!("[t.fields]\n{ID}a = \"text\"\n");
    let found = lines(&old, &new);
    let expected = [
        "{\"convertField\":\"t\",\"field\":\"a\",\"from\":\"int\",\"to\":\"text\",\"into\":\"_mainstay_new_a\"}",
        "{\"update\":\"t\",\"updates\":[{\"q\":{\"_mainstay_new_a\":{\"$exists\":true}},\
         \"u\":[{\"$set\":{\"a\":\"$_mainstay_new_a\"}},{\"$unset\":\"_mainstay_new_a\"}],\"multi\":true}],\
         \"bypassDocumentValidation\":true}",
    ];
    assert_eq!(found[..2], expected);
}

#[test]
fn another_key_is_a_copy() {
    let old = "[t.fields]\na = { type = \"int\", primary = true }\nb = \"int\"\n";
    let new = "[t.fields]\na = \"int\"\nb = { type = \"int\", primary = true }\n";
    let found = lines(old, new);
    let expected = [
        "{\"aggregate\":\"t\",\"pipeline\":[{\"$set\":{\"a\":\"$_id\",\"_id\":\"$b\"}},{\"$unset\":[\"b\"]},\
         {\"$out\":\"_mainstay_new_t\"}],\"cursor\":{},\"bypassDocumentValidation\":true}",
        "{\"renameCollection\":\"_mainstay_new_t\",\"to\":\"t\",\"dropTarget\":true}",
    ];
    assert_eq!((found.first(), found.last()), (Some(&expected[0].to_owned()), Some(&expected[1].to_owned())));
    let steps = plan(&schema(old), &schema(new)).steps;
    assert!(steps.iter().any(|step| step.starts_with("copy the documents of t")), "{steps:?}");
    let both = "[t]\nprimary = [\"a\", \"b\"]\n\n[t.fields]\na = \"int\"\nb = \"int\"\n";
    let found = lines(old, both);
    assert!(found[0].contains("{\"$set\":{\"a\":\"$_id\"}},{\"$unset\":[\"_id\"]},{\"$out\""), "{found:?}");
    let found = lines(both, old);
    assert!(found[0].contains("[{\"$set\":{\"_id\":\"$a\"}},{\"$unset\":[\"a\"]},{\"$out\""), "{found:?}");
}

#[test]
fn renamed_tables_count_on() {
    let old = format!("[p.fields]\n{ID}");
    let new = format!("[q]\nwas = \"p\"\n\n[q.fields]\n{ID}");
    let found = lines(&old, &new);
    assert_eq!(found[0], "{\"renameCollection\":\"p\",\"to\":\"q\"}");
    assert!(found[1].starts_with("{\"aggregate\":\"_mainstay_counters\""), "{found:?}");
    assert_eq!(found[2], "{\"delete\":\"_mainstay_counters\",\"deletes\":[{\"q\":{\"_id\":\"p\"},\"limit\":1}]}");
    assert_eq!(found.len(), 3);
}

#[test]
fn what_no_collection_can_be_is_told() {
    let table = |rest: &str| schema(&format!("[t.fields]\n{ID}{rest}"));
    for (rest, expected) in [
        ("\"$a\" = \"int\"\n", "begins with $"),
        ("_id = \"int\"\n", "_id is the primary key"),
        ("d = \"decimal(36,2)\"\n", "MongoDB keeps 34"),
        ("j = { type = \"json\", unique = true }\n", "compares the items"),
        ("a = \"int[]\"\nb = \"text[]\"\n\n[t.indexes]\nboth = [\"a\", \"b\"]\n", "over two lists"),
        ("n = \"int\"\n\n[t.indexes]\none = { on = [\"n\"], where = \"n > 0\" }\n", "is SQL"),
    ] {
        let told = refusals(&table(rest));
        assert!(told.len() == 1 && told[0].contains(expected), "{rest}: {told:?}");
    }
    assert!(refusals(&table("a = \"int\"\n")).is_empty());
}
