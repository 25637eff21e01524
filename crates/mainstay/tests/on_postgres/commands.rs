//! What the commands say of a database in which one may only look.

use crate::app::Database;
use crate::support::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn who_may_make_no_schema_is_told_what_could_not_be_compared() {
    let database = Database::new("").await;
    let fields = "[notes.fields]\nid = { type = \"int\", primary = true }\n";
    let folder = Folder::project("", fields);
    let run = |arguments: &[&str]| folder.run(arguments).env("DATABASE_URL", &database.url());
    run(&["migrate", "new", "--name", "all"]).succeeds();
    run(&["migrate", "apply", "--yes"]).succeeds();
    let reader = database.url() + "&options=-c%20role%3Dpg_read_all_data";
    let doctor = folder.run(&["doctor"]).env("DATABASE_URL", &reader).succeeds().stdout;
    assert!(doctor.contains("warn  tables: cannot be compared with the last migration (permission denied"), "{doctor}");
    assert!(doctor.contains("ok    migrations: all are applied"), "{doctor}");
}
