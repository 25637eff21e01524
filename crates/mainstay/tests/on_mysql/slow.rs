//! Slow statements of a server: from the process that serves to whoever asks for them.

use crate::app::on_each;
use crate::support::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_slow_is_shown_with_the_plan_of_the_server() {
    let made = "CREATE TABLE events (id int PRIMARY KEY, kind varchar(20), at int);
                INSERT INTO events VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)";
    on_each(made, |database| async move {
        let folder = Folder::project(
            "[log]\nslow_ms = 1\n[stores.main]\nintrospect = true\n[stores.main.access]\nread = true\nupdate = true\n",
            "",
        );
        let url = database.url();
        folder.write(".env", &format!("DATABASE_URL={url}\n"));
        // Slow enough for anybody: a view that sleeps.
        database.run("CREATE VIEW slow AS SELECT id, kind, at, sleep(0.02) AS slept FROM events").await;
        let server =
            folder.run(&["serve", "--listen", "127.0.0.1:0"]).serves(&folder, "listening on http://127.0.0.1:");
        for kind in ["hunter2", "hunter3", "a"] {
            server.get(&format!("/rest/v1/slow?kind=eq.{kind}&order=at.desc"));
        }
        assert_eq!(server.terminate(), Some(0));
        let told = folder.run(&["slow"]).succeeds().stdout;
        assert!(told.starts_with("slow where kind = ? order at desc"), "{told}");
        assert!(told.contains(" times, ") && told.contains("ms at worst") && told.contains("table: "), "{told}");
        assert!(!told.contains("hunter"), "{told}");
    })
    .await;
}
