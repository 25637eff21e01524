//! Changing the tables: what each change does to the rows, what is refused, and that the result is what was wanted.

use std::sync::Arc;

use mainstay_query::plan::{Delete, Expect, Filter, Write};
use mainstay_schema::Schema;
use mainstay_store::{Migration, Store, StoreError};
use mainstay_stores::SqliteStore;
use mainstay_stores::sqlite::migrate::{self, MigrationPlan};

use crate::support::{SHOP, Shop, filled, over, schema};

/// A project whose tables change from one version to the next.
struct Project {
    shop: Shop,
    versions: usize,
}

impl Project {
    async fn start(text: &str) -> Project {
        let nothing = Arc::new(Schema::default());
        let shop = Shop { store: SqliteStore::open_temporary().unwrap(), schema: nothing };
        let mut project = Project { shop, versions: 0 };
        project.become_version(text).await.unwrap();
        project
    }

    /// Migrates, after proving that the plan leads there.
    async fn become_version(&mut self, text: &str) -> Result<MigrationPlan, StoreError> {
        let new = schema(text);
        let plan = migrate::plan(&self.shop.schema, &new);
        migrate::prove(&self.shop.schema, &new, &plan.sql).unwrap_or_else(|why| panic!("{why:#?}\n{}", plan.sql));
        self.versions += 1;
        let name = format!("version {}", self.versions);
        let migration = Migration { name, sql: plan.sql.clone(), schema: new.to_json() };
        self.shop.store.migrate(migration).await?;
        self.shop.schema = new;
        assert_eq!(self.shop.store.drift(self.shop.schema.clone()).await.unwrap(), Vec::<String>::new());
        Ok(plan)
    }
}

const OLD: &str = r#"
[teams.fields]
id = { type = "int", primary = true }
name = { type = "text", unique = true }

[people.fields]
id = { type = "int", primary = true }
name = "text"
age = { type = "int", optional = true }
team_id = { ref = "teams", optional = true, on_delete = "set null" }

[people.indexes]
by_name = ["name"]

[named]
view = "SELECT id, name FROM people"
[named.fields]
id = { type = "int", primary = true }
name = "text"
"#;

/// Two people in one team, then the change; `query` on `people` must then give `expected`.
async fn check(from: &str, to: &str, native: bool, query: &str, expected: &str) {
    let mut project = Project::start(OLD).await;
    project.shop.insert("teams", "id,name", &["1|red"]).await;
    project.shop.insert("people", "id,name,age,team_id", &["1|Ann|30|1", "2|Bob|NULL|NULL"]).await;
    let text = OLD.replace(from, to);
    assert_ne!(text, OLD, "{from}");
    let plan = project.become_version(&text).await.unwrap();
    assert_eq!(!plan.sql.contains("_mainstay_new_"), native, "{}", plan.sql);
    let table = if text.contains("[persons.fields]") { "persons" } else { "people" };
    assert_eq!(project.shop.read(table, query).await, expected, "{to}");
}

#[tokio::test]
async fn columns_come_go_and_change_their_names_in_place() {
    let age = "age = { type = \"int\", optional = true }";
    check(
        age,
        &format!("{age}\nnote = {{ type = \"text\", optional = true }}"),
        true,
        "select=id,note",
        "(1,null),(2,null)",
    )
    .await;
    check(
        age,
        &format!("{age}\nok = {{ type = \"bool\", default = true }}"),
        true,
        "select=id,ok",
        "(1,true),(2,true)",
    )
    .await;
    check(age, "", true, "select=*", "(1,\"Ann\",1),(2,\"Bob\",null)").await;
    check(
        age,
        "years = { type = \"bigint\", optional = true, was = \"age\" }",
        true,
        "select=id,years",
        "(1,30),(2,null)",
    )
    .await;
    check("by_name = [\"name\"]", "by_name = [\"name desc\"]", true, "select=id", "(1),(2)").await;
    check("by_name = [\"name\"]", "named = { on = [\"name\"], where = \"age > 3\" }", true, "select=id", "(1),(2)")
        .await;
}

