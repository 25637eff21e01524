//! Migrations are proved, carried out statement by statement, and go on where they stopped.

use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::{Migration, StoreError};
use mainstay_stores::mysql::{Pool, migrate, proof};

use crate::support::{ask, on_each, run, session};

fn schema(text: &str) -> Schema {
    load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).expect("no mistakes")
}

const OLD: &str = "[makers.fields]\nid = { type = \"int\", primary = true }\nname = \"text\"\n\n\
                   [toys.fields]\nid = { type = \"int\", primary = true }\nlabel = \"text\"\nmaker_id = { ref = \"makers\" }\n";
const NEW: &str = "[makers.fields]\nid = { type = \"int\", primary = true }\nname = { type = \"text\", unique = true }\n\n\
                   [toys.fields]\nid = { type = \"bigint\", primary = true }\ntitle = { type = \"text\", was = \"label\" }\n\
                   price = { type = \"decimal(10,2)\", default = 0 }\nmaker_id = { ref = \"makers\", on_delete = \"cascade\" }\n";

fn migration(name: &str, old: &Schema, new: &Schema) -> Migration {
    Migration { name: name.into(), sql: migrate::plan(old, new).sql, schema: new.to_json() }
}

async fn apply(pool: &Pool, migration: &Migration) -> Result<(), StoreError> {
    migrate::apply(&mut session(pool).await, migration).await
}

async fn refused(pool: &Pool, migration: &Migration) -> String {
    match apply(pool, migration).await {
        Err(StoreError::Migration { message }) => message,
        other => panic!("{other:?}"),
    }
}

async fn drift(pool: &Pool, schema: &Schema) -> Vec<String> {
    proof::drift(&mut session(pool).await, schema).await.expect("it can be seen")
}

/// Changes of every kind, there and back, on tables with rows.
#[tokio::test]
async fn tables_become_what_the_schema_says() {
    let id = "id = { type = \"bigint\", primary = true, default = \"sequence\" }\n";
    let stages = [
        format!("[p.fields]\n{id}a = \"int\"\n\n[t.fields]\n{id}n = \"int\"\np_id = {{ ref = \"p\" }}\n"),
        format!(
            "[p.fields]\n{id}b = {{ type = \"int\", was = \"a\" }}\n\n[t]\nindexes = {{ few = {{ on = [\"n\"], unique = true, \
             where = \"n > 5\" }}, some = {{ on = [\"n desc\"], where = \"n > 5\" }} }}\n\n[t.fields]\n{id}n = \"bigint\"\n\
             p_id = {{ ref = \"p\", on_delete = \"cascade\" }}\nx = {{ type = \"text\", default = \"it's\" }}\n\
             u = {{ type = \"uuid\", default = \"uuid7\", unique = true }}\nat = {{ type = \"timestamp\", default = \"now\" }}\n\
             d = {{ type = \"decimal(9,3)\", default = 1.5 }}\nb = {{ type = \"bytes\", default = \"\\\\x00ff\" }}\n\
             j = {{ type = \"json\", default = {{ a = 1 }} }}\ntags = {{ type = \"text[]\", default = [\"q\"] }}\n"
        ),
        format!(
            "[q]\nwas = \"p\"\n\n[q.fields]\n{id}b = {{ type = \"int\", optional = true }}\n\n[t]\nunique = {{ both = [\"x\", \
             \"n\"] }}\n\n[t.fields]\nid = {{ type = \"bigint\", primary = true }}\nn = \"decimal(20,0)\"\n\
             p_id = {{ ref = \"q\", on_delete = \"set null\", optional = true }}\n\
             x = {{ type = \"text\", default = \"it's\" }}\n"
        ),
        format!("[t.fields]\n{id}n = \"decimal(22,1)\"\nx = {{ type = \"text\", optional = true }}\n"),
    ];
    on_each(|pool| {
        let stages = &stages;
        async move {
            let mut before = Schema::default();
            for (number, text) in stages.iter().enumerate() {
                let after = schema(text);
                let migration = migration(&number.to_string(), &before, &after);
                let proved = proof::prove(&mut session(&pool).await, &before, &after, &migration.sql).await;
                assert_eq!(proved.expect("it can be tried"), Ok(()), "{}", migration.sql);
                apply(&pool, &migration).await.unwrap_or_else(|error| panic!("{error:?}\n{}", migration.sql));
                assert_eq!(drift(&pool, &after).await, Vec::<String>::new(), "{}", migration.sql);
                if number == 0 {
                    run(&pool, "INSERT INTO p VALUES (1, 10), (2, 20); INSERT INTO t VALUES (1, 1, 1), (2, 9, 2)")
                        .await;
                }
                if number == 1 {
                    let rows = ask(&pool, "SELECT n, x, LENGTH(u), d, HEX(b), j, tags FROM t").await;
                    let same = "it's|16|1.500|00FF|{\"a\":1}|[\"q\"]";
                    assert_eq!(rows, [format!("1|{same}"), format!("9|{same}")]);
                    let ids = ask(&pool, "SELECT COUNT(DISTINCT u), MIN(SUBSTR(HEX(u), 13, 1)) FROM t").await;
                    assert_eq!(ids, ["2|4"]);
                }
                before = after;
            }
            assert_eq!(ask(&pool, "SELECT id, n, x FROM t ORDER BY id").await, ["1|1.0|it's", "2|9.0|it's"]);
            let applied = migrate::applied(&mut session(&pool).await).await.expect("they can be read");
            let names: Vec<&str> = applied.iter().map(|migrated| &*migrated.name).collect();
            assert_eq!(names, ["0", "1", "2", "3"]);
            assert_eq!(applied[0].applied_at.len(), "2026-11-23T10:00:00+00:00".len());
        }
    })
    .await;
}

