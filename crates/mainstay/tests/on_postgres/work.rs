//! What a server expects of a read: shown by `explain`, and refused above a limit.

use crate::app::Database;
use crate::support::Folder;
use crate::works::{MOST, is_guarded};

const TABLES: &str = "CREATE TABLE big (id int PRIMARY KEY, b int, c int);
                CREATE TABLE small (id int PRIMARY KEY, big int REFERENCES big);
                INSERT INTO big SELECT i, i % 1000, i FROM generate_series(1, 20000) AS i;
                INSERT INTO small SELECT i, i FROM generate_series(1, 50) AS i;
                ANALYZE";

#[tokio::test(flavor = "multi_thread")]
async fn the_planner_of_the_server_is_asked() {
    let (database, folder) = (Database::new(TABLES).await, Folder::new());
    let url = database.url();
    let work = |path: &str| {
        let path = format!("/rest/v1/{path}");
        let explain = [
            "explain",
            "GET",
            &path,
            "--store",
            &url,
            "--set",
            &format!("limits.examined_rows_service={MOST}"),
            "--json",
        ];
        folder.run(&explain).succeeds().json()["work"].as_str().unwrap().to_owned()
    };
    for passes in ["big?id=eq.7", "big?limit=10", "small?order=big"] {
        let told = work(passes);
        assert!(told.ends_with("passes, limits.examined_rows_service is 2000"), "{passes}: {told}");
    }
    for (refused, index) in
        [("big?b=eq.7", "big (b)"), ("big?order=c&limit=10", "big (c)"), ("big?select=id,small(id)&b=eq.7", "big (b)")]
    {
        let told = work(refused);
        let expected = format!("refused, limits.examined_rows_service is 2000; an index on {index} would help");
        assert!(told.ends_with(&expected), "{refused}: {told}");
    }
    assert_eq!(work("big?b=eq.7").split(';').next(), Some("looks at about 20000 rows"));
    database.run("CREATE INDEX big_b ON big (b); ANALYZE big").await;
    assert!(work("big?b=eq.7").contains("passes"), "{}", work("big?b=eq.7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_work_is_refused_before_anything_is_changed() {
    is_guarded(&Database::new(TABLES).await.url()).await;
}