#[tokio::test]
async fn what_sqlite_cannot_alter_is_made_anew() {
    let age = "age = { type = \"int\", optional = true }";
    check(age, "age = { type = \"int\", default = 7 }", false, "select=id,age", "(1,30),(2,7)").await;
    check(age, "age = { type = \"text\", optional = true }", false, "select=id,age", "(1,\"30\"),(2,null)").await;
    check(age, "age = { type = \"decimal(5,1)\", optional = true }", false, "select=id,age", "(1,30.0),(2,null)").await;
    check(
        "name = \"text\"\nage",
        "name = { type = \"text\", unique = true }\nage",
        false,
        "select=name",
        "(\"Ann\"),(\"Bob\")",
    )
    .await;
    check("\"set null\"", "\"cascade\"", false, "select=id,teams(name)", "(1,(\"red\")),(2,null)").await;
    check(", optional = true, on_delete = \"set null\"", ", optional = true", false, "select=id", "(1),(2)").await;
    check(
        age,
        "age = { type = \"int\", optional = true }\nkey = { type = \"uuid\", default = \"uuid7\" }",
        false,
        "select=id&key=not.is.null",
        "(1),(2)",
    )
    .await;
    check(
        "[people.fields]\nid = { type = \"int\", primary = true }",
        "[people]\nprimary = [\"id\", \"name\"]\n[people.fields]\nid = \"int\"",
        false,
        "select=id,name",
        "(1,\"Ann\"),(2,\"Bob\")",
    )
    .await;
}

#[tokio::test]
async fn tables_change_their_names_and_keep_their_rows_and_links() {
    let mut project = Project::start(OLD).await;
    project.shop.insert("teams", "id,name", &["1|red"]).await;
    project.shop.insert("people", "id,name,team_id", &["1|Ann|1"]).await;
    let text = OLD
        .replace("[teams.fields]", "[groups]\nwas = \"teams\"\n[groups.fields]")
        .replace("ref = \"teams\"", "ref = \"groups\"")
        .replace("[people.fields]", "[persons]\nwas = \"people\"\n[persons.fields]")
        .replace("[people.indexes]", "[persons.indexes]")
        .replace("FROM people", "FROM persons");
    let plan = project.become_version(&text).await.unwrap();
    assert!(plan.losses.is_empty(), "{:?}", plan.losses);
    assert_eq!(project.shop.read("persons", "select=name,groups(name)").await, "(\"Ann\",(\"red\"))");
    assert_eq!(project.shop.read("named", "select=name").await, "(\"Ann\")");
    let back = project.become_version(OLD).await.unwrap();
    assert_eq!(back.losses, ["all rows of persons are lost", "all rows of groups are lost"]);
    assert_eq!(project.shop.read("people", "select=name").await, "");
}

#[tokio::test]
async fn a_parent_made_anew_keeps_its_children() {
    let mut project = Project::start(OLD).await;
    project.shop.insert("teams", "id,name", &["1|red"]).await;
    project.shop.insert("people", "id,name,team_id", &["1|Ann|1"]).await;
    project.become_version(&OLD.replace("name = { type = \"text\", unique = true }", "name = \"text\"")).await.unwrap();
    assert_eq!(project.shop.read("people", "select=name,teams(name)").await, "(\"Ann\",(\"red\"))");
}