#[tokio::test]
async fn a_migration_is_proved_and_leaves_no_trace() {
    on_each(|pool| async move {
        let (old, new) = (schema(OLD), schema(NEW));
        let sql = migrate::plan(&old, &new).sql;
        let mut session = session(&pool).await;
        assert_eq!(proof::prove(&mut session, &old, &new, &sql).await.expect("it can be tried"), Ok(()));
        // What leads elsewhere, and what does not run.
        let found = proof::prove(&mut session, &old, &new, "").await.expect("it can be tried");
        let found = found.expect_err("nothing was changed");
        assert!(found.iter().any(|line| line == "toys: column price is missing"), "{found:?}");
        assert!(found.iter().any(|line| line.starts_with("toys: column id int")), "{found:?}");
        let broken = proof::prove(&mut session, &old, &new, "DROP TABLE nobody").await.expect("it can be tried");
        assert!(broken.as_ref().is_err_and(|lines| lines[0].contains("nobody")), "{broken:?}");
        drop(session);
        assert_eq!(ask(&pool, "SHOW TABLES").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn what_others_change_is_drift() {
    on_each(|pool| async move {
        let schema = schema(OLD);
        apply(&pool, &migration("1", &Schema::default(), &schema)).await.expect("the tables can be made");
        assert_eq!(drift(&pool, &schema).await, Vec::<String>::new());
        run(&pool, "ALTER TABLE toys ADD COLUMN colour INT; ALTER TABLE makers MODIFY name VARCHAR(9) NOT NULL").await;
        run(&pool, "CREATE TABLE others (id INT)").await;
        let found = drift(&pool, &schema).await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("makers: column name varchar(9) collate utf8mb4_"), "{found:?}");
        assert_eq!(found[1], "toys: column colour is there and not in the schema");
    })
    .await;
}

#[tokio::test]
async fn a_migration_goes_on_where_it_stopped() {
    on_each(|pool| async move {
        let (old, new) = (schema(OLD), schema(NEW));
        apply(&pool, &migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
        run(&pool, "INSERT INTO makers VALUES (1, 'a'), (2, 'a'); INSERT INTO toys VALUES (1, 'x', 1)").await;
        let second = migration("2", &old, &new);
        let message = refused(&pool, &second).await;
        assert!(message.contains("Duplicate entry") && message.contains("are done"), "{message}");
        // What is not the same migration does not go on from there.
        let other = migration("2", &old, &schema(&OLD.replace("label", "other")));
        let message = refused(&pool, &other).await;
        assert!(message.contains("stopped half way"), "{message}");
        run(&pool, "UPDATE makers SET name = 'b' WHERE id = 2").await;
        apply(&pool, &second).await.expect("nothing is in the way any more");
        assert_eq!(drift(&pool, &new).await, Vec::<String>::new());
        assert_eq!(ask(&pool, "SELECT COUNT(*) FROM _mainstay_migration_steps").await, ["0"]);
    })
    .await;
}

#[tokio::test]
async fn a_statement_whose_end_nobody_saw_is_recognized() {
    on_each(|pool| async move {
        let schema = schema(OLD);
        let first = migration("1", &Schema::default(), &schema);
        migrate::prepare(&mut session(&pool).await).await.expect("our own tables can be made");
        // As if the process had ended right behind the first statement, or right before it.
        let create = first.sql.split_once(";\n").expect("several statements").0.to_owned();
        let begun = "INSERT INTO _mainstay_migration_steps (statement, tables_before, is_done) VALUES (?, ?, 0)";
        let values =
            [mainstay_stores::mysql::Param::Text(&create), mainstay_stores::mysql::Param::Text("other tables")];
        session(&pool).await.execute(begun, &values).await.expect("it is written");
        run(&pool, &create).await;
        apply(&pool, &first).await.expect("the first statement is not repeated");
        assert_eq!(drift(&pool, &schema).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn large_tables_are_copied_only_where_the_file_says_so() {
    on_each(|pool| async move {
        let id = "id = { type = \"int\", primary = true }\n";
        let old = schema(&format!("[t.fields]\n{id}n = \"int\"\n"));
        let new = schema(&format!("[t.fields]\n{id}n = \"bigint\"\n"));
        apply(&pool, &migration("1", &Schema::default(), &old)).await.expect("the table can be made");
        let digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION \
                      SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
        let rows = format!(
            "INSERT INTO t SELECT a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d + 100000*g.d, 1 FROM {digits} a, \
             {digits} b, {digits} c, {digits} e, {digits} f, (SELECT 0 d UNION SELECT 1 UNION SELECT 2) g; ANALYZE TABLE t"
        );
        run(&pool, &rows).await;
        let mut second = migration("2", &old, &new);
        let message = refused(&pool, &second).await;
        assert!(message.contains("-- copies: allowed"), "{message}");
        second.sql = format!("-- copies: allowed\n{}", second.sql);
        apply(&pool, &second).await.expect("it is allowed");
        assert_eq!(drift(&pool, &new).await, Vec::<String>::new());
        // A copy where the statement says that others can write.
        let third = Migration { sql: "ALTER TABLE t MODIFY n INT NOT NULL, LOCK=NONE;".into(), ..second };
        let message = refused(&pool, &third).await;
        assert!(message.contains("ALGORITHM=COPY"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn a_table_in_use_is_waited_for_and_not_for_long() {
    on_each(|pool| async move {
        let (old, new) = (
            schema(OLD),
            schema(&OLD.replace("label = \"text\"", "label = \"text\"\nn = { type = \"int\", optional = true }")),
        );
        apply(&pool, &migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
        let mut holder = session(&pool).await;
        holder.batch_execute("START TRANSACTION; SELECT COUNT(*) FROM toys").await.expect("a look");
        let second = migration("2", &old, &new);
        let release = async {
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            holder.batch_execute("COMMIT").await.expect("the end of the look");
        };
        let (done, ()) = tokio::join!(apply(&pool, &second), release);
        done.expect("the table became free");
        assert_eq!(drift(&pool, &new).await, Vec::<String>::new());
    })
    .await;
}

/// Values become those of the new type that mean the same, and those that mean nothing there stop the migration.
#[tokio::test]
async fn values_change_their_type() {
    const UUID: &str = "0190a5b2-7e1c-7c3a-9b1d-000000000001";
    let cases = [
        ("bool", "1", "text", Some("true")),
        ("bigint", "-5", "text", Some("-5")),
        ("decimal(5,2)", "1.50", "text", Some("1.50")),
        ("uuid", "UNHEX('0190a5b27e1c7c3a9b1d000000000001')", "text", Some(UUID)),
        ("bytes", "X'00ff'", "text", Some("\\x00ff")),
        ("date", "'2026-11-23'", "text", Some("2026-11-23")),
        ("time", "'10:00:00.5'", "text", Some("10:00:00.5")),
        ("timestamp", "'2026-11-23 10:00:00'", "text", Some("2026-11-23T10:00:00+00:00")),
        ("text", "'true'", "bool", Some("1")),
        ("text", "'maybe'", "bool", None),
        ("text", "'12'", "int", Some("12")),
        ("text", "'twelve'", "int", None),
        ("text", "'1.25'", "decimal(5,2)", Some("1.25")),
        ("text", "'0190A5B2-7e1c-7c3a-9b1d-000000000001'", "uuid", Some("0190A5B27E1C7C3A9B1D000000000001")),
        ("text", "'0190'", "uuid", None),
        ("text", "'\\x00ff'", "bytes", Some("00FF")),
        ("text", "'00ff'", "bytes", None),
        ("text", "'2026-11-23'", "date", Some("2026-11-23")),
        ("text", "'yesterday'", "date", None),
        ("text", "'2026-11-23T10:00:00+00:00'", "timestamp", Some("2026-11-23 10:00:00.000000")),
        ("text", "'{\"a\":1}'", "json", Some("{\"a\":1}")),
        ("text", "'{'", "json", None),
        ("int", "7", "json", Some("7")),
        ("uuid", "UNHEX('0190a5b27e1c7c3a9b1d000000000001')", "json", Some(&format!("\"{UUID}\""))),
        ("json", "'\"2026-11-23\"'", "date", Some("2026-11-23")),
        ("json", "'12'", "bigint", Some("12")),
        ("json", "'true'", "bool", Some("1")),
        ("json", "'[1]'", "int[]", Some("[1]")),
        ("int", "2", "bool", Some("1")),
        ("bool", "1", "int", Some("1")),
        ("int", "70000", "bigint", Some("70000")),
        ("bigint", "70000000000", "int", None),
        ("decimal(8,2)", "1234.50", "decimal(5,2)", None),
        ("date", "'2026-11-23'", "timestamp", Some("2026-11-23 00:00:00.000000")),
        ("timestamp", "'2026-11-23 10:00:00'", "date", Some("2026-11-23")),
        ("int[]", "'[1,2]'", "bigint[]", Some("[1,2]")),
        ("date", "'2026-11-23'", "int", None),
    ];
    on_each(|pool| {
        let cases = &cases;
        async move {
            for (number, (from, value, to, expected)) in cases.iter().enumerate() {
                let table = |ty: &str| {
                    let id = "id = { type = \"int\", primary = true }";
                    schema(&format!("[t{number}.fields]\n{id}\nv = {{ type = \"{ty}\", optional = true }}\n"))
                };
                let (old, new) = (table(from), table(to));
                apply(&pool, &migration(&format!("{number} before"), &Schema::default(), &old)).await.expect("a table");
                let fill = format!("INSERT INTO t{number} VALUES (1, {value}), (2, NULL)");
                session(&pool)
                    .await
                    .batch_execute(&format!("SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES'); {fill}"))
                    .await
                    .expect("rows");
                let second = migration(&format!("{number} after"), &old, &new);
                match expected {
                    Some(expected) => {
                        apply(&pool, &second).await.unwrap_or_else(|error| panic!("{from} {value} {to}: {error:?}"));
                        let shown = if ["uuid", "bytes"].contains(to) { "HEX(v)" } else { "v" };
                        let found = ask(&pool, &format!("SELECT {shown} FROM t{number} ORDER BY id")).await;
                        assert_eq!(found, [*expected, ""], "{from} {value} {to}");
                    }
                    None => {
                        let message = refused(&pool, &second).await;
                        assert!(message.starts_with("statement "), "{from} {value} {to}: {message}");
                        run(&pool, "DELETE FROM _mainstay_migration_steps").await;
                    }
                }
            }
        }
    })
    .await;
}
