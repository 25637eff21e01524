use mainstay_schema::load::{SourceFile, load};

use super::*;

fn schema(text: &str) -> Schema {
    load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).expect("no mistakes")
}

fn check(old: &str, new: &str, expected: &[&str]) {
    let plan = plan(&schema(old), &schema(new));
    let found: Vec<&str> = plan.sql.lines().collect();
    assert_eq!(found, expected, "{old}\n{new}");
}

const ID: &str = "id = { type = \"bigint\", primary = true, default = \"sequence\" }\n";

#[test]
fn nothing_is_done_where_nothing_differs() {
    let text = format!("[t.fields]\n{ID}a = {{ type = \"text\", unique = true }}\n");
    check(&text, &text, &[]);
}

#[test]
fn columns_come_and_go_while_others_write() {
    let old = format!("[t.fields]\n{ID}a = \"int\"\n");
    let new = format!(
        "[t.fields]\n{ID}b = {{ type = \"int\", was = \"a\" }}\nc = {{ type = \"int\", optional = true }}\n\
         n = {{ type = \"int\", default = 7 }}\nt = {{ type = \"text\", default = \"x\" }}\nat = \"timestamp\"\n"
    );
    let expected = [
        "ALTER TABLE `t` RENAME COLUMN `a` TO `b`, LOCK=NONE;",
        "ALTER TABLE `t` ADD COLUMN `t` LONGTEXT NULL, ADD COLUMN `at` DATETIME(6) NULL, LOCK=NONE;",
        "UPDATE `t` SET `t` = 'x';",
        "ALTER TABLE `t` ADD COLUMN `c` INT NULL, ADD COLUMN `n` INT NOT NULL DEFAULT 7, \
         MODIFY COLUMN `t` LONGTEXT NOT NULL, MODIFY COLUMN `at` DATETIME(6) NOT NULL, LOCK=NONE;",
        "ALTER TABLE `t` ALTER COLUMN `n` DROP DEFAULT, LOCK=NONE;",
    ];
    check(&old, &new, &expected);
    let gone = format!("[t.fields]\n{ID}");
    check(&old, &gone, &["ALTER TABLE `t` DROP COLUMN `a`, LOCK=NONE;"]);
}

#[test]
fn what_becomes_a_key_gets_a_bound() {
    let old = format!("[t.fields]\n{ID}a = \"text\"\nb = {{ type = \"text\", optional = true }}\n");
    let new = format!(
        "[t.fields]\n{ID}a = {{ type = \"text\", unique = true }}\nb = {{ type = \"text\", default = \"\" }}\n"
    );
    let expected = [
        "UPDATE `t` SET `b` = '' WHERE `b` IS NULL;",
        "ALTER TABLE `t` MODIFY COLUMN `a` VARCHAR(768) NOT NULL, MODIFY COLUMN `b` LONGTEXT NOT NULL, \
         ADD UNIQUE INDEX `t_a_key` (`a`), ALGORITHM=COPY;",
    ];
    check(&old, &new, &expected);
}

#[test]
fn references_make_way_for_what_they_hold() {
    let pointing = |ty: &str| {
        format!(
            "[p.fields]\nid = {{ type = \"{ty}\", primary = true }}\n\n\
             [t.fields]\n{ID}p_id = {{ ref = \"p\", on_delete = \"cascade\" }}\n"
        )
    };
    let expected = [
        "ALTER TABLE `t` DROP FOREIGN KEY `t_p_id_fkey`, LOCK=NONE;",
        "ALTER TABLE `p` MODIFY COLUMN `id` BIGINT NOT NULL, ALGORITHM=COPY;",
        "ALTER TABLE `t` MODIFY COLUMN `p_id` BIGINT NOT NULL, ALGORITHM=COPY;",
        "ALTER TABLE `t` ADD CONSTRAINT `t_p_id_fkey` FOREIGN KEY (`p_id`) REFERENCES `p` (`id`) ON DELETE CASCADE, \
         ALGORITHM=COPY;",
    ];
    check(&pointing("int"), &pointing("bigint"), &expected);
    let steps = plan(&schema(&pointing("int")), &schema(&pointing("bigint"))).steps;
    assert!(steps.contains(&"copy the rows of p, which can be read and not written meanwhile".to_owned()), "{steps:?}");
}

#[test]
fn rings_of_tables_are_made_and_parted() {
    let ring = format!(
        "[a.fields]\n{ID}b_id = {{ ref = \"b\", optional = true }}\n\n[b.fields]\n{ID}a_id = {{ ref = \"a\", optional = true }}\n"
    );
    let made = plan(&Schema::default(), &schema(&ring)).sql;
    let later: Vec<&str> = made.lines().filter(|line| line.starts_with("ALTER")).collect();
    assert_eq!(later.len(), 1, "{made}");
    let gone = plan(&schema(&ring), &Schema::default()).sql;
    let lines: Vec<&str> = gone.lines().collect();
    assert!(lines.len() == 3 && lines[0].contains("DROP FOREIGN KEY"), "{gone}");
}

#[test]
fn a_condition_of_a_unique_index_is_computed_beside_it() {
    let table = |index: &str| format!("[t.fields]\n{ID}a = \"text\"\nn = \"int\"\n\n[t.indexes]\n{index}\n");
    let old = table("");
    let new = table("one = { on = [\"a\"], unique = true, where = \"n > 0\" }");
    let hidden = "VARCHAR(768) GENERATED ALWAYS AS (CASE WHEN n > 0 THEN `a` END) VIRTUAL INVISIBLE";
    let expected = [
        "ALTER TABLE `t` MODIFY COLUMN `a` VARCHAR(768) NOT NULL, ALGORITHM=COPY;".to_owned(),
        format!("ALTER TABLE `t` ADD COLUMN `_mainstay_t_one_0` {hidden}, LOCK=SHARED;"),
        "ALTER TABLE `t` ADD UNIQUE INDEX `t_one` (`_mainstay_t_one_0`), LOCK=SHARED;".to_owned(),
    ];
    check(&old, &new, &expected.each_ref().map(|line| &**line));
    let expected = [
        "ALTER TABLE `t` DROP INDEX `t_one`, LOCK=SHARED;",
        "ALTER TABLE `t` DROP COLUMN `_mainstay_t_one_0`, LOCK=SHARED;",
        "ALTER TABLE `t` MODIFY COLUMN `a` LONGTEXT NOT NULL, ALGORITHM=COPY;",
    ];
    check(&new, &old, &expected);
}