#[tokio::test]
async fn what_the_rows_do_not_allow_is_refused_and_leaves_everything_as_it_was() {
    for (from, to, expected) in [
        ("age = { type = \"int\", optional = true }", "age = \"int\"", "people.age is required"),
        (
            "age = { type = \"int\", optional = true }",
            "age = { type = \"int\", optional = true }\nsize = \"int\"",
            "people.size is required",
        ),
        ("name = \"text\"\nage", "name = \"int\"\nage", "invalid input syntax for type integer: \"Ann\""),
        (
            "name = \"text\"\nage = { type = \"int\", optional = true }",
            "name = \"text\"\nage = { ref = \"teams\", optional = true }",
            "1 rows of people point at rows of teams",
        ),
    ] {
        let mut project = Project::start(OLD).await;
        project.shop.insert("teams", "id,name", &["1|red"]).await;
        project.shop.insert("people", "id,name,age,team_id", &["1|Ann|30|1", "2|Bob|NULL|NULL"]).await;
        let error = project.become_version(&OLD.replace(from, to)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("_mainstay_new_") && !error.contains("SELECT"), "{error}");
        assert_eq!(project.shop.read("people", "select=*").await, "(1,\"Ann\",30,1),(2,\"Bob\",null,null)");
        assert_eq!(project.shop.store.drift(project.shop.schema.clone()).await.unwrap(), Vec::<String>::new());
        assert_eq!(project.shop.store.migrations().await.unwrap().len(), 1);
        // References are watched again.
        let orphan = project.shop.new_rows("people", "id,name,team_id", &["3|Cyd|9"]);
        let orphan = project.shop.write(Write::Insert(orphan)).await;
        assert!(matches!(orphan, Err(StoreError::Reference { .. })));
    }
}

#[tokio::test]
async fn a_file_that_reaches_beyond_its_transaction_is_refused() {
    let shop = filled().await;
    for sql in [
        "COMMIT;",
        "BEGIN;",
        "SAVEPOINT a;",
        "ATTACH 'other.db' AS other;",
        "CREATE TABLE x (y INT) STRICT; ROLLBACK;",
        "nonsense",
    ] {
        let migration = Migration { name: "bad".into(), sql: sql.into(), schema: "{}".into() };
        let error = shop.store.migrate(migration).await.unwrap_err();
        assert!(matches!(error, StoreError::Migration { .. }), "{sql}: {error:?}");
    }
    assert_eq!(shop.store.drift(shop.schema.clone()).await.unwrap(), Vec::<String>::new());
    let twice = Migration { name: "1_init".into(), sql: String::new(), schema: "{}".into() };
    assert!(matches!(shop.store.migrate(twice).await, Err(StoreError::Migration { .. })));
}

#[tokio::test]
async fn applied_migrations_are_listed_with_what_they_were() {
    let shop = filled().await;
    let list = shop.store.migrations().await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].name.as_str(), list[0].schema.as_str()), ("1_init", "{}"));
    assert_eq!(list[0].sql, migrate::create(&shop.schema));
    assert!(list[0].applied_at.ends_with("+00:00"), "{}", list[0].applied_at);
}

#[test]
fn a_plan_that_leads_elsewhere_is_found_out() {
    let (old, new) = (
        schema(OLD),
        schema(&OLD.replace("age = {", "age = { description = \"years\",").replace("[\"name\"]", "[\"age\"]")),
    );
    let found = migrate::prove(&old, &new, "").unwrap_err();
    assert_eq!(found, ["table people: index people_by_name is (name BINARY), not (age BINARY)"]);
    assert_eq!(migrate::prove(&old, &new, &migrate::plan(&old, &new).sql), Ok(()));
    let broken = schema(&OLD.replace("SELECT id, name FROM people", "SELECT id FROM people"));
    let found = migrate::prove(&old, &broken, &migrate::plan(&old, &broken).sql).unwrap_err();
    assert_eq!(found, ["view named: no such column: name"]);
}

#[tokio::test]
async fn a_file_opens_again_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.db");
    let shop = over(SqliteStore::open(&path, Default::default()).unwrap()).await;
    shop.insert("customers", "email", &["ann@x.org"]).await;
    shop.store.close().await;
    // The tables have indexes in orders that only the store knows.
    assert_eq!(mainstay_stores::sqlite::check::problems(&path).unwrap(), Vec::<String>::new());
    let shop = Shop { store: SqliteStore::open(&path, Default::default()).unwrap(), schema: schema(SHOP) };
    assert_eq!(shop.read("customers", "select=id,email").await, "(1,\"ann@x.org\")");
    // The internal tables are there without any migration.
    let imports = shop.schema.find("_mainstay_imports").unwrap().id;
    let plan = Delete { table: imports, filter: Filter::True, returning: None, expect: Expect::default() };
    assert_eq!(shop.write(Write::Delete(plan)).await.unwrap().0, 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        }
    }
}

mod any_two_schemas {
    //! Whatever two schemas say, the plan between them leads from one to the other.

    use std::collections::BTreeMap;

    use proptest::collection::btree_map;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::{migrate, schema};

    /// Fields by name: few names and many kinds, so that two tables have much in common. `w` was `x` before.
    fn fields() -> impl Strategy<Value = String> {
        let kind = select(vec![
            "type = \"int\"",
            "type = \"bigint\"",
            "type = \"text\"",
            "type = \"decimal(8,2)\"",
            "type = \"decimal(9,2)\"",
            "type = \"json\"",
            "type = \"int\", default = 5",
            "type = \"text\", default = \"it's\"",
            "type = \"timestamp\", default = \"now\"",
            "type = \"uuid\", default = \"uuid7\"",
            "ref = \"Alpha\"",
            "ref = \"beta\", on_delete = \"cascade\"",
            "ref = \"beta\", default = 1, on_delete = \"set default\"",
        ]);
        let more = select(vec!["", ", optional = true", ", unique = true"]);
        let name = select(vec!["w", "x", "y", "z z", "größe"]);
        btree_map(name, (kind, more), 0..5).prop_map(|fields| {
            let line = |(name, (kind, more)): (&&str, &(&str, &str))| {
                let was = if *name == "w" && !fields.contains_key("x") { ", was = \"x\"" } else { "" };
                format!("\"{name}\" = {{ {kind}{more}{was} }}\n")
            };
            fields.iter().map(line).collect()
        })
    }

    /// A table whose key may have two fields if nothing refers to it.
    fn table(is_target: bool) -> impl Strategy<Value = String> {
        let single = vec![
            "id = { type = \"int\", primary = true }",
            "id = { type = \"bigint\", primary = true, default = \"sequence\" }",
        ];
        let double = vec!["id = { type = \"int\", primary = true }\nkey = { type = \"text\", primary = true }"];
        let key = select(if is_target { single } else { [single, double].concat() });
        let index = select(vec![
            "",
            "by_id = [\"id desc\"]\n",
            "by_id = { on = [\"id\"], unique = true }\n",
            "by_id = { on = [\"id\"], where = \"id < 5\" }\n",
        ]);
        (key, fields(), index)
            .prop_map(|(key, fields, index)| format!("[NAME.fields]\n{key}\n{fields}[NAME.indexes]\n{index}"))
    }

    /// A project; `delta` was `gamma` before.
    fn project() -> impl Strategy<Value = String> {
        let view = "[shown]\nview = \"SELECT id FROM Alpha\"\n[shown.fields]\nid = \"int\"\n";
        let others = btree_map(select(vec!["gamma", "delta", "Größe"]), table(false), 0..3);
        (table(true), table(true), others, select(vec!["", view])).prop_map(|(alpha, beta, others, view)| {
            let mut tables: BTreeMap<&str, String> = others;
            let was = if tables.contains_key("gamma") { "" } else { "[delta]\nwas = \"gamma\"\n" };
            if let Some(delta) = tables.get_mut("delta") {
                delta.insert_str(0, was);
            }
            tables.extend([("Alpha", alpha), ("beta", beta)]);
            let texts: String = tables.iter().map(|(name, text)| text.replace("NAME", name)).collect();
            texts.replace("[Größe.", "[\"Größe\".") + view
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn have_a_plan_that_is_proved(old in project(), new in project()) {
            let (old, new) = (schema(&old), schema(&new));
            let plan = migrate::plan(&old, &new);
            let proof = migrate::prove(&old, &new, &plan.sql);
            prop_assert!(proof.is_ok(), "{:#?}\n{}", proof, plan.sql);
            prop_assert!(migrate::plan(&new, &new).sql.is_empty());
        }
    }
}
